using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Rows of n elements, normalized each on its own: layer normalization, or, without taking the mean away, RMS normalization.
/// Threads share the rows.
/// </summary>
/// <remarks>
/// Forward keeps center, offset and inverse of each row, [rows, 3]: mean = center + offset, the center rounded to T, and
/// 1 / sqrt(variance + epsilon). xhat = (x - center - offset) inverse.
/// </remarks>
internal static unsafe class RowNormalization
{
    /// <summary>What forward keeps of a row.</summary>
    public const int CachePerRow = 3;

    /// <summary>Nanoseconds for an element, and for a row beside its elements.</summary>
    private const double ForwardCost = 0.2, BackwardCost = 0.3, RowCost = 20;

    /// <summary>y = xhat weight + bias; the last two may be empty.</summary>
    public static void Forward<T>(ReadOnlySpan<T> x, int n, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, double epsilon, bool subtractsMean,
        Span<T> cache, Span<T> y, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rows = x.Length / n;
        SpanGuard.SameLength(x.Length, y.Length);
        CheckTables(n, rows, weight, bias, cache, needsCache: false);
        width = RegisterWidth.OfColumns<T>(n, width);
        fixed (T* px = x, py = y, pw = weight, pb = bias, pc = cache)
        {
            var body = new SimdRange<T, ForwardBody<T>>(new(px, py, pw, pb, pc, n, epsilon, subtractsMean), width);
            compute.For(rows, RowMajor.Granularity(n), ForwardCost * x.Length + RowCost * rows, in body);
        }
    }

    /// <summary>With g = dy weight: dx = inverse (g - mean(g) - xhat mean(g xhat)), or dx += it; RMS normalization has no mean(g).</summary>
    public static void BackwardInput<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> dy, int n, ReadOnlySpan<T> weight, bool subtractsMean,
        ReadOnlySpan<T> cache, Destination<T> dx, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        var rows = x.Length / n;
        SpanGuard.SameLength(x.Length, dy.Length);
        SpanGuard.SameLength(x.Length, dx.Span.Length);
        CheckTables(n, rows, weight, [], cache, needsCache: true);
        width = RegisterWidth.OfColumns<T>(n, width);
        fixed (T* px = x, pdy = dy, pdx = dx.Span, pw = weight, pc = cache)
        {
            var body = new SimdRange<T, BackwardBody<T>>(new(px, pdy, pdx, pw, pc, n, subtractsMean, dx.Adds), width);
            compute.For(rows, RowMajor.Granularity(n), BackwardCost * x.Length + RowCost * rows, in body);
        }
    }

    /// <summary>Layers may be run by other layers, with buffers that were declared otherwise.</summary>
    private static void CheckTables<T>(int n, int rows, ReadOnlySpan<T> weight, ReadOnlySpan<T> bias, ReadOnlySpan<T> cache, bool needsCache)
    {
        if (!weight.IsEmpty)
            SpanGuard.SameLength(n, weight.Length);
        if (!bias.IsEmpty)
            SpanGuard.SameLength(n, bias.Length);
        if (needsCache || !cache.IsEmpty)
            SpanGuard.AtLeast(checked(rows * CachePerRow), cache.Length);
    }

    private readonly struct ForwardBody<T>(T* x, T* y, T* weight, T* bias, T* cache, int n, double epsilon, bool subtractsMean) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            for (var row = start; row < limit; row++)
            {
                var values = x + (nint)row * n;
                double sum, squares;
                var (center, offset) = (T.Zero, 0.0);
                if (subtractsMean)
                {
                    // The squares are taken about a first mean; how far it lies from the mean is taken off them.
                    sum = ReductionLoops.Pairwise<TVector, T, ReductionLoops.SumTerm<T>>(default, values, values, n);
                    center = T.CreateTruncating(sum / n);
                    NormalizedRowLoops.Deviations<TVector, T>(values, n, center, out sum, out squares);
                    squares = Math.Max(squares - sum * sum / n, 0);
                    var mean = double.CreateTruncating(center) + sum / n;
                    center = T.CreateTruncating(mean);
                    offset = mean - double.CreateTruncating(center);
                }
                else
                {
                    squares = ReductionLoops.Pairwise<TVector, T, ReductionLoops.SquareTerm<T>>(default, values, values, n);
                }

                var inverse = T.CreateTruncating(1 / Math.Sqrt(squares / n + epsilon));
                var rest = T.CreateTruncating(offset);
                NormalizedRowLoops.Normalize<TVector, T>(values, y + (nint)row * n, weight, bias, n, center, inverse, -rest * inverse);
                if (cache is null)
                    continue;
                var keep = cache + (nint)row * CachePerRow;
                (keep[0], keep[1], keep[2]) = (center, rest, inverse);
            }
        }
    }

    private readonly struct BackwardBody<T>(T* x, T* dy, T* dx, T* weight, T* cache, int n, bool subtractsMean, bool adds) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            for (var row = start; row < limit; row++)
            {
                var first = (nint)row * n;
                var kept = cache + (nint)row * CachePerRow;
                var (center, offset, inverse) = (kept[0], double.CreateTruncating(kept[1]), double.CreateTruncating(kept[2]));
                NormalizedRowLoops.Products<TVector, T>(x + first, dy + first, weight, n, center, out var sum, out var products);
                products = (products - offset * sum) * inverse; // of g and xhat
                var byX = -inverse * inverse * (products / n);
                var shift = -byX * offset - (subtractsMean ? inverse * (sum / n) : 0);
                NormalizedRowLoops.Gradient<TVector, T>(x + first, dy + first, dx + first, weight, n, center, kept[2], T.CreateTruncating(byX), T.CreateTruncating(shift), adds);
            }
        }
    }
}
