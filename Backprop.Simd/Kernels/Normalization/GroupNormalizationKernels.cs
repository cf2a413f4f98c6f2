using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Rows of positions x channels, whose channels are normalized in groups of neighbours, each over all positions of the row.
/// Threads share the rows; sums run down the channels, as in batch normalization, and meet in double within a group.
/// </summary>
/// <remarks>
/// Forward keeps center, offset and inverse of each group, [rows, groups, 3]: mean = center + offset, the center rounded to T, and
/// 1 / sqrt(variance + epsilon).
/// </remarks>
internal static unsafe class GroupNormalizationKernels
{
    /// <summary>What forward keeps of a group.</summary>
    public const int CachePerGroup = 3;

    /// <summary>Tables of <see cref="ChannelPlan.TableLength"/> in the scratch of a row. After backward the first two hold the
    /// row's part of the gradients by weight and bias.</summary>
    public const int Tables = 6;

    /// <summary>Nanoseconds for an element, and for a channel of a row.</summary>
    private const double ForwardCost = 0.3, BackwardCost = 0.4, ChannelCost = 5;

    /// <summary>y = (x - mean) inverse weight + bias; the last two may be empty.</summary>
    public static void Forward<T>(ReadOnlySpan<T> x, int positions, int channels, int groups, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, double epsilon,
        Span<T> cache, Span<T> scratch, Span<T> y, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        width = RegisterWidth.OfMachine(width);
        var plan = new ChannelPlan(positions, channels, RegisterWidth.Lanes<T>(width));
        var rows = x.Length / (positions * channels);
        SpanGuard.SameLength(x.Length, y.Length);
        CheckTables(rows, channels, groups, weight, bias, cache, scratch, needsCache: false);
        fixed (T* px = x, py = y, pw = weight, pb = bias, pc = cache, ps = scratch)
        {
            var body = new SimdRange<T, ForwardBody<T>>(new(plan, px, py, pw, pb, pc, ps, groups, epsilon), width);
            compute.For(rows, 1, ForwardCost * x.Length + ChannelCost * rows * channels, in body);
        }
    }

    /// <summary>
    /// Each row's sums of dy xhat and dy into its scratch; and, if <paramref name="dx"/> is wanted, with g = dy weight and means
    /// over the group, dx = inverse (g - mean(g) - xhat mean(g xhat)), or dx += it.
    /// </summary>
    public static void Backward<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> dy, int positions, int channels, int groups, ReadOnlySpan<T> weight,
        ReadOnlySpan<T> cache, Span<T> scratch, Destination<T> dx, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        width = RegisterWidth.OfMachine(width);
        var plan = new ChannelPlan(positions, channels, RegisterWidth.Lanes<T>(width));
        var rows = x.Length / (positions * channels);
        SpanGuard.SameLength(x.Length, dy.Length);
        if (dx.IsWanted)
            SpanGuard.SameLength(x.Length, dx.Span.Length);
        CheckTables(rows, channels, groups, weight, [], cache, scratch, needsCache: true);
        fixed (T* px = x, pdy = dy, pdx = dx.Span, pw = weight, pc = cache, ps = scratch)
        {
            var body = new SimdRange<T, BackwardBody<T>>(new(plan, px, pdy, pdx, pw, pc, ps, groups, dx.Adds), width);
            compute.For(rows, 1, BackwardCost * x.Length + ChannelCost * rows * channels, in body);
        }
    }

    private static void CheckTables<T>(
        int rows, int channels, int groups, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, ReadOnlySpan<T> cache, ReadOnlySpan<T> scratch, bool needsCache)
    {
        if (!weight.IsEmpty)
            SpanGuard.SameLength(channels, weight.Length);
        if (!bias.IsEmpty)
            SpanGuard.SameLength(channels, bias.Length);
        if (needsCache || !cache.IsEmpty)
            SpanGuard.AtLeast(checked(rows * groups * CachePerGroup), cache.Length);
        SpanGuard.AtLeast(checked(rows * Tables * ChannelPlan.TableLength(channels)), scratch.Length);
    }

    private readonly struct ForwardBody<T>(ChannelPlan plan, T* x, T* y, T* weight, T* bias, T* cache, T* scratch, int groups, double epsilon) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            nint length = ChannelPlan.TableLength(plan.Channels), size = (nint)plan.Rows * plan.Channels;
            var channels = plan.Channels / groups;
            var count = (double)plan.Rows * channels;
            for (var row = start; row < limit; row++)
            {
                T* values = x + row * size, sums = scratch + row * Tables * length, squares = sums + length, center = squares + length, scale = center + length, shift = scale + length;
                var kept = cache is null ? null : cache + (nint)row * groups * CachePerGroup;
                nint tail = plan.Tail * plan.Channels;
                new Span<T>(sums, plan.Width).Clear();
                for (var strip = 0; strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip), width = plan.StripStart(strip + 1) - from;
                    ChannelTails.Sums<TVector, T>(values + from, plan.FoldedRows, tail, plan.Width, width, sums + from);
                }

                ChannelStatistics.Unfold(sums, plan.Fold, plan.Channels);
                for (var group = 0; group < groups; group++)
                    new Span<T>(center + group * channels, channels).Fill(T.CreateTruncating(Sum(sums + group * channels, null, channels) / count));
                plan.Spread(new Span<T>(center, plan.Width));

                new Span<T>(sums, plan.Width).Clear();
                new Span<T>(squares, plan.Width).Clear();
                for (var strip = 0; strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip), width = plan.StripStart(strip + 1) - from;
                    ChannelTails.Deviations<TVector, T>(values + from, plan.FoldedRows, tail, plan.Width, width, center + from, sums + from, squares + from);
                }

                ChannelStatistics.Unfold(sums, plan.Fold, plan.Channels);
                ChannelStatistics.Unfold(squares, plan.Fold, plan.Channels);
                for (var group = 0; group < groups; group++)
                {
                    // The squares are taken about a first mean; how far it lies from the mean is taken off them.
                    var first = group * channels;
                    double sum = Sum(sums + first, null, channels), offset = sum / count;
                    var variance = Math.Max(Sum(squares + first, null, channels) - offset * sum, 0) / count;
                    var inverse = T.CreateTruncating(1 / Math.Sqrt(variance + epsilon));
                    var mean = double.CreateTruncating(center[first]) + offset;
                    new Span<T>(center + first, channels).Fill(T.CreateTruncating(mean));
                    var rest = T.CreateTruncating(mean - double.CreateTruncating(center[first]));
                    for (var c = first; c < first + channels; c++)
                    {
                        scale[c] = weight is null ? inverse : weight[c] * inverse;
                        shift[c] = (bias is null ? T.Zero : bias[c]) - rest * scale[c];
                    }

                    if (kept is not null)
                        (kept[CachePerGroup * group], kept[CachePerGroup * group + 1], kept[CachePerGroup * group + 2]) = (center[first], rest, inverse);
                }

                plan.Spread(new Span<T>(center, plan.Width));
                plan.Spread(new Span<T>(scale, plan.Width));
                plan.Spread(new Span<T>(shift, plan.Width));
                for (var strip = 0; strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip), width = plan.StripStart(strip + 1) - from;
                    ChannelTails.Normalize<TVector, T>(values + from, y + row * size + from, plan.FoldedRows, tail, plan.Width, width, center + from, scale + from, shift + from);
                }
            }
        }
    }

    private readonly struct BackwardBody<T>(ChannelPlan plan, T* x, T* dy, T* dx, T* weight, T* cache, T* scratch, int groups, bool adds) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            nint length = ChannelPlan.TableLength(plan.Channels), size = (nint)plan.Rows * plan.Channels;
            var channels = plan.Channels / groups;
            var count = (double)plan.Rows * channels;
            for (var row = start; row < limit; row++)
            {
                var at = row * size;
                T* products = scratch + row * Tables * length, sums = products + length, center = sums + length, byDy = center + length, byX = byDy + length, shift = byX + length;
                var kept = cache + (nint)row * groups * CachePerGroup;
                nint tail = plan.Tail * plan.Channels;
                for (var group = 0; group < groups; group++)
                    new Span<T>(center + group * channels, channels).Fill(kept[CachePerGroup * group]);
                plan.Spread(new Span<T>(center, plan.Width));
                new Span<T>(sums, plan.Width).Clear();
                new Span<T>(products, plan.Width).Clear();
                for (var strip = 0; strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip), width = plan.StripStart(strip + 1) - from;
                    ChannelTails.Products<TVector, T>(x + at + from, dy + at + from, plan.FoldedRows, tail, plan.Width, width, center + from, sums + from, products + from);
                }

                ChannelStatistics.Unfold(sums, plan.Fold, plan.Channels);
                ChannelStatistics.Unfold(products, plan.Fold, plan.Channels);
                for (var group = 0; group < groups; group++)
                {
                    var first = group * channels;
                    T offset = kept[CachePerGroup * group + 1], inverse = kept[CachePerGroup * group + 2];
                    for (var c = first; c < first + channels; c++)
                    {
                        products[c] = (products[c] - offset * sums[c]) * inverse;
                        byDy[c] = weight is null ? inverse : weight[c] * inverse;
                    }

                    // Of g, and of g and xhat.
                    var weights = weight is null ? null : weight + first;
                    double sum = Sum(sums + first, weights, channels), product = Sum(products + first, weights, channels);
                    var r = double.CreateTruncating(inverse);
                    var slope = -r * r * (product / count);
                    new Span<T>(byX + first, channels).Fill(T.CreateTruncating(slope));
                    new Span<T>(shift + first, channels).Fill(T.CreateTruncating(-r * (sum / count) - slope * double.CreateTruncating(offset)));
                }

                plan.Spread(new Span<T>(byDy, plan.Width));
                plan.Spread(new Span<T>(byX, plan.Width));
                plan.Spread(new Span<T>(shift, plan.Width));
                for (var strip = 0; dx is not null && strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip), width = plan.StripStart(strip + 1) - from;
                    ChannelTails.Gradient<TVector, T>(x + at + from, dy + at + from, dx + at + from, plan.FoldedRows, tail, plan.Width, width,
                        center + from, byDy + from, byX + from, shift + from, adds);
                }
            }
        }
    }

    /// <summary>The sum of values times weights, which are 1 if null: halves of many meet.</summary>
    private static double Sum<T>(T* values, T* weights, int count) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (count > BlockSums.Rows)
        {
            var half = count / 2;
            return Sum(values, weights, half) + Sum(values + half, weights is null ? null : weights + half, count - half);
        }

        var sum = 0.0;
        for (var i = 0; i < count; i++)
            sum += double.CreateTruncating(values[i]) * (weights is null ? 1 : double.CreateTruncating(weights[i]));
        return sum;
    }
}
