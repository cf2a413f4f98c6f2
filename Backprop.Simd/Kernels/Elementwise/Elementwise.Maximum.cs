using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

public static partial class Elementwise
{
    /// <summary>destination[i] = x[i] where x[i] is at least y[i] or NaN, else y[i]: the first operand wins ties, NaN wins.</summary>
    /// <inheritdoc cref="Add"/>
    public static void Maximum<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Binary(default(MaximumOperator<T>), x, y, destination, ArithmeticCost, context);

    /// <summary>
    /// The gradient of <see cref="Maximum"/> for its first operand: dx[i] = dz[i] where x[i] was taken, else 0, or dx[i] += it.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dz">The gradient of the maximum.</param>
    /// <param name="x">The first operand.</param>
    /// <param name="y">The second operand.</param>
    /// <param name="dx">The gradient of the first operand, at least as long as <paramref name="dz"/>.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">Lengths differ, or <paramref name="dx"/> is too short or overlaps an input shifted.</exception>
    public static void MaximumBackwardFirst<T>(
        ReadOnlySpan<T> dz, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Destination<T> dx, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        SpanGuard.SameLength(dz.Length, y.Length);
        Check(dz, x, dx);
        SpanGuard.SameStartOrDisjoint(y, dx.Span[..dz.Length], nameof(dx));
        Map.Ternary(default(MaximumFirstOperator<T>), dz, x, y, dx, ArithmeticCost, context);
    }

    /// <summary>
    /// The gradient of <see cref="Maximum"/> for its second operand: dy[i] = dz[i] where y[i] was taken, else 0, or dy[i] += it.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dz">The gradient of the maximum.</param>
    /// <param name="x">The first operand.</param>
    /// <param name="y">The second operand.</param>
    /// <param name="dy">The gradient of the second operand, at least as long as <paramref name="dz"/>.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">Lengths differ, or <paramref name="dy"/> is too short or overlaps an input shifted.</exception>
    public static void MaximumBackwardSecond<T>(
        ReadOnlySpan<T> dz, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Destination<T> dy, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dy.IsWanted)
            return;
        SpanGuard.SameLength(dz.Length, y.Length);
        Check(dz, x, dy);
        SpanGuard.SameStartOrDisjoint(y, dy.Span[..dz.Length], nameof(dy));
        Map.Ternary(default(MaximumSecondOperator<T>), dz, x, y, dy, ArithmeticCost, context);
    }

    /// <summary>All lanes of a mask where the maximum takes its first operand.</summary>
    private static TVector TakesFirst<TVector>(TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        (x >= y) | TVector.IsNaN(x);

    private static void Check<T>(ReadOnlySpan<T> gradient, ReadOnlySpan<T> x, Destination<T> destination,
        [CallerArgumentExpression(nameof(x))] string input = "",
        [CallerArgumentExpression(nameof(destination))] string name = "")
        where T : unmanaged
    {
        SpanGuard.SameLength(gradient.Length, x.Length, input);
        SpanGuard.AtLeast(gradient.Length, destination.Span.Length, name);
        var used = destination.Span[..gradient.Length];
        SpanGuard.SameStartOrDisjoint(gradient, used, name);
        SpanGuard.SameStartOrDisjoint(x, used, name);
    }

    internal readonly struct MaximumOperator<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => TVector.Select(TakesFirst(x, y), x, y);
    }

    internal readonly struct MaximumFirstOperator<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => x & TakesFirst(y, z);
    }

    internal readonly struct MaximumSecondOperator<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => TVector.AndNot(x, TakesFirst(y, z));
    }
}
