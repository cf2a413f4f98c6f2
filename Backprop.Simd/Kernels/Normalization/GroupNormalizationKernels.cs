using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Group normalization of rows: sizes and weights.</summary>
internal ref struct GroupForm<T> where T : unmanaged
{
    /// <summary>The positions and channels of a row, and the groups of its channels.</summary>
    public int Positions, Channels, Groups;

    /// <summary>A number for each channel; empty for ones and zeros.</summary>
    public ReadOnlySpan<T> Weight, Bias;

    /// <summary>The number added to a variance.</summary>
    public double Epsilon;
}

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
    /// <summary>The numbers that forward keeps of a group.</summary>
    public const int CachePerGroup = 3;

    /// <summary>Tables of <see cref="ChannelPlan.TableLength"/> in the scratch of a row. After backward the first two hold the
    /// row's part of the gradients by weight and bias.</summary>
    public const int Tables = 6;

    /// <summary>Nanoseconds for an element, and for a channel of a row.</summary>
    private const double ForwardCost = 0.3, BackwardCost = 0.4, ChannelCost = 5;

    /// <summary>y = (x - mean) inverse weight + bias.</summary>
    public static void Forward<T>(in GroupForm<T> form, ReadOnlySpan<T> x, Span<T> cache, Span<T> scratch, Span<T> y,
        ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        width = RegisterWidth.OfMachine(width);
        var plan = new ChannelPlan(form.Positions, form.Channels, RegisterWidth.Lanes<T>(width));
        var rows = x.Length / (form.Positions * form.Channels);
        SpanGuard.SameLength(x.Length, y.Length);
        Check(in form, rows, cache, scratch, needsCache: false);
        fixed (T* px = x, py = y, weight = form.Weight, bias = form.Bias, pc = cache, ps = scratch)
        {
            var group = new GroupPointers<T> { Weight = weight, Bias = bias, Cache = pc, Scratch = ps, Groups = form.Groups };
            var body = new SimdRange<T, ForwardBody<T>>(new(plan, px, py, group, form.Epsilon), width);
            compute.For(rows, 1, ForwardCost * x.Length + ChannelCost * rows * form.Channels, in body);
        }
    }

    /// <summary>
    /// Writes each row's sums of dy xhat and dy into its scratch. If <paramref name="dx"/> is wanted, with g = dy weight and means over
    /// the group, dx = inverse (g - mean(g) - xhat mean(g xhat)).
    /// </summary>
    public static void Backward<T>(in GroupForm<T> form, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, ReadOnlySpan<T> cache, Span<T> scratch,
        Destination<T> dx, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        width = RegisterWidth.OfMachine(width);
        var plan = new ChannelPlan(form.Positions, form.Channels, RegisterWidth.Lanes<T>(width));
        var rows = x.Length / (form.Positions * form.Channels);
        SpanGuard.SameLength(x.Length, dy.Length);
        if (dx.IsWanted)
            SpanGuard.SameLength(x.Length, dx.Span.Length);
        Check(in form, rows, cache, scratch, needsCache: true);
        fixed (T* px = x, pdy = dy, pdx = dx.Span, weight = form.Weight, pc = cache, ps = scratch)
        {
            var group = new GroupPointers<T> { Weight = weight, Cache = pc, Scratch = ps, Groups = form.Groups };
            var body = new SimdRange<T, BackwardBody<T>>(new(plan, px, pdy, pdx, group, dx.Adds), width);
            compute.For(rows, 1, BackwardCost * x.Length + ChannelCost * rows * form.Channels, in body);
        }
    }

    private static void Check<T>(in GroupForm<T> form, int rows, ReadOnlySpan<T> cache, ReadOnlySpan<T> scratch, bool needsCache)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!form.Weight.IsEmpty)
            SpanGuard.SameLength(form.Channels, form.Weight.Length);
        if (!form.Bias.IsEmpty)
            SpanGuard.SameLength(form.Channels, form.Bias.Length);
        if (needsCache || !cache.IsEmpty)
            SpanGuard.AtLeast(checked(rows * form.Groups * CachePerGroup), cache.Length);
        SpanGuard.AtLeast(checked(rows * Tables * ChannelPlan.TableLength(form.Channels)), scratch.Length);
    }

    /// <summary>Pointers to the parts of a form; null where a part is empty.</summary>
    private struct GroupPointers<T> where T : unmanaged
    {
        public T* Weight, Bias, Cache, Scratch;
        public int Groups;
    }

    private readonly struct ForwardBody<T>(ChannelPlan plan, T* x, T* y, GroupPointers<T> form, double epsilon) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            nint length = ChannelPlan.TableLength(plan.Channels), size = (nint)plan.Rows * plan.Channels;
            var (groups, channels) = (form.Groups, plan.Channels / form.Groups);
            T* weight = form.Weight, bias = form.Bias, cache = form.Cache, scratch = form.Scratch;
            var count = (double)plan.Rows * channels;
            for (var row = start; row < limit; row++)
            {
                T* values = x + row * size, sums = scratch + row * Tables * length, squares = sums + length;
                T* center = squares + length, scale = center + length, shift = scale + length;
                var tables = new ChannelPointers<T> { Center = center, Scale = scale, Shift = shift };
                var kept = cache is null ? null : cache + (nint)row * groups * CachePerGroup;
                new Span<T>(sums, plan.Width).Clear();
                for (var strip = 0; strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip);
                    ChannelTails.Sums<TVector, T>(values + from, plan.StripOfAll(strip), sums + from);
                }

                ChannelStatistics.Unfold(sums, plan.Fold, plan.Channels);
                for (var group = 0; group < groups; group++)
                {
                    var mean = Sum(sums + group * channels, null, channels) / count;
                    new Span<T>(center + group * channels, channels).Fill(T.CreateTruncating(mean));
                }

                plan.Spread(new Span<T>(center, plan.Width));

                new Span<T>(sums, plan.Width).Clear();
                new Span<T>(squares, plan.Width).Clear();
                for (var strip = 0; strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip);
                    ChannelTails.Deviations<TVector, T>(values + from, plan.StripOfAll(strip), center + from, sums + from, squares + from);
                }

                ChannelStatistics.Unfold(sums, plan.Fold, plan.Channels);
                ChannelStatistics.Unfold(squares, plan.Fold, plan.Channels);
                for (var group = 0; group < groups; group++)
                {
                    // Squares about a rounded mean: its distance from the mean is subtracted.
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
                    nint from = plan.StripStart(strip);
                    ChannelTails.Normalize<TVector, T>(values + from, y + row * size + from, plan.StripOfAll(strip), tables.From(from));
                }
            }
        }
    }

    private readonly struct BackwardBody<T>(ChannelPlan plan, T* x, T* dy, T* dx, GroupPointers<T> form, bool adds) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            nint length = ChannelPlan.TableLength(plan.Channels), size = (nint)plan.Rows * plan.Channels;
            var (groups, channels) = (form.Groups, plan.Channels / form.Groups);
            T* weight = form.Weight, cache = form.Cache, scratch = form.Scratch;
            var count = (double)plan.Rows * channels;
            for (var row = start; row < limit; row++)
            {
                var at = row * size;
                T* products = scratch + row * Tables * length, sums = products + length, center = sums + length;
                T* byDy = center + length, byX = byDy + length, shift = byX + length;
                var tables = new ChannelPointers<T> { Center = center, Scale = byDy, Slope = byX, Shift = shift };
                var kept = cache + (nint)row * groups * CachePerGroup;
                for (var group = 0; group < groups; group++)
                    new Span<T>(center + group * channels, channels).Fill(kept[CachePerGroup * group]);
                plan.Spread(new Span<T>(center, plan.Width));
                new Span<T>(sums, plan.Width).Clear();
                new Span<T>(products, plan.Width).Clear();
                for (var strip = 0; strip < plan.Strips; strip++)
                {
                    nint from = plan.StripStart(strip);
                    ChannelTails.Products<TVector, T>(x + at + from, dy + at + from, plan.StripOfAll(strip), center + from, sums + from, products + from);
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
                    nint from = plan.StripStart(strip);
                    ChannelTails.Gradient<TVector, T>(x + at + from, dy + at + from, dx + at + from, plan.StripOfAll(strip), tables.From(from), adds);
                }
            }
        }
    }

    /// <summary>The sum of values times weights; null weights are 1. A long sum is made of two halves.</summary>
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
