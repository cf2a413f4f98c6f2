using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Functions of two arrays that are broadcast to one shape, as NumPy does it: shapes are aligned at the last dimension, and a size
/// of 1, or a dimension that is not there, is repeated.
/// </summary>
/// <remarks>
/// <para>The gradient of an operand that was repeated is a sum, in an order that follows from the shapes alone. A context shares large
/// work out over its threads; null runs on the caller. The bits are the same either way.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static partial class Broadcasting
{
    /// <summary>Nanoseconds per element.</summary>
    private const double Cost = 0.2;

    /// <summary>The shape that two shapes are broadcast to.</summary>
    /// <param name="x">A shape.</param>
    /// <param name="y">A shape.</param>
    /// <param name="result">Takes the sizes, at least as many as the longer shape has.</param>
    /// <returns>The number of dimensions.</returns>
    /// <exception cref="ArgumentException">The shapes do not fit each other, or the result is too short.</exception>
    public static int Shape(ReadOnlySpan<int> x, ReadOnlySpan<int> y, Span<int> result)
    {
        var rank = Math.Max(x.Length, y.Length);
        SpanGuard.AtLeast(rank, result.Length);
        for (var i = 1; i <= rank; i++)
        {
            var (a, b) = (i <= x.Length ? x[^i] : 1, i <= y.Length ? y[^i] : 1);
            if (a != b && a != 1 && b != 1)
                ThrowShapes(x, y);
            result[rank - i] = a == 1 ? b : a;
        }

        return rank;
    }

    /// <summary>The scratch that a gradient needs where its operand is repeated.</summary>
    /// <param name="elements">The elements of the result of the broadcast.</param>
    /// <returns>The elements of scratch: their terms, and sums on the way.</returns>
    public static long Scratch(long elements) => elements + AxisFold.Scratch(elements);

    /// <summary>z = f(x, y).</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <typeparam name="TFunction">The function: a struct, so that it is compiled into the loop.</typeparam>
    /// <param name="f">The function.</param>
    /// <param name="x">The left operand.</param>
    /// <param name="y">The right operand.</param>
    /// <param name="z">The results, at least as many as the broadcast has.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other, or z is too short or overlaps an operand. It may be the very
    /// span of an operand that is not repeated.</exception>
    public static void Forward<T, TFunction>(in TFunction f, ShapedSpan<T> x, ShapedSpan<T> y, Span<T> z, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IBinaryFunction
    {
        var (left, right) = Operands(x, y, true, out var elements);
        SpanGuard.AtLeast(elements, z.Length);
        z = z[..elements];
        CheckOverlap(left, z, nameof(z));
        CheckOverlap(right, z, nameof(z));
        BroadcastMap.Binary(new ForwardOperator<T, TFunction>(f), left, right, z, Cost, context);
    }

    /// <summary>dx = dz df/dx, summed where x was repeated.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <typeparam name="TFunction">The function: a struct, so that it is compiled into the loop.</typeparam>
    /// <param name="f">The function.</param>
    /// <param name="dz">The gradient of z, as many numbers as z has.</param>
    /// <param name="x">The left operand.</param>
    /// <param name="y">The right operand.</param>
    /// <param name="dx">The gradient of x, as long as x.</param>
    /// <param name="scratch">Where x was repeated, at least <see cref="Scratch"/> elements of z's number; else it may be empty.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other, a length is wrong, or spans overlap. A gradient that is no sum
    /// may be the very span of dz or of an operand that is not repeated.</exception>
    public static void LeftGradient<T, TFunction>(in TFunction f, ReadOnlySpan<T> dz, ShapedSpan<T> x, ShapedSpan<T> y, Destination<T> dx,
        Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IBinaryFunction
    {
        if (!dx.IsWanted)
            return;
        var (left, right) = Operands(x, y, f.BackwardUsesInputs, out var elements);
        SpanGuard.SameLength(elements, dz.Length);
        SpanGuard.SameLength(x.Elements, dx.Span.Length, nameof(dx));
        var target = Target(dz, left, right, left.Layout, dx, ref scratch);
        if (f.BackwardUsesInputs)
            BroadcastMap.Ternary(new LeftOperator<T, TFunction>(f), dz, left, right, target, Cost, context);
        else
            Map.Unary(new LeftAlone<T, TFunction>(f), dz, target, Cost, context);
        if (!left.Layout.IsWhole)
            AxisFold<T, SumFold<T>>.Run(target.Span, left.Layout, dx, scratch, context);
    }

    /// <summary>dy = dz df/dy, summed where y was repeated.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <typeparam name="TFunction">The function: a struct, so that it is compiled into the loop.</typeparam>
    /// <param name="f">The function.</param>
    /// <param name="dz">The gradient of z, as many numbers as z has.</param>
    /// <param name="x">The left operand.</param>
    /// <param name="y">The right operand.</param>
    /// <param name="dy">The gradient of y, as long as y.</param>
    /// <param name="scratch">Where y was repeated, at least <see cref="Scratch"/> elements of z's number; else it may be empty.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The shapes do not fit each other, a length is wrong, or spans overlap. A gradient that is no sum
    /// may be the very span of dz or of an operand that is not repeated.</exception>
    public static void RightGradient<T, TFunction>(in TFunction f, ReadOnlySpan<T> dz, ShapedSpan<T> x, ShapedSpan<T> y, Destination<T> dy,
        Span<T> scratch, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IBinaryFunction
    {
        if (!dy.IsWanted)
            return;
        var (left, right) = Operands(x, y, f.BackwardUsesInputs, out var elements);
        SpanGuard.SameLength(elements, dz.Length);
        SpanGuard.SameLength(y.Elements, dy.Span.Length, nameof(dy));
        var target = Target(dz, left, right, right.Layout, dy, ref scratch);
        if (f.BackwardUsesInputs)
            BroadcastMap.Ternary(new RightOperator<T, TFunction>(f), dz, left, right, target, Cost, context);
        else
            Map.Unary(new RightAlone<T, TFunction>(f), dz, target, Cost, context);
        if (!right.Layout.IsWhole)
            AxisFold<T, SumFold<T>>.Run(target.Span, right.Layout, dy, scratch, context);
    }

    private static BroadcastPair<T> Operands<T>(ShapedSpan<T> x, ShapedSpan<T> y, bool areRead, out int elements)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        Span<int> result = stackalloc int[ShapeSizes.MaxRank];
        result = result[..Shape(x.Sizes, y.Sizes, result)];
        elements = Elements(result, x.Sizes, y.Sizes);
        return new(new(areRead ? x.Values : [], BroadcastLayout.Of(x.Sizes, result)), new(areRead ? y.Values : [], BroadcastLayout.Of(y.Sizes, result)));
    }

    private static int Elements(ReadOnlySpan<int> result, ReadOnlySpan<int> x, ReadOnlySpan<int> y)
    {
        var product = ShapeSizes.Elements(result);
        return product <= Array.MaxLength ? (int)product : throw new ArgumentException(
            $"{ShapeSizes.Text(x)} and {ShapeSizes.Text(y)} are broadcast to {ShapeSizes.Text(result)}: an array holds {Array.MaxLength} elements.", nameof(y));
    }

    /// <summary>Where the terms of a gradient go: to the gradient itself, or to scratch if they are summed. Leaves the rest of scratch.</summary>
    private static Destination<T> Target<T>(ReadOnlySpan<T> dz, BroadcastOperand<T> x, BroadcastOperand<T> y, BroadcastLayout layout,
        Destination<T> gradient, ref Span<T> scratch)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (layout.IsWhole)
        {
            SpanGuard.SameStartOrDisjoint(dz, gradient.Span, nameof(gradient));
            CheckOverlap(x, gradient.Span, nameof(gradient));
            CheckOverlap(y, gradient.Span, nameof(gradient));
            return gradient;
        }

        if (scratch.Length < Scratch(dz.Length))
            throw new ArgumentException($"'scratch' must hold at least {Scratch(dz.Length)} elements; it has {scratch.Length}.", nameof(scratch));
        SpanGuard.Disjoint(dz, scratch);
        SpanGuard.Disjoint(x.Values, scratch);
        SpanGuard.Disjoint(y.Values, scratch);
        SpanGuard.Disjoint<T>(gradient.Span, scratch);
        var terms = scratch[..dz.Length];
        scratch = scratch[dz.Length..];
        return terms;
    }

    /// <summary>A destination may be an operand that is not repeated, from its first element on.</summary>
    private static void CheckOverlap<T>(BroadcastOperand<T> operand, ReadOnlySpan<T> destination, string name)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (operand.Layout.IsWhole)
            SpanGuard.SameStartOrDisjoint(operand.Values, destination, name);
        else
            SpanGuard.Disjoint(operand.Values, destination, name);
    }

    [DoesNotReturn]
    private static void ThrowShapes(ReadOnlySpan<int> x, ReadOnlySpan<int> y) =>
        throw new ArgumentException($"{ShapeSizes.Text(x)} and {ShapeSizes.Text(y)} do not broadcast: aligned at the last dimension, "
            + "sizes must be equal or 1.", nameof(y));

    private readonly struct ForwardOperator<T, TFunction>(TFunction f) : IBinaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IBinaryFunction
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => f.Forward(x, y);
    }

    private readonly struct LeftOperator<T, TFunction>(TFunction f) : ITernaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IBinaryFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => f.LeftGradient(x, y, z);
    }

    private readonly struct RightOperator<T, TFunction>(TFunction f) : ITernaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IBinaryFunction
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => f.RightGradient(x, y, z);
    }

    private readonly struct LeftAlone<T, TFunction>(TFunction f) : IUnaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IBinaryFunction
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => f.LeftGradient(x, x, x);
    }

    private readonly struct RightAlone<T, TFunction>(TFunction f) : IUnaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IBinaryFunction
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => f.RightGradient(x, x, x);
    }

    private readonly ref struct BroadcastPair<T>(BroadcastOperand<T> x, BroadcastOperand<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly BroadcastOperand<T> _x = x, _y = y;

        public void Deconstruct(out BroadcastOperand<T> x, out BroadcastOperand<T> y)
        {
            x = _x;
            y = _y;
        }
    }
}
