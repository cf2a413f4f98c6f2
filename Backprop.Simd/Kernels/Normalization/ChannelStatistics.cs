using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>What each channel of a matrix [rows, channels] sums to.</summary>
/// <remarks>
/// Blocks of rows and strips of columns are summed apart, by any thread; a block's deviations are from its own mean, taken in a
/// second walk over the block. The blocks meet in double, in order: Chan, Golub, LeVeque, "Updating formulae and a pairwise
/// algorithm for computing sample variances" (1979). Nothing cancels, however far the channel lies from 0.
/// </remarks>
internal static unsafe class ChannelStatistics
{
    /// <summary>Nanoseconds for an element that is walked over twice.</summary>
    private const double Cost = 0.2;

    /// <summary>Scratch for <see cref="Moments"/> and <see cref="Products"/>.</summary>
    public static long ScratchLength(int channels) => 3L * ChannelPlan.MaxBlocks(channels) * channels;

    /// <summary>
    /// mean = center + offset; variance = sum of (x - mean)^2 / rows; inverse = 1 / sqrt(variance + epsilon). The center is the
    /// mean rounded to T, the offset what rounding took.
    /// </summary>
    public static void Moments<T>(ReadOnlySpan<T> x, int channels, double epsilon, Span<T> scratch,
        Span<T> center, Span<T> offset, Span<T> inverse, Span<T> variance, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        width = RegisterWidth.OfMachine(width);
        var plan = new ChannelPlan(x.Length / channels, channels, RegisterWidth.Lanes<T>(width));
        fixed (T* px = x, sums = scratch[..(int)ScratchLength(channels)])
        {
            var body = new SimdRange<T, MomentsBody<T>>(new(plan, px, sums), width);
            compute.For(plan.Blocks * plan.Strips, 1, Cost * x.Length, in body);
            for (var channel = 0; channel < channels; channel++)
                Combine(in plan, sums, channel, epsilon, out center[channel], out offset[channel], out inverse[channel], out variance[channel]);
        }
    }

    /// <summary>sums[c] = sum of dy; products[c] = sum of dy (x - center[c]).</summary>
    public static void Products<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> dy, int channels, ReadOnlySpan<T> center, Span<T> scratch,
        Span<T> sums, Span<T> products, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.SameLength(x.Length, dy.Length);
        SpanGuard.AtLeast(channels, center.Length);
        width = RegisterWidth.OfMachine(width);
        var plan = new ChannelPlan(x.Length / channels, channels, RegisterWidth.Lanes<T>(width));
        fixed (T* px = x, pdy = dy, pc = center, blocks = scratch[..(int)ScratchLength(channels)])
        {
            var body = new SimdRange<T, ProductsBody<T>>(new(plan, px, pdy, pc, blocks), width);
            compute.For(plan.Blocks * plan.Strips, 1, Cost * x.Length, in body);
            for (var channel = 0; channel < channels; channel++)
            {
                double sum = 0, product = 0;
                for (var block = 0; block < plan.Blocks; block++)
                {
                    sum += double.CreateTruncating(blocks[2 * block * channels + channel]);
                    product += double.CreateTruncating(blocks[(2 * block + 1) * channels + channel]);
                }

                sums[channel] = T.CreateTruncating(sum);
                products[channel] = T.CreateTruncating(product);
            }
        }
    }

    /// <summary>
    /// Blocks of n rows, of deviations s from a center c and squares q: mean = sum of (n c + s) / rows, and, with d = c - mean, the
    /// squares about the mean are the sum of q + 2 d s + n d^2.
    /// </summary>
    private static void Combine<T>(in ChannelPlan plan, T* blocks, int channel, double epsilon, out T center, out T offset, out T inverse, out T variance)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint channels = plan.Channels;
        double sum = 0, squares = 0;
        for (var block = 0; block < plan.Blocks; block++)
        {
            var at = blocks + 3 * block * channels + channel;
            sum += plan.RowsOf(block) * double.CreateTruncating(at[0]) + double.CreateTruncating(at[channels]);
        }

        var mean = sum / plan.Rows;
        for (var block = 0; block < plan.Blocks; block++)
        {
            var at = blocks + 3 * block * channels + channel;
            var difference = double.CreateTruncating(at[0]) - mean;
            squares += double.CreateTruncating(at[2 * channels])
                + difference * (2 * double.CreateTruncating(at[channels]) + plan.RowsOf(block) * difference);
        }

        var v = Math.Max(squares, 0) / plan.Rows;
        center = T.CreateTruncating(mean);
        offset = T.CreateTruncating(mean - double.CreateTruncating(center));
        inverse = T.CreateTruncating(1 / Math.Sqrt(v + epsilon));
        variance = T.CreateTruncating(v);
    }

    /// <summary>The rows of a folded row added up, into the first <paramref name="channels"/> columns.</summary>
    public static void Unfold<T>(T* sums, int fold, int channels) where T : unmanaged, IFloatingPointIeee754<T>
    {
        // The second half meets the first, until one row is left.
        for (int rows = fold, half; rows > 1; rows = half)
        {
            half = (rows + 1) / 2;
            for (var i = half * channels; i < rows * channels; i++)
                sums[i - half * channels] += sums[i];
        }
    }

    /// <summary>Writes center, sum and squares of each channel: [blocks, 3, channels].</summary>
    private readonly struct MomentsBody<T>(ChannelPlan plan, T* x, T* blocks) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            T* center = stackalloc T[ChannelPlan.MaxStrip], sums = stackalloc T[ChannelPlan.MaxStrip], squares = stackalloc T[ChannelPlan.MaxStrip];
            for (var item = start; item < limit; item++)
            {
                var (block, strip) = Math.DivRem(item, plan.Strips);
                nint stride = plan.Width, from = plan.StripStart(strip), width = plan.StripStart(strip + 1) - from;
                nint rows = plan.FoldedRowsOf(block), tail = block == plan.Blocks - 1 ? plan.Tail * plan.Channels : 0;
                var values = x + (nint)block * plan.BlockRows * stride + from;
                var columns = plan.Fold > 1 ? plan.Channels : (int)width;

                new Span<T>(center, (int)width).Clear();
                ChannelTails.Sums<TVector, T>(values, rows, tail, stride, width, center);
                Unfold(center, plan.Fold, columns);
                var share = T.One / T.CreateTruncating(plan.RowsOf(block));
                for (var column = 0; column < columns; column++)
                    center[column] *= share;
                plan.Spread(new Span<T>(center, (int)width));

                new Span<T>(sums, (int)width).Clear();
                new Span<T>(squares, (int)width).Clear();
                ChannelTails.Deviations<TVector, T>(values, rows, tail, stride, width, center, sums, squares);
                Unfold(sums, plan.Fold, columns);
                Unfold(squares, plan.Fold, columns);
                var to = blocks + 3 * (nint)block * plan.Channels + from;
                for (var column = 0; column < columns; column++)
                {
                    to[column] = center[column];
                    to[plan.Channels + column] = sums[column];
                    to[2 * plan.Channels + column] = squares[column];
                }
            }
        }
    }

    /// <summary>Writes sum and product of each channel: [blocks, 2, channels].</summary>
    private readonly struct ProductsBody<T>(ChannelPlan plan, T* x, T* dy, T* center, T* blocks) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            T* around = stackalloc T[ChannelPlan.MaxStrip], sums = stackalloc T[ChannelPlan.MaxStrip], products = stackalloc T[ChannelPlan.MaxStrip];
            for (var item = start; item < limit; item++)
            {
                var (block, strip) = Math.DivRem(item, plan.Strips);
                nint stride = plan.Width, from = plan.StripStart(strip), width = plan.StripStart(strip + 1) - from;
                nint rows = plan.FoldedRowsOf(block), tail = block == plan.Blocks - 1 ? plan.Tail * plan.Channels : 0;
                var first = (nint)block * plan.BlockRows * stride + from;
                var columns = plan.Fold > 1 ? plan.Channels : (int)width;

                new Span<T>(center + from, columns).CopyTo(new Span<T>(around, columns));
                plan.Spread(new Span<T>(around, (int)width));
                new Span<T>(sums, (int)width).Clear();
                new Span<T>(products, (int)width).Clear();
                ChannelTails.Products<TVector, T>(x + first, dy + first, rows, tail, stride, width, around, sums, products);
                Unfold(sums, plan.Fold, columns);
                Unfold(products, plan.Fold, columns);
                var to = blocks + 2 * (nint)block * plan.Channels + from;
                for (var column = 0; column < columns; column++)
                {
                    to[column] = sums[column];
                    to[plan.Channels + column] = products[column];
                }
            }
        }
    }
}
