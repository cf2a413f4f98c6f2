using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>z = x * y, element by element. The gradient swaps the inputs: dx = dz y, dy = dz x.</summary>
public readonly struct Multiply : IBinaryFunction
{
    /// <inheritdoc/>
    public string Name => "multiply";

    /// <inheritdoc/>
    public string Symbol => "*";

    /// <inheritdoc/>
    public bool BackwardUsesInputs => true;

    /// <inheritdoc/>
    public TVector Forward<TVector>(TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => x * y;

    /// <inheritdoc/>
    public TVector LeftGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => dz * y;

    /// <inheritdoc/>
    public TVector RightGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => dz * x;
}
