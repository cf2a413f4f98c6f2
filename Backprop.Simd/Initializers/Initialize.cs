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

    /// <summary>Zeros.</summary>
    public static Initializer Zeros { get; } = new ZerosInitializer();

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

    /// <summary>Given values.</summary>
    /// <param name="values">The values in row-major order, as many as the parameter has elements.</param>
    /// <returns>The initializer.</returns>
    public static Initializer FromValues(params ReadOnlySpan<double> values) => new ValuesInitializer(values);

    /// <summary>One value everywhere.</summary>
    /// <param name="value">The value.</param>
    /// <returns>The initializer.</returns>
    public static Initializer Constant(double value) => new ConstantInitializer(value);
}
