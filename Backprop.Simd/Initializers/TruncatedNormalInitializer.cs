using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Normal values with mean 0. Values beyond a bound are drawn again.</summary>
/// <remarks>The given standard deviation is the one before truncation. A bound of 2 reduces it to 0.8796 of that.</remarks>
public sealed class TruncatedNormalInitializer : Initializer
{
    /// <summary>Truncated normal values.</summary>
    /// <param name="standardDeviation">The standard deviation before truncation, finite and not negative.</param>
    /// <param name="bound">The largest absolute value, in standard deviations; at least 0.5, so that more than a third of the draws count.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="standardDeviation"/> is negative or not finite, or
    /// <paramref name="bound"/> is below 0.5.</exception>
    public TruncatedNormalInitializer(double standardDeviation, double bound = 2)
    {
        CheckStandardDeviation(standardDeviation);
        if (!(bound >= 0.5))
            throw new ArgumentOutOfRangeException(nameof(bound), bound, "'bound' must be at least 0.5.");
        (StandardDeviation, Bound) = (standardDeviation, bound);
    }

    /// <summary>The standard deviation before truncation.</summary>
    public double StandardDeviation { get; }

    /// <summary>The largest absolute value, in standard deviations.</summary>
    public double Bound { get; }

    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random) =>
        FillTruncatedNormal(values, StandardDeviation, Bound, ref random);
}
