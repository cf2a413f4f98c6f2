using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Losses;

/// <summary>A loss of one prediction y and one target t, with its derivatives, lane by lane.</summary>
internal interface IElementLoss
{
    /// <summary>l(y, t).</summary>
    TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>;

    /// <summary>The derivative by y.</summary>
    TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>;

    /// <summary>The derivative by t.</summary>
    TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>;
}

/// <summary>A loss seen from its target.</summary>
internal readonly struct TargetSide<TLoss>(TLoss loss) : IElementLoss
    where TLoss : struct, IElementLoss
{
    public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => loss.Value(y, t);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => loss.TargetSlope(y, t);

    public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => loss.Slope(y, t);
}

/// <summary>l(y, t), in double.</summary>
internal readonly struct ElementValue<TLoss>(TLoss loss) : IBinaryOperator<double>
    where TLoss : struct, IElementLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, double> => loss.Value(x, y);
}

/// <summary>scale l'(y, t).</summary>
internal readonly struct ElementSlope<T, TLoss>(TLoss loss, T scale) : IBinaryOperator<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TLoss : struct, IElementLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> =>
        loss.Slope(x, y) * TVector.Create(scale);
}

/// <summary>scale l'(y, t), each element with its own scale; exactly 0 where that is 0.</summary>
internal readonly struct ScaledElementSlope<T, TLoss>(TLoss loss) : ITernaryOperator<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TLoss : struct, IElementLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> =>
        TVector.AndNot(loss.Slope(x, y) * z, TVector.Equal(z, TVector.Zero));
}
