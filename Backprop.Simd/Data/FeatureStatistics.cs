using System.Numerics;
using System.Numerics.Tensors;

namespace Backprop.Simd.Data;

/// <summary>Mean, sum of squared deviations, minimum and maximum of each feature, row by row in double.</summary>
internal sealed class FeatureStatistics(int features)
{
    private readonly double[] _row = new double[features];

    /// <summary>How many numbers of each feature were added.</summary>
    public double Count { get; private set; }

    public double[] Mean { get; } = new double[features];

    public double[] SquaredDeviations { get; } = new double[features];

    public double[] Least { get; } = [.. Enumerable.Repeat(double.PositiveInfinity, features)];

    public double[] Most { get; } = [.. Enumerable.Repeat(double.NegativeInfinity, features)];

    /// <summary>
    /// Welford's step for all features: d = x - mean; mean += d / n; squared deviations += d^2 (n - 1) / n. A NaN makes all statistics of
    /// its feature NaN.
    /// </summary>
    public void Add<T>(ReadOnlySpan<T> row) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Count++;
        TensorPrimitives.ConvertTruncating(row, _row.AsSpan());
        TensorPrimitives.Min<double>(_row, Least, Least);
        TensorPrimitives.Max<double>(_row, Most, Most);
        TensorPrimitives.Subtract<double>(_row, Mean, _row);
        TensorPrimitives.MultiplyAdd<double>(_row, 1 / Count, Mean, Mean);
        TensorPrimitives.Multiply<double>(_row, _row, _row);
        TensorPrimitives.MultiplyAdd<double>(_row, (Count - 1) / Count, SquaredDeviations, SquaredDeviations);
    }

    /// <summary>Joins the features i, i + count, i + 2 count, ... into one.</summary>
    public FeatureStatistics Joined(int count)
    {
        if (count == Mean.Length)
            return this;
        var joined = new FeatureStatistics(count) { Count = Count * (Mean.Length / count) };
        for (var i = 0; i < Mean.Length; i++)
        {
            // Joins groups of n = k Count and of Count numbers whose means differ by d: the mean moves by d Count / (n + Count), and the squared
            // deviations grow by d^2 n Count / (n + Count); here divided by Count.
            var (j, k) = (i % count, (double)(i / count));
            var d = Mean[i] - joined.Mean[j];
            joined.Mean[j] += d / (k + 1);
            joined.SquaredDeviations[j] += SquaredDeviations[i] + d * d * Count * (k / (k + 1));
            joined.Least[j] = Math.Min(joined.Least[j], Least[i]);
            joined.Most[j] = Math.Max(joined.Most[j], Most[i]);
        }

        return joined;
    }
}
