using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Normal values with mean 0, those beyond a bound drawn again.</summary>
/// <remarks>The standard deviation is that before truncation; with a bound of 2 it is 0.8796 times as large afterwards.</remarks>
public sealed class TruncatedNormalInitializer : Initializer
{
    /// <summary>Truncated normal values.</summary>
    /// <param name="standardDeviation">The standard deviation before truncation, finite and not negative.</param>
    /// <param name="bound">The largest size of a value, in standard deviations; at least 0.5, so that a third of the draws are good.</param>
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

    /// <summary>The largest size of a value, in standard deviations.</summary>
    public double Bound { get; }

    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
    {
        foreach (ref var value in values)
        {
            double draw;
            do
                draw = random.NextNormal();
            while (Math.Abs(draw) > Bound);
            value = T.CreateTruncating(draw * StandardDeviation);
        }
    }
}
