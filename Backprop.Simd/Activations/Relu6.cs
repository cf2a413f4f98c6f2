using System.Runtime.CompilerServices;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Activations;

/// <summary>The rectifier that ends at 6: y = x, at least 0 and at most 6.</summary>
/// <remarks>Howard et al., arXiv:1704.04861. dx = dy where 0 &lt; x &lt; 6, else 0, as PyTorch's; NaN gives NaN, and dx = dy there.</remarks>
public readonly record struct Relu6 : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Relu6);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <inheritdoc/>
    public static bool IsShort => true;

    /// <summary>He, as for the rectifier.</summary>
    public Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => TVector.Min(6, TVector.Max(0, x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(outputGradient, (x <= 0) | (x >= 6));
}
