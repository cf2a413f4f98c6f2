using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>
/// z = min(x, y), element by element; NaN if either is NaN. The smaller input gets the gradient. If both are equal, each gets a half;
/// if one is NaN, both get all of it, as in PyTorch.
/// </summary>
public readonly struct Minimum : IBinaryFunction
{
    /// <inheritdoc/>
    public string Name => "minimum";

    /// <inheritdoc/>
    public string Symbol => "min";

    /// <inheritdoc/>
    public bool BackwardUsesInputs => true;

    /// <inheritdoc/>
    public TVector Forward<TVector>(TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => TVector.Select((x <= y) | TVector.IsNaN(x), x, y);

    /// <inheritdoc/>
    public TVector LeftGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(TVector.Select(TVector.Equal(x, y), dz * 0.5, dz), x > y);

    /// <inheritdoc/>
    public TVector RightGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(TVector.Select(TVector.Equal(x, y), dz * 0.5, dz), x < y);
}
