using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>
/// z = x^y, as C99's pow: see <see cref="VectorMath.Pow{TVector}"/>. dx = dz y x^(y - 1), 0 where y = 0; dy = dz z ln x, 0 where x = 0
/// and y is not negative, and NaN where x is negative; as in PyTorch.
/// </summary>
public readonly struct Power : IBinaryFunction
{
    /// <inheritdoc/>
    public string Name => "power";

    /// <inheritdoc/>
    public string Symbol => "^";

    /// <inheritdoc/>
    public bool BackwardUsesInputs => true;

    /// <inheritdoc/>
    public TVector Forward<TVector>(TVector x, TVector y) where TVector : struct, ISimdVector<TVector> => VectorMath.Pow(x, y);

    /// <inheritdoc/>
    public TVector LeftGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(dz * (y * VectorMath.Pow(x, y - 1)), TVector.Equal(y, TVector.Zero));

    /// <inheritdoc/>
    public TVector RightGradient<TVector>(TVector dz, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(dz * (VectorMath.Pow(x, y) * VectorMath.Log(x)), TVector.Equal(x, TVector.Zero) & (y >= 0));
}
