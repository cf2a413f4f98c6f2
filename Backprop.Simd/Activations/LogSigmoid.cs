using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Activations;

/// <summary>The logarithm of the logistic function: y = -ln(1 + e^-x), without overflow.</summary>
/// <remarks>dx = dy / (1 + e^x), relatively accurate for large x too.</remarks>
public readonly record struct LogSigmoid : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(LogSigmoid);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => -VectorMath.Softplus(-x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        outputGradient * VectorMath.Sigmoid(-x);
}
