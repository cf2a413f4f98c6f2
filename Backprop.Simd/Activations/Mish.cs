using System.Runtime.CompilerServices;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Activations;

/// <summary>Mish: y = x tanh(ln(1 + e^x)).</summary>
/// <remarks>Misra, arXiv:1908.08681, section 2. dx = dy (t + x (1 - t^2) s) with t = tanh(ln(1 + e^x)), s = 1 / (1 + e^-x), both
/// relatively accurate in the negative tail; y and dx are 0 at -infinity.</remarks>
public readonly record struct Mish : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Mish);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <summary>He: large negative inputs give 0, as with the rectifier.</summary>
    public Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => VectorMath.Mish(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        outputGradient * VectorMath.MishSlope(x);
}
