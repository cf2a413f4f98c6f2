using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Values with mean 0 and standard deviation gain / sqrt(fan).</summary>
/// <remarks>
/// <para>PyTorch's kaiming_* have a gain and a mode; its xavier_* have a gain and <see cref="FanMode.Average"/>. Keras's VarianceScaling
/// takes the square of the gain. <see cref="Initializers.Gain"/> has the gains of activations.</para>
/// <para>He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015, section 2.2; Glorot and Bengio, "Understanding the difficulty of
/// training deep feedforward neural networks", AISTATS 2010, section 4.2.1; LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998,
/// section 4.6.</para>
/// </remarks>
public sealed class VarianceScalingInitializer : Initializer
{
    /// <summary>How many standard deviations a truncated value may have before truncation.</summary>
    private const double Bound = 2;

    /// <summary>The standard deviation of a standard normal number within 2 of 0: sqrt(1 - 4 phi(2) / (2 Phi(2) - 1)).</summary>
    private const double Truncated = 0.87962566103423978;

    /// <summary>Creates the rule.</summary>
    /// <param name="gain">The standard deviation at a fan of 1, finite and not negative.</param>
    /// <param name="mode">Which fan divides the variance.</param>
    /// <param name="distribution">How the values are drawn.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gain"/> is negative or not finite, or
    /// <paramref name="mode"/> or <paramref name="distribution"/> has no meaning.</exception>
    public VarianceScalingInitializer(
        double gain = 1, FanMode mode = FanMode.FanIn, ScalingDistribution distribution = ScalingDistribution.Normal)
    {
        CheckGain(gain);
        if (mode is not (FanMode.FanIn or FanMode.FanOut or FanMode.Average))
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "'mode' must be FanIn, FanOut or Average.");
        if (distribution is not (ScalingDistribution.Normal or ScalingDistribution.Uniform or ScalingDistribution.TruncatedNormal))
            throw new ArgumentOutOfRangeException(nameof(distribution), distribution, "'distribution' must be Normal, Uniform or TruncatedNormal.");
        (Gain, Mode, Distribution) = (gain, mode, distribution);
    }

    /// <summary>The standard deviation at a fan of 1.</summary>
    public double Gain { get; }

    /// <summary>Which fan divides the variance.</summary>
    public FanMode Mode { get; }

    /// <summary>How the values are drawn.</summary>
    public ScalingDistribution Distribution { get; }

    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
    {
        if (Mode != FanMode.FanOut)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fanIn);
        if (Mode != FanMode.FanIn)
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fanOut);
        var fan = Mode switch
        {
            FanMode.FanIn => fanIn,
            FanMode.FanOut => fanOut,
            _ => ((double)fanIn + fanOut) / 2,
        };
        switch (Distribution)
        {
            case ScalingDistribution.Uniform:
                FillUniform(values, Gain * Math.Sqrt(3 / fan), ref random);
                break;
            case ScalingDistribution.TruncatedNormal:
                FillTruncatedNormal(values, Gain / Math.Sqrt(fan) / Truncated, Bound, ref random);
                break;
            default:
                FillNormal(values, Gain / Math.Sqrt(fan), ref random);
                break;
        }
    }
}
