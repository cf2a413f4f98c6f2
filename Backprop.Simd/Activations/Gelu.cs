using System.Runtime.CompilerServices;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Activations;

/// <summary>The Gaussian error linear unit: y = x Phi(x) = x (1 + erf(x / sqrt(2))) / 2.</summary>
/// <remarks>Hendrycks and Gimpel, arXiv:1606.08415, section 2. dx = dy (Phi(x) + x phi(x)), relatively accurate in the
/// negative tail; y and dx are 0 at -infinity. <see cref="GeluTanh"/> is a slightly different function.</remarks>
public readonly record struct Gelu : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Gelu);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <summary>He initialization: large negative inputs give 0, as with the rectifier.</summary>
    public Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => VectorMath.Gelu(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        outputGradient * VectorMath.GeluSlope(x);
}
