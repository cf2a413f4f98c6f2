using System.Runtime.CompilerServices;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Activations;

/// <summary>The sigmoid linear unit, also called swish: y = x / (1 + e^-x).</summary>
/// <remarks>Elfwing, Uchibe and Doya, arXiv:1702.03118, equation 4. dx = dy s (1 + x (1 - s)) with s = 1 / (1 + e^-x), relatively
/// accurate in the negative tail; y and dx are 0 at -infinity.</remarks>
public readonly record struct Silu : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Silu);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <summary>He: large negative inputs give 0, as with the rectifier.</summary>
    public Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => VectorMath.Silu(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        outputGradient * VectorMath.SiluSlope(x);
}
