using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Activations;

/// <summary>The scaled exponential linear unit: y = s x where x &gt; 0, else s alpha (e^x - 1).</summary>
/// <remarks>Klambauer et al., arXiv:1706.02515, equation 2, with alpha = 1.6732632423543772 and s = 1.0507009873554805, for
/// which mean 0 and variance 1 are a fixed point. dx = s dy where x &gt; 0 or x is NaN, else dy (y + s alpha), from the output:
/// at 0 the derivative is s alpha. The fixed point needs weights of variance 1 / fan-in. Xavier has this variance where
/// a layer is as wide as the layer before.</remarks>
public readonly record struct Selu : IActivation
{
    private const double Scale = 1.0507009873554804934193349852946;

    private const double ScaledAlpha = Scale * 1.6732632423543772848170429916717;

    /// <inheritdoc/>
    public string Name => nameof(Selu);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var lower = VectorMath.ExpMinusOne(TVector.Min(0, x)) * ScaledAlpha;
        return TVector.Select(x <= 0, lower, x * Scale);
    }

    /// <inheritdoc/>
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        outputGradient * TVector.Select(y <= 0, y + ScaledAlpha, TVector.Create(Scale));
}
