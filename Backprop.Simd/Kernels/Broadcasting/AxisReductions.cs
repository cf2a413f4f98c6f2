using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Sums, extremes, norms and variances over any dimensions of an array, with their gradients.</summary>
/// <remarks>
/// <para>The shape of a result has as many dimensions as x, with 1 where x is reduced: x [8, 14, 14, 32] and y [8, 1, 1, 32].</para>
/// <para>The order of a sum follows from the shapes and, along a row, the register width. A context shares large work out over its threads;
/// null runs on the caller. The bits are the same either way.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static partial class AxisReductions
{
    private const double ArithmeticCost = 0.2, FunctionCost = 0.7;

    /// <summary>The scratch that these methods need.</summary>
    /// <param name="elements">The elements of x.</param>
    /// <returns>The elements of scratch.</returns>
    public static long Scratch(long elements) => 3 * elements;

    /// <summary>y = the sum of x, or y += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The numbers.</param>
    /// <param name="shape">The shape of y: x's, with 1 where it is reduced.</param>
    /// <param name="y">The result.</param>
    /// <param name="scratch">At least <see cref="Scratch"/> elements; overlaps nothing.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The shape does not suit x, a span is too short, or spans overlap.</exception>
    public static void Sum<T>(ShapedSpan<T> x, ReadOnlySpan<int> shape, Destination<T> y, Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!y.IsWanted)
            return;
        var layout = Check(x, shape, y.Span, scratch);
        AxisFold<T, SumFold<T>>.Run(x.Values, layout, y, scratch, context);
    }

    /// <summary>y = the largest of x; NaN if any is NaN.</summary>
    /// <inheritdoc cref="Sum"/>
    public static void Max<T>(ShapedSpan<T> x, ReadOnlySpan<int> shape, Span<T> y, Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        AxisFold<T, MaxFold<T>>.Run(x.Values, CheckFilled(x, shape, y, scratch), y, scratch, context);

    /// <summary>y = the smallest of x; NaN if any is NaN.</summary>
    /// <inheritdoc cref="Sum"/>
    public static void Min<T>(ShapedSpan<T> x, ReadOnlySpan<int> shape, Span<T> y, Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        AxisFold<T, MinFold<T>>.Run(x.Values, CheckFilled(x, shape, y, scratch), y, scratch, context);

    /// <summary>The gradient of <see cref="Max"/> and <see cref="Min"/>: dx = dy / n for the n elements that are equal to y, or NaN as it
    /// is; 0 elsewhere.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The gradient of y.</param>
    /// <param name="x">The numbers.</param>
    /// <param name="y">The extremes.</param>
    /// <param name="shape">Their shape.</param>
    /// <param name="dx">The gradient of x, as long as x.</param>
    /// <param name="scratch">At least <see cref="Scratch"/> elements; overlaps nothing.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The shape does not suit x, a span has the wrong length, or spans overlap.</exception>
    public static void ExtremeGradient<T>(ReadOnlySpan<T> dy, ShapedSpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<int> shape, Destination<T> dx,
        Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        var layout = CheckGradient(dy, x, y, shape, dx.Span);
        CheckScratch(x.Elements, scratch);
        Span<T> terms = scratch[..x.Elements], counts = scratch.Slice(2 * x.Elements, y.Length);
        BroadcastMap.Binary(default(IsSame<T>), x.Values, new BroadcastOperand<T>(y, layout), terms, ArithmeticCost, context);
        AxisFold<T, SumFold<T>>.Run(terms, layout, counts, scratch.Slice(x.Elements, x.Elements), context);
        Map.Binary(default(Quotient<T>), dy, counts, counts, ArithmeticCost, context);
        BroadcastMap.Ternary(default(WhereSame<T>), new(counts, layout), x.Values, new(y, layout), dx, ArithmeticCost, context);
    }

    /// <summary>y = ln(sum of e^x), with the largest subtracted first.</summary>
    /// <inheritdoc cref="Sum"/>
    public static void LogSumExp<T>(ShapedSpan<T> x, ReadOnlySpan<int> shape, Span<T> y, Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var layout = CheckFilled(x, shape, y, scratch);
        Span<T> terms = scratch[..x.Elements], sums = scratch.Slice(2 * x.Elements, y.Length), rest = scratch.Slice(x.Elements, x.Elements);
        AxisFold<T, MaxFold<T>>.Run(x.Values, layout, y, rest, context);
        BroadcastMap.Binary(default(ExpOfDifference<T>), x.Values, new BroadcastOperand<T>(y, layout), terms, FunctionCost, context);
        AxisFold<T, SumFold<T>>.Run(terms, layout, sums, rest, context);
        Map.Binary(default(LogAndMaximum<T>), sums, y, y, FunctionCost, context);
    }

    /// <summary>The gradient of <see cref="LogSumExp"/>: dx = dy e^(x - y).</summary>
    /// <inheritdoc cref="VarianceGradient"/>
    public static void LogSumExpGradient<T>(ReadOnlySpan<T> dy, ShapedSpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<int> shape, Destination<T> dx,
        ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        var layout = CheckGradient(dy, x, y, shape, dx.Span);
        BroadcastMap.Ternary(default(TimesExpOfDifference<T>), new(dy, layout), x.Values, new(y, layout), dx, FunctionCost, context);
    }

    /// <summary>y = the Euclidean norm, sqrt(sum of x^2).</summary>
    /// <inheritdoc cref="Sum"/>
    public static void Norm<T>(ShapedSpan<T> x, ReadOnlySpan<int> shape, Span<T> y, Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var layout = Check(x, shape, y, scratch);
        var terms = scratch[..x.Elements];
        Elementwise.Multiply(x.Values, x.Values, terms, context);
        AxisFold<T, SumFold<T>>.Run(terms, layout, y, scratch[x.Elements..], context);
        Map.Unary(default(Root<T>), y, y, ArithmeticCost, context);
    }

    /// <summary>The gradient of <see cref="Norm"/>: dx = dy x / y, and 0 where y = 0.</summary>
    /// <inheritdoc cref="VarianceGradient"/>
    public static void NormGradient<T>(ReadOnlySpan<T> dy, ShapedSpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<int> shape, Destination<T> dx,
        ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        var layout = CheckGradient(dy, x, y, shape, dx.Span);
        BroadcastMap.Ternary(default(OfNorm<T>), new(dy, layout), x.Values, new(y, layout), dx, ArithmeticCost, context);
    }

    /// <summary>means = the mean of x, variances = the sum of (x - mean)^2 / (n - correction). Nothing cancels.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The numbers.</param>
    /// <param name="shape">The shape of the results: x's, with 1 where it is reduced.</param>
    /// <param name="correction">1 for the unbiased estimate, 0 for the mean square.</param>
    /// <param name="means">The means.</param>
    /// <param name="variances">The variances.</param>
    /// <param name="scratch">At least <see cref="Scratch"/> elements; overlaps nothing.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The shape does not suit x, a span is too short, or spans overlap.</exception>
    public static void Variance<T>(ShapedSpan<T> x, ReadOnlySpan<int> shape, double correction, Span<T> means, Span<T> variances, Span<T> scratch,
        ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var layout = Check(x, shape, means, scratch);
        Check(x, shape, variances, scratch);
        SpanGuard.Disjoint<T>(means, variances);
        if (x.Elements == 0)
        {
            means.Fill(T.NaN);
            variances.Fill(T.NaN);
            return;
        }

        var n = (double)x.Elements / means.Length;
        Span<T> terms = scratch[..x.Elements], rest = scratch[x.Elements..];
        AxisFold<T, SumFold<T>>.Run(x.Values, layout, means, rest, context);
        Elementwise.Scale(means, T.CreateTruncating(1 / n), means, context);
        BroadcastMap.Binary(default(SquaredDifference<T>), x.Values, new BroadcastOperand<T>(means, layout), terms, ArithmeticCost, context);
        AxisFold<T, SumFold<T>>.Run(terms, layout, variances, rest, context);
        Elementwise.Scale(variances, T.CreateTruncating(1 / Math.Max(0, n - correction)), variances, context);
    }

    /// <summary>The gradient of <see cref="Variance"/>: dx = dy 2 (x - mean) / (n - correction).</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The gradient of the results.</param>
    /// <param name="x">The numbers.</param>
    /// <param name="means">What the forward method computed, in the shape of the results.</param>
    /// <param name="shape">That shape.</param>
    /// <param name="correction">The correction.</param>
    /// <param name="dx">The gradient of x, as long as x.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The shape does not suit x, a span has the wrong length, or spans overlap.</exception>
    public static void VarianceGradient<T>(ReadOnlySpan<T> dy, ShapedSpan<T> x, ReadOnlySpan<T> means, ReadOnlySpan<int> shape, double correction,
        Destination<T> dx, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        var layout = CheckGradient(dy, x, means, shape, dx.Span);
        var n = (double)x.Elements / Math.Max(1, means.Length);
        var factor = T.CreateTruncating(2 / Math.Max(0, n - correction));
        BroadcastMap.Ternary(new OfVariance<T>(factor), new(dy, layout), x.Values, new(means, layout), dx, ArithmeticCost, context);
    }

    /// <summary>dx = a dy, repeated along the dimensions that were reduced, or dx += it: the gradient of a sum (a = 1) and of a mean.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The gradient of the sums, with 1 where they were reduced.</param>
    /// <param name="shape">The shape of dx.</param>
    /// <param name="a">The factor.</param>
    /// <param name="dx">The gradient of what was summed.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The shapes do not suit each other, dx has another length than its shape, or spans overlap.</exception>
    public static void SumGradient<T>(ShapedSpan<T> dy, ReadOnlySpan<int> shape, T a, Destination<T> dx, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        SpanGuard.Supported<T>();
        CheckShapes(shape, dy.Sizes);
        SpanGuard.SameLength((int)ShapeSizes.Elements(shape), dx.Span.Length, nameof(dx));
        SpanGuard.Disjoint<T>(dy.Values, dx.Span, nameof(dx));
        var factor = new BroadcastOperand<T>(new ReadOnlySpan<T>(in a), BroadcastLayout.Of([], shape));
        BroadcastMap.Binary(default(Product<T>), new(dy.Values, BroadcastLayout.Of(dy.Sizes, shape)), factor, dx, ArithmeticCost, context);
    }

    private static BroadcastLayout Check<T>(ShapedSpan<T> x, ReadOnlySpan<int> shape, ReadOnlySpan<T> y, ReadOnlySpan<T> scratch)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        CheckShapes(x.Sizes, shape);
        SpanGuard.SameLength((int)ShapeSizes.Elements(shape), y.Length);
        CheckScratch(x.Elements, scratch);
        SpanGuard.Disjoint(x.Values, y);
        SpanGuard.Disjoint(x.Values, scratch);
        SpanGuard.Disjoint(y, scratch);
        return BroadcastLayout.Of(shape, x.Sizes);
    }

    private static BroadcastLayout CheckFilled<T>(ShapedSpan<T> x, ReadOnlySpan<int> shape, ReadOnlySpan<T> y, ReadOnlySpan<T> scratch)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var layout = Check(x, shape, y, scratch);
        if (x.Elements == 0 && y.Length > 0)
            throw new ArgumentException($"There is no extreme of no elements: 'x' is {x.ToString()}.", nameof(x));
        return layout;
    }

    private static void CheckScratch<T>(int elements, ReadOnlySpan<T> scratch)
    {
        if (scratch.Length < Scratch(elements))
            throw new ArgumentException($"'scratch' must hold at least {Scratch(elements)} elements; it has {scratch.Length}.", nameof(scratch));
    }

    private static BroadcastLayout CheckGradient<T>(ReadOnlySpan<T> dy, ShapedSpan<T> x, ReadOnlySpan<T> y, ReadOnlySpan<int> shape, ReadOnlySpan<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        CheckShapes(x.Sizes, shape);
        var reduced = (int)ShapeSizes.Elements(shape);
        SpanGuard.SameLength(reduced, dy.Length);
        SpanGuard.SameLength(reduced, y.Length);
        SpanGuard.SameLength(x.Elements, dx.Length);
        SpanGuard.SameStartOrDisjoint(x.Values, dx);
        SpanGuard.Disjoint(dy, dx);
        SpanGuard.Disjoint(y, dx);
        return BroadcastLayout.Of(shape, x.Sizes);
    }

    private static void CheckShapes(ReadOnlySpan<int> whole, ReadOnlySpan<int> reduced)
    {
        var fits = whole.Length == reduced.Length;
        for (var d = 0; fits && d < whole.Length; d++)
            fits = reduced[d] == whole[d] || reduced[d] == 1;
        if (!fits)
        {
            throw new ArgumentException($"The shape of a reduction of {ShapeSizes.Text(whole)} has its sizes, with 1 where it is reduced; "
                + $"it is {ShapeSizes.Text(reduced)}.", "shape");
        }
    }

    private readonly struct Product<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => x * y;
    }

    private readonly struct Quotient<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => x / y;
    }

    /// <summary>1 where both are equal or NaN, else 0.</summary>
    private readonly struct IsSame<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.One & (TVector.Equal(x, y) | (TVector.IsNaN(x) & TVector.IsNaN(y)));
    }

    private readonly struct WhereSame<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> =>
            x & (TVector.Equal(y, z) | (TVector.IsNaN(y) & TVector.IsNaN(z)));
    }

    /// <summary>e^(x - m); of an infinite maximum, e^x.</summary>
    private readonly struct ExpOfDifference<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Exp(x - Finite(y));
    }

    private readonly struct LogAndMaximum<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Log(x) + Finite(y);
    }

    private readonly struct TimesExpOfDifference<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Exp(y - z) * x;
    }

    private readonly struct Root<T> : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => TVector.Sqrt(x);
    }

    private readonly struct OfNorm<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.AndNot(x * (y / z), TVector.Equal(z, TVector.Zero));
    }

    private readonly struct SquaredDifference<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var difference = x - y;
            return difference * difference;
        }
    }

    private readonly struct OfVariance<T>(T factor) : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> =>
            x * TVector.Create(factor) * (y - z);
    }

    /// <summary>A maximum; 0 if it is infinite.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Finite<TVector>(TVector maximum) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(maximum, TVector.Equal(TVector.Abs(maximum), TVector.Create(double.PositiveInfinity)));
}
