using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Activations;

/// <summary>The logistic function: y = 1 / (1 + e^-x).</summary>
/// <remarks>Saturates to exactly 0 and 1. dx = dy y (1 - y), from the output.</remarks>
public readonly record struct Sigmoid : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Sigmoid);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Probabilities;

    /// <inheritdoc/>
    public bool BackwardUsesInput => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => VectorMath.Sigmoid(x);

    /// <inheritdoc/>
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        outputGradient * (y * (1 - y));
}
