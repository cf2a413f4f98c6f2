using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Uniform values between two numbers, independent of the fans.</summary>
public sealed class UniformInitializer : Initializer
{
    /// <summary>Uniform values low + (high - low) u, with u in [0, 1).</summary>
    /// <param name="low">The smallest value, finite.</param>
    /// <param name="high">The upper bound (reached only by rounding); finite and at least <paramref name="low"/>, with a finite difference.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is not finite, or <paramref name="high"/> is below <paramref name="low"/>.</exception>
    public UniformInitializer(double low, double high)
    {
        if (!double.IsFinite(low))
            throw new ArgumentOutOfRangeException(nameof(low), low, "'low' must be finite.");
        if (!(high >= low && double.IsFinite(high - low)))
            throw new ArgumentOutOfRangeException(nameof(high), high, $"'high' must be finite and at least 'low', {low}.");
        (Low, High) = (low, high);
    }

    /// <summary>The smallest value.</summary>
    public double Low { get; }

    /// <summary>The upper bound.</summary>
    public double High { get; }

    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
    {
        foreach (ref var value in values)
            value = T.CreateTruncating(Low + (High - Low) * random.NextDouble());
    }
}
