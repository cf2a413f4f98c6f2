using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Activations;

/// <summary>The rectifier: y = x where x &gt; 0, else 0.</summary>
/// <remarks>ReLU(NaN) = NaN, ReLU(-0.0) = +0. The derivative at 0 is 0: dx = dy where x &gt; 0 or x is NaN, else exactly 0,
/// whatever dy is.</remarks>
public readonly record struct Relu : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Relu);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => false;

    /// <inheritdoc/>
    public static bool IsShort => true;

    /// <summary>He initialization: half of the outputs are 0.</summary>
    public Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(x, x <= 0);

    /// <inheritdoc/>
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(outputGradient, y <= 0);
}
