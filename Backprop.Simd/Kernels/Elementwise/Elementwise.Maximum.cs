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
}
