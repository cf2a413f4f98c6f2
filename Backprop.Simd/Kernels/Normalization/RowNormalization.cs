using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Normalization of rows: sizes and weights.</summary>
internal ref struct RowForm<T> where T : unmanaged
{
    /// <summary>The elements of a row.</summary>
    public int Length;

    /// <summary>A number for each element of a row; empty for ones and zeros.</summary>
    public ReadOnlySpan<T> Weight, Bias;

    /// <summary>The number added to a variance or mean square.</summary>
    public double Epsilon;

    /// <summary>True for layer normalization, false for RMS normalization.</summary>
    public bool SubtractsMean;
}

/// <summary>
/// Rows of n elements, each normalized by itself: layer normalization, or RMS normalization if the mean is not subtracted.
/// Threads share the rows.
/// </summary>
/// <remarks>
/// Forward keeps center, offset and inverse of each row, [rows, 3]: mean = center + offset, the center rounded to T, and
/// 1 / sqrt(variance + epsilon). xhat = (x - center - offset) inverse.
/// </remarks>
internal static unsafe class RowNormalization
{
    /// <summary>The numbers that forward keeps of a row.</summary>
    public const int CachePerRow = 3;

    /// <summary>Nanoseconds for an element, and for a row in addition to its elements.</summary>
    private const double ForwardCost = 0.2, BackwardCost = 0.3, RowCost = 20;

    /// <summary>y = xhat weight + bias.</summary>
    public static void Forward<T>(
        in RowForm<T> form, ReadOnlySpan<T> x, Span<T> cache, Span<T> y, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (n, rows) = (form.Length, x.Length / form.Length);
        SpanGuard.SameLength(x.Length, y.Length);
        Check(in form, rows, cache, needsCache: false);
        width = RegisterWidth.OfColumns<T>(n, width);
        fixed (T* px = x, py = y, weight = form.Weight, bias = form.Bias, pc = cache)
        {
            var row = new RowPointers<T> { Weight = weight, Bias = bias, Cache = pc, Length = n, SubtractsMean = form.SubtractsMean };
            var body = new SimdRange<T, ForwardBody<T>>(new(px, py, row, form.Epsilon), width);
            compute.For(rows, RowMajor.Granularity(n), ForwardCost * x.Length + RowCost * rows, in body);
        }
    }

    /// <summary>With g = dy weight: dx = inverse (g - mean(g) - xhat mean(g xhat)); RMS normalization has no mean(g).</summary>
    public static void BackwardInput<T>(in RowForm<T> form, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, ReadOnlySpan<T> cache,
        Destination<T> dx, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        var (n, rows) = (form.Length, x.Length / form.Length);
        SpanGuard.SameLength(x.Length, dy.Length);
        SpanGuard.SameLength(x.Length, dx.Span.Length);
        Check(in form, rows, cache, needsCache: true);
        width = RegisterWidth.OfColumns<T>(n, width);
        fixed (T* px = x, pdy = dy, pdx = dx.Span, weight = form.Weight, pc = cache)
        {
            var row = new RowPointers<T> { Weight = weight, Cache = pc, Length = n, SubtractsMean = form.SubtractsMean };
            var body = new SimdRange<T, BackwardBody<T>>(new(px, pdy, pdx, row, dx.Adds), width);
            compute.For(rows, RowMajor.Granularity(n), BackwardCost * x.Length + RowCost * rows, in body);
        }
    }

    // Another layer may run this one, in buffers of other sizes.
    private static void Check<T>(in RowForm<T> form, int rows, ReadOnlySpan<T> cache, bool needsCache)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!form.Weight.IsEmpty)
            SpanGuard.SameLength(form.Length, form.Weight.Length);
        if (!form.Bias.IsEmpty)
            SpanGuard.SameLength(form.Length, form.Bias.Length);
        if (needsCache || !cache.IsEmpty)
            SpanGuard.AtLeast(checked(rows * CachePerRow), cache.Length);
    }

    /// <summary>Pointers to the parts of a form; null where a part is empty.</summary>
    private struct RowPointers<T> where T : unmanaged
    {
        public T* Weight, Bias, Cache;
        public int Length;
        public bool SubtractsMean;
    }

    private readonly struct ForwardBody<T>(T* x, T* y, RowPointers<T> form, double epsilon) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            T* weight = form.Weight, bias = form.Bias, cache = form.Cache;
            var n = form.Length;
            for (var row = start; row < limit; row++)
            {
                var values = x + (nint)row * n;
                double sum, squares;
                var (center, offset) = (T.Zero, 0.0);
                if (form.SubtractsMean)
                {
                    // Squares about a rounded mean: its distance from the mean is subtracted.
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

    private readonly struct BackwardBody<T>(T* x, T* dy, T* dx, RowPointers<T> form, bool adds) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            T* weight = form.Weight, cache = form.Cache;
            var n = form.Length;
            for (var row = start; row < limit; row++)
            {
                var first = (nint)row * n;
                var kept = cache + (nint)row * CachePerRow;
                var (center, offset, inverse) = (kept[0], double.CreateTruncating(kept[1]), double.CreateTruncating(kept[2]));
                NormalizedRowLoops.Products<TVector, T>(x + first, dy + first, weight, n, center, out var sum, out var products);
                products = (products - offset * sum) * inverse; // of g and xhat
                var byX = -inverse * inverse * (products / n);
                var shift = -byX * offset - (form.SubtractsMean ? inverse * (sum / n) : 0);
                var factors = new RowFactors<T>(center, kept[2], T.CreateTruncating(byX), T.CreateTruncating(shift));
                NormalizedRowLoops.Gradient<TVector, T>(x + first, dy + first, dx + first, weight, n, in factors, adds);
            }
        }
    }
}
