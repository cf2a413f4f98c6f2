using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Activations;

/// <summary>The hyperbolic tangent.</summary>
/// <remarks>Saturates to exactly -1 and 1. dx = dy (1 - y^2), from the output, as (1 - y) (1 + y), which does not cancel.</remarks>
public readonly record struct Tanh : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Tanh);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => VectorMath.Tanh(x);

    /// <inheritdoc/>
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        outputGradient * ((1 - y) * (1 + y));
}
