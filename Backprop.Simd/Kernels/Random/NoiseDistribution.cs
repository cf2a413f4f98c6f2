namespace Backprop.Simd.Kernels;

/// <summary>The distribution of noise.</summary>
public enum NoiseDistribution
{
    /// <summary>The normal distribution: the mean is the location, the standard deviation the spread.</summary>
    Normal,

    /// <summary>Uniform from the location on, as wide as the spread.</summary>
    Uniform,

    /// <summary>The spread with the probability that the location gives, else 0.</summary>
    Bernoulli,
}
