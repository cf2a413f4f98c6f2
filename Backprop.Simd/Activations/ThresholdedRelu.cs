using System.Runtime.CompilerServices;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Activations;

/// <summary>y = x where x &gt; theta, else 0.</summary>
/// <remarks>Konda, Memisevic and Krueger, arXiv:1402.3337. dx = dy where x &gt; theta or x is NaN, else 0: at theta it is 0, as in
/// PyTorch's threshold. A default value has theta 0.</remarks>
public readonly record struct ThresholdedRelu : IActivation
{
    /// <summary>With theta 1, as ONNX and Keras have it.</summary>
    public ThresholdedRelu() : this(1) { }

    /// <summary>With another threshold.</summary>
    /// <param name="theta">Up to here y is 0: 0, or 1e-30 to 1e30 in size.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="theta"/> is out of range.</exception>
    public ThresholdedRelu(double theta)
    {
        SpanGuard.InFloatRange(theta);
        Theta = theta;
    }

    /// <summary>Up to here y is 0.</summary>
    public double Theta { get; }

    /// <inheritdoc/>
    public string Name => nameof(ThresholdedRelu);

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
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => TVector.AndNot(x, x <= Theta);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(outputGradient, x <= Theta);
}
