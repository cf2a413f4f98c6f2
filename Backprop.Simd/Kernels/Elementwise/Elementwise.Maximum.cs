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
        Map.Binary(default(MaximumOperator<T>), x, y, destination, accumulate: false, ArithmeticCost, context);

    /// <summary>
    /// The gradient of <see cref="Maximum"/> for its first operand: dx[i] = dz[i] where x[i] was taken, else 0, or dx[i] += it.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dz">The gradient of the maximum.</param>
    /// <param name="x">The first operand.</param>
    /// <param name="y">The second operand.</param>
    /// <param name="dx">The gradient of the first operand, at least as long as <paramref name="dz"/>.</param>
    /// <param name="accumulate">Add to <paramref name="dx"/> instead of overwriting it.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">Lengths differ, or <paramref name="dx"/> is too short or overlaps an input shifted.</exception>
    public static void MaximumBackwardFirst<T>(
        ReadOnlySpan<T> dz, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> dx, bool accumulate, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.SameLength(dz.Length, y.Length);
        Check(dz, x, ref dx);
        SpanGuard.SameStartOrDisjoint(y, dx);
        Map.Ternary(default(MaximumFirstOperator<T>), dz, x, y, dx, accumulate, ArithmeticCost, context);
    }

    /// <summary>
    /// The gradient of <see cref="Maximum"/> for its second operand: dy[i] = dz[i] where y[i] was taken, else 0, or dy[i] += it.
    /// </summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dz">The gradient of the maximum.</param>
    /// <param name="x">The first operand.</param>
    /// <param name="y">The second operand.</param>
    /// <param name="dy">The gradient of the second operand, at least as long as <paramref name="dz"/>.</param>
    /// <param name="accumulate">Add to <paramref name="dy"/> instead of overwriting it.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">Lengths differ, or <paramref name="dy"/> is too short or overlaps an input shifted.</exception>
    public static void MaximumBackwardSecond<T>(
        ReadOnlySpan<T> dz, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> dy, bool accumulate, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.SameLength(dz.Length, y.Length);
        Check(dz, x, ref dy);
        SpanGuard.SameStartOrDisjoint(y, dy);
        Map.Ternary(default(MaximumSecondOperator<T>), dz, x, y, dy, accumulate, ArithmeticCost, context);
    }

    /// <summary>All lanes of a mask where the maximum takes its first operand.</summary>
    private static TVector TakesFirst<TVector>(TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        (x >= y) | TVector.IsNaN(x);

    private static void Check<T>(ReadOnlySpan<T> gradient, ReadOnlySpan<T> x, ref Span<T> destination,
        [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(x))] string input = "",
        [System.Runtime.CompilerServices.CallerArgumentExpression(nameof(destination))] string name = "")
    {
        name = name.Replace("ref ", "", StringComparison.Ordinal);
        SpanGuard.SameLength(gradient.Length, x.Length, input);
        SpanGuard.AtLeast(gradient.Length, destination.Length, name);
        destination = destination[..gradient.Length];
        SpanGuard.SameStartOrDisjoint(gradient, destination, name);
        SpanGuard.SameStartOrDisjoint(x, destination, name);
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
