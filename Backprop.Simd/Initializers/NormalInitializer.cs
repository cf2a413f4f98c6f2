using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Normal values with mean 0 and a given standard deviation, independent of the fans.</summary>
public sealed class NormalInitializer : Initializer
{
    /// <summary>Normal values.</summary>
    /// <param name="standardDeviation">The standard deviation, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="standardDeviation"/> is negative or not finite.</exception>
    public NormalInitializer(double standardDeviation)
    {
        CheckStandardDeviation(standardDeviation);
        StandardDeviation = standardDeviation;
    }

    /// <summary>The standard deviation.</summary>
    public double StandardDeviation { get; }

    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random) =>
        FillNormal(values, StandardDeviation, ref random);
}
