namespace Backprop.Simd.Initializers;

/// <summary>The initializers, by name.</summary>
public static class Initialize
{
    /// <summary>Normal, sqrt(2 / fan-in): see <see cref="HeInitializer"/>.</summary>
    public static Initializer He { get; } = new HeInitializer();

    /// <summary>Uniform, sqrt(6 / (fan-in + fan-out)): see <see cref="XavierInitializer"/>.</summary>
    public static Initializer Xavier { get; } = new XavierInitializer();

    /// <summary>Uniform, sqrt(6 / fan-in): see <see cref="HeUniformInitializer"/>.</summary>
    public static Initializer HeUniform { get; } = new HeUniformInitializer();

    /// <summary>Normal, sqrt(2 / (fan-in + fan-out)): see <see cref="XavierNormalInitializer"/>.</summary>
    public static Initializer XavierNormal { get; } = new XavierNormalInitializer();

    /// <summary>Normal, sqrt(1 / fan-in), for SELU and layers without activation: see <see cref="VarianceScalingInitializer"/>.</summary>
    public static Initializer LeCun { get; } = new VarianceScalingInitializer();

    /// <summary>Uniform, sqrt(3 / fan-in): the variance of <see cref="LeCun"/>.</summary>
    public static Initializer LeCunUniform { get; } = new VarianceScalingInitializer(distribution: ScalingDistribution.Uniform);

    /// <summary>Filters that pass on their channels: see <see cref="DiracInitializer"/>.</summary>
    public static Initializer Dirac { get; } = new DiracInitializer();

    /// <summary>Zeros.</summary>
    public static Initializer Zeros { get; } = new ZerosInitializer();

    /// <summary>Mean 0 and standard deviation gain / sqrt(fan): He, Xavier and LeCun in general. See <see cref="VarianceScalingInitializer"/>.</summary>
    /// <param name="gain">The standard deviation at a fan of 1, finite and not negative; <see cref="Initializers.Gain"/> has those of
    /// activations.</param>
    /// <param name="mode">Which fan divides the variance.</param>
    /// <param name="distribution">How the values are drawn.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gain"/> is negative or not finite, or
    /// <paramref name="mode"/> or <paramref name="distribution"/> has no meaning.</exception>
    public static Initializer VarianceScaling(
        double gain = 1, FanMode mode = FanMode.FanIn, ScalingDistribution distribution = ScalingDistribution.Normal) =>
        new VarianceScalingInitializer(gain, mode, distribution);

    /// <summary>Normal values with mean 0.</summary>
    /// <param name="standardDeviation">The standard deviation, finite and not negative.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="standardDeviation"/> is negative or not finite.</exception>
    public static Initializer Normal(double standardDeviation) => new NormalInitializer(standardDeviation);

    /// <summary>Uniform values in [low, high).</summary>
    /// <param name="low">The smallest value, finite.</param>
    /// <param name="high">The upper bound (reached only by rounding); finite and at least <paramref name="low"/>.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is not finite, or <paramref name="high"/> is below <paramref name="low"/>.</exception>
    public static Initializer Uniform(double low, double high) => new UniformInitializer(low, high);

    /// <summary>Normal values with mean 0. Values beyond a bound are drawn again.</summary>
    /// <param name="standardDeviation">The standard deviation before truncation, finite and not negative.</param>
    /// <param name="bound">The largest absolute value, in standard deviations; at least 0.5.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public static Initializer TruncatedNormal(double standardDeviation, double bound = 2) => new TruncatedNormalInitializer(standardDeviation, bound);

    /// <summary>Orthogonal columns, or rows if there are fewer: see <see cref="OrthogonalInitializer"/>.</summary>
    /// <param name="gain">Their length, finite and not negative.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gain"/> is negative or not finite.</exception>
    public static Initializer Orthogonal(double gain = 1) => new OrthogonalInitializer(gain);

    /// <summary>One value on the main diagonal of a matrix, zeros elsewhere: see <see cref="IdentityInitializer"/>.</summary>
    /// <param name="gain">The value on the diagonal, finite and not negative.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="gain"/> is negative or not finite.</exception>
    public static Initializer Identity(double gain = 1) => new IdentityInitializer(gain);

    /// <summary>Zeros at random places of each column, normal values elsewhere: see <see cref="SparseInitializer"/>.</summary>
    /// <param name="sparsity">The part of each column that is zero, 0 to 1.</param>
    /// <param name="standardDeviation">The standard deviation of the other values, finite and not negative.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public static Initializer Sparse(double sparsity, double standardDeviation = 0.01) => new SparseInitializer(sparsity, standardDeviation);

    /// <summary>Given values.</summary>
    /// <param name="values">The values in row-major order, as many as the parameter has elements.</param>
    /// <returns>The initializer.</returns>
    public static Initializer FromValues(params ReadOnlySpan<double> values) => new ValuesInitializer(values);

    /// <summary>One value everywhere.</summary>
    /// <param name="value">The value.</param>
    /// <returns>The initializer.</returns>
    public static Initializer Constant(double value) => new ConstantInitializer(value);
}
