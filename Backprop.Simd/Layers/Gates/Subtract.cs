using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>z = x - y. dx = dz, dy = -dz.</summary>
public readonly struct Subtract : IBinaryFunction
{
    /// <inheritdoc/>
    public string Name => "subtract";

    /// <inheritdoc/>
    public string Symbol => "-";

    /// <inheritdoc/>
    public bool BackwardUsesInputs => false;

    /// <inheritdoc/>
    public TVector Forward<TVector>(TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => x - y;

    /// <inheritdoc/>
    public TVector LeftGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => dz;

    /// <inheritdoc/>
    public TVector RightGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => -dz;
}
