using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Activations;

/// <summary>The leaky rectifier: y = x where x &gt; 0, else slope x.</summary>
/// <remarks>LeakyReLU(NaN) = NaN. The derivative at 0 is the slope: dx = dy where x &gt; 0 or x is NaN, else slope dy. With a
/// positive slope the output has the sign of the input, and the backward pass reads the output only.</remarks>
public readonly record struct LeakyRelu : IActivation
{
    /// <summary>A leaky rectifier with slope 0.01.</summary>
    public LeakyRelu() : this(0.01) { }

    /// <summary>A leaky rectifier.</summary>
    /// <param name="negativeSlope">The slope below 0: 0, or 1e-30 to 1e30 in size.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="negativeSlope"/> is out of range.</exception>
    public LeakyRelu(double negativeSlope)
    {
        SpanGuard.InFloatRange(negativeSlope);
        NegativeSlope = negativeSlope;
    }

    /// <summary>The slope below 0.</summary>
    public double NegativeSlope { get; }

    /// <inheritdoc/>
    public string Name => nameof(LeakyRelu);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => !(NegativeSlope > 0);

    /// <inheritdoc/>
    public static bool IsShort => true;

    /// <summary>He, as for the rectifier.</summary>
    public Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> =>
        TVector.Select(x <= 0, x * NegativeSlope, x);

    /// <inheritdoc/>
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.Select(
            x <= 0, outputGradient * NegativeSlope, outputGradient);
}
