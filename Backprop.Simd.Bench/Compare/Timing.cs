namespace Backprop.Simd.Bench;

/// <summary>Nanoseconds per call over the rounds of a run.</summary>
internal sealed class Timing(params IEnumerable<double> samples)
{
    private readonly List<double> _samples = [.. samples];

    public IReadOnlyList<double> Samples => _samples;

    public int Count => _samples.Count;

    public double Best => _samples.Count == 0 ? double.NaN : _samples.Min();

    public double Median => _samples.Count == 0 ? double.NaN : Statistics.Median(_samples);

    public void Add(double nanoseconds) => _samples.Add(nanoseconds);
}

/// <summary>Statistics of a report.</summary>
internal static class Statistics
{
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[sorted.Length / 2 - 1] + sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>exp of the mean of logarithms; NaN of nothing.</summary>
    public static double GeometricMean(IEnumerable<double> values)
    {
        var (sum, count) = (0.0, 0);
        foreach (var value in values)
        {
            sum += Math.Log(value);
            count++;
        }

        return count == 0 ? double.NaN : Math.Exp(sum / count);
    }
}
