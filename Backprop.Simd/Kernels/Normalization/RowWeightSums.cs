using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>The gradients by weight and bias of normalized rows: the sums over rows of dy xhat and of dy, one for each of n columns.</summary>
/// <remarks>Blocks of rows and strips of columns are summed apart, by any thread; the blocks meet in double, in order.</remarks>
internal static unsafe class RowWeightSums
{
    /// <summary>Nanoseconds for an element.</summary>
    private const double Cost = 0.25;

    /// <summary>Scratch for <see cref="Compute"/>.</summary>
    public static long ScratchLength(int n) => 2L * ChannelPlan.MaxBlocks(n) * n;

    /// <summary>products[j] = sum of dy[i, j] xhat[i, j]; sums[j] = sum of dy[i, j]; or each += it.</summary>
    public static void Compute<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> dy, int n, ReadOnlySpan<T> cache, Span<T> scratch,
        Destination<T> products, Destination<T> sums, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!products.IsWanted && !sums.IsWanted)
            return;
        SpanGuard.SameLength(x.Length, dy.Length);
        SpanGuard.AtLeast(checked(x.Length / n * RowNormalization.CachePerRow), cache.Length);
        width = RegisterWidth.OfColumns<T>(n, width);
        var plan = new ChannelPlan(x.Length / n, n, RegisterWidth.Lanes<T>(width), folds: false);
        fixed (T* px = x, pdy = dy, pc = cache, blocks = scratch[..(int)ScratchLength(n)])
        {
            var body = new SimdRange<T, Body<T>>(new(plan, px, pdy, pc, blocks), width);
            compute.For(plan.Blocks * plan.Strips, 1, Cost * x.Length, in body);
            for (var column = 0; column < n; column++)
            {
                double product = 0, sum = 0;
                for (var block = 0; block < plan.Blocks; block++)
                {
                    product += double.CreateTruncating(blocks[2 * (nint)block * n + column]);
                    sum += double.CreateTruncating(blocks[(2 * (nint)block + 1) * n + column]);
                }

                Write(products, column, product);
                Write(sums, column, sum);
            }
        }
    }

    private static void Write<T>(Destination<T> destination, int column, double value) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!destination.IsWanted)
            return;
        var result = T.CreateTruncating(value);
        destination.Span[column] = destination.Adds ? destination.Span[column] + result : result;
    }

    private readonly struct Body<T>(ChannelPlan plan, T* x, T* dy, T* cache, T* blocks) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            for (var item = start; item < limit; item++)
            {
                var (block, strip) = Math.DivRem(item, plan.Strips);
                nint n = plan.Channels, from = plan.StripStart(strip), width = plan.StripStart(strip + 1) - from, row = (nint)block * plan.BlockRows;
                T* products = blocks + 2 * block * n + from, sums = products + n;
                new Span<T>(products, (int)width).Clear();
                new Span<T>(sums, (int)width).Clear();
                var kept = cache + row * RowNormalization.CachePerRow;
                if (width < TVector.Count)
                    Narrow(x + row * n, dy + row * n, kept, plan.FoldedRowsOf(block), (int)n, products, sums);
                else
                    Strip<TVector, T>(x + row * n + from, dy + row * n + from, kept, plan.FoldedRowsOf(block), n, width, products, sums);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Strip<TVector, T>(T* x, T* dy, T* kept, nint rows, nint stride, nint width, T* products, T* sums)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint count = TVector.Count, o3 = width - count, o2 = Math.Min(2 * count, o3), o1 = Math.Min(count, o3);
        var length = BlockSums.Slots(BlockSums.Blocks(rows)) * (int)width;
        T* slots = stackalloc T[2 * length], more = slots + length;
        var block = 0;
        for (; rows > 0; rows -= BlockSums.Rows)
        {
            TVector a = TVector.Zero, b = a, c = a, d = a, aa = a, bb = a, cc = a, dd = a;
            for (var left = Math.Min(BlockSums.Rows, rows); left > 0; left--, x += stride, dy += stride, kept += RowNormalization.CachePerRow)
            {
                TVector center = TVector.Create(kept[0]), inverse = TVector.Create(kept[2]), shift = TVector.Create(-kept[1] * kept[2]);
                var gradient = TVector.Load(dy);
                a += gradient;
                aa = TVector.MultiplyAdd(gradient, TVector.MultiplyAdd(TVector.Load(x) - center, inverse, shift), aa);
                gradient = TVector.Load(dy + o1);
                b += gradient;
                bb = TVector.MultiplyAdd(gradient, TVector.MultiplyAdd(TVector.Load(x + o1) - center, inverse, shift), bb);
                gradient = TVector.Load(dy + o2);
                c += gradient;
                cc = TVector.MultiplyAdd(gradient, TVector.MultiplyAdd(TVector.Load(x + o2) - center, inverse, shift), cc);
                gradient = TVector.Load(dy + o3);
                d += gradient;
                dd = TVector.MultiplyAdd(gradient, TVector.MultiplyAdd(TVector.Load(x + o3) - center, inverse, shift), dd);
            }

            BlockSums.Join(slots, block, width, a, b, c, d);
            BlockSums.Join(more, block++, width, aa, bb, cc, dd);
        }

        BlockSums.FinishInto<TVector, T>(slots, block, width, sums);
        BlockSums.FinishInto<TVector, T>(more, block, width, products);
    }

    /// <summary>Rows of less than the narrowest register: up to three elements.</summary>
    private static void Narrow<T>(T* x, T* dy, T* kept, int rows, int n, T* products, T* sums)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // The products of a row, then its sums, are one slot.
        var blocks = BlockSums.Blocks(rows);
        var slots = stackalloc T[BlockSums.Slots(blocks) * 2 * n];
        for (var block = 0; block < blocks; block++, rows -= BlockSums.Rows)
        {
            var slot = BlockSums.Slot(slots, block, 2 * n);
            new Span<T>(slot, 2 * n).Clear();
            for (var left = Math.Min(BlockSums.Rows, rows); left > 0; left--, x += n, dy += n, kept += RowNormalization.CachePerRow)
            {
                for (var column = 0; column < n; column++)
                {
                    slot[column] += dy[column] * ((x[column] - kept[0]) * kept[2] - kept[1] * kept[2]);
                    slot[n + column] += dy[column];
                }
            }

            BlockSums.Join(slots, block, 2 * n, 2 * n);
        }

        BlockSums.Finish(slots, blocks, 2 * n, 2 * n);
        new Span<T>(slots, n).CopyTo(new Span<T>(products, n));
        new Span<T>(slots + n, n).CopyTo(new Span<T>(sums, n));
    }
}
