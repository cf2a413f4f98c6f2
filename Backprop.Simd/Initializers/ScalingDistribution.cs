namespace Backprop.Simd.Initializers;

/// <summary>The distribution of <see cref="VarianceScalingInitializer"/>. All have mean 0 and the same variance.</summary>
public enum ScalingDistribution
{
    /// <summary>Normal.</summary>
    Normal,

    /// <summary>Uniform in [-a, a), where a is sqrt(3) times the standard deviation.</summary>
    Uniform,

    /// <summary>Normal before truncation. Values beyond 2 standard deviations are drawn again.</summary>
    TruncatedNormal,
}
