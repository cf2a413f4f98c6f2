using System.Runtime.CompilerServices;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Activations;

/// <summary>The tanh form of the Gaussian error linear unit: y = x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))).</summary>
/// <remarks>Hendrycks and Gimpel, arXiv:1606.08415, section 2. It differs from <see cref="Gelu"/> by up to 5e-4 and
/// has its own derivative. y and dx are 0 at -infinity.</remarks>
public readonly record struct GeluTanh : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(GeluTanh);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <summary>He: large negative inputs give 0, as with the rectifier.</summary>
    public Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => VectorMath.GeluTanh(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        outputGradient * VectorMath.GeluTanhSlope(x);
}
