using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Losses element by element: their sums, and their gradients.</summary>
internal static class ElementLossKernels
{
    /// <summary>Elements summed at a time: three buffers of doubles of this length fit the first-level cache.</summary>
    public const int Block = 1024;

    /// <summary>Nanoseconds per element of a gradient: near that of a formula with one exp in it.</summary>
    private const double Cost = 0.5;

    /// <summary>sums[r] = the sum of l(y, t) over row r, in double. Rows have one size; the last may be shorter.</summary>
    /// <remarks>The order of additions follows from the size of a row alone; threads share the rows.</remarks>
    public static void Sums<T, TLoss>(TLoss loss, ReadOnlySpan<T> y, ReadOnlySpan<T> t, int size, Span<double> sums, ComputeContext context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss =>
        new ElementSums<T, TLoss>(loss, y, t, size, sums).Run(context);

    /// <summary>dy = scale l'(y, t).</summary>
    public static void Gradient<T, TLoss>(
        TLoss loss, T scale, ReadOnlySpan<T> y, ReadOnlySpan<T> t, Destination<T> dy, ComputeContext context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss =>
        Map.Binary(new Slope<T, TLoss>(loss, scale), y, t, dy, Cost, context);

    /// <summary>dy[i] = scales[i] l'(y[i], t[i]); exactly 0 where the scale is 0.</summary>
    public static void Gradient<T, TLoss>(
        TLoss loss, ReadOnlySpan<T> scales, ReadOnlySpan<T> y, ReadOnlySpan<T> t, Destination<T> dy, ComputeContext context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss =>
        Map.Ternary(new ScaledSlope<T, TLoss>(loss), y, t, scales, dy, Cost, context);

    private readonly struct Slope<T, TLoss>(TLoss loss, T scale) : IBinaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> =>
            loss.Slope(x, y) * TVector.Create(scale);
    }

    private readonly struct ScaledSlope<T, TLoss>(TLoss loss) : ITernaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TLoss : struct, IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.AndNot(loss.Slope(x, y) * z, TVector.Equal(z, TVector.Zero));
    }
}
