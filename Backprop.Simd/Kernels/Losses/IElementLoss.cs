using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

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
