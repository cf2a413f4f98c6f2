namespace Backprop.Simd.Initializers;

/// <summary>The initializers, by name.</summary>
public static class Initialize
{
    /// <summary>Normal, sqrt(2 / fan-in): see <see cref="HeInitializer"/>.</summary>
    public static Initializer He { get; } = new HeInitializer();

    /// <summary>Uniform, sqrt(6 / (fan-in + fan-out)): see <see cref="XavierInitializer"/>.</summary>
    public static Initializer Xavier { get; } = new XavierInitializer();

    /// <summary>Zeros.</summary>
    public static Initializer Zeros { get; } = new ZerosInitializer();

    /// <summary>Normal values with mean 0.</summary>
    /// <param name="standardDeviation">The standard deviation, finite and not negative.</param>
    /// <returns>The initializer.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="standardDeviation"/> is negative or not finite.</exception>
    public static Initializer Normal(double standardDeviation) => new NormalInitializer(standardDeviation);

    /// <summary>One value everywhere.</summary>
    /// <param name="value">The value.</param>
    /// <returns>The initializer.</returns>
    public static Initializer Constant(double value) => new ConstantInitializer(value);
}
