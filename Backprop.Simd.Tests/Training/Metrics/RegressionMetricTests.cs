using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Training;

namespace Backprop.Simd.Tests.Training.Metrics;

public class RegressionMetricTests
{
    private static double Of(Metric<double> metric, int rows, double[] outputs, double[] targets)
    {
        metric.Add(new(rows, outputs, targets));
        return metric.Value;
    }

    // scikit-learn's examples of mean_absolute_error, mean_squared_error and r2_score.
    [Fact]
    public void Errors_of_scikit_learn()
    {
        double[] targets = [3, -0.5, 2, 7], outputs = [2.5, 0, 2, 8];
        Assert.Equal(0.5, Of(new MeanAbsoluteErrorMetric<double>(), 4, outputs, targets));
        Assert.Equal(0.375, Of(new MeanSquaredErrorMetric<double>(), 4, outputs, targets));
        Assert.Equal(Math.Sqrt(0.375), Of(new RootMeanSquaredErrorMetric<double>(), 4, outputs, targets));
        Assert.Equal(1 - 1.5 / 29.1875, Of(new RSquaredMetric<double>(), 4, outputs, targets), 1e-15);
        Assert.Equal(0.9368005266622779, Of(new RSquaredMetric<double>(), 3, [0, 2, -1, 2, 8, -5], [0.5, 1, -1, 1, 7, -6]), 1e-15);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1e6)]
    [InlineData(-1e9)]
    public void R2_of_targets_with_an_offset_does_not_cancel(double offset)
    {
        var random = new Random(7);
        var targets = Enumerable.Range(0, 500).Select(_ => new[] { offset + random.NextDouble(), random.NextDouble() - 3 }).ToArray();
        var outputs = targets.Select(t => new[] { t[0] + 0.1 * random.NextDouble(), t[1] - 0.3 * random.NextDouble() }).ToArray();
        var actual = Of(new RSquaredMetric<double>(), 500, [.. outputs.SelectMany(o => o)], [.. targets.SelectMany(t => t)]);
        Assert.Equal(MetricReference.RSquared(outputs, targets), actual, 1e-6);
    }

    [Fact]
    public void R2_at_its_edges()
    {
        Assert.Equal(double.NaN, new RSquaredMetric<double>().Value);
        Assert.Equal(double.NaN, Of(new RSquaredMetric<double>(), 1, [1], [1]));
        Assert.Equal(1, Of(new RSquaredMetric<double>(), 3, [0.1, 0.1, 0.1], [0.1, 0.1, 0.1]));
        Assert.Equal(0, Of(new RSquaredMetric<double>(), 3, [0.1, 0.1, 0.2], [0.1, 0.1, 0.1]));
        Assert.Equal(0, Of(new RSquaredMetric<double>(), 2, [2, 2], [1, 3]));
        Assert.Equal(-3, Of(new RSquaredMetric<double>(), 2, [3, 1], [1, 3]));
    }

    [Fact]
    public void NaN_passes()
    {
        foreach (var metric in (Metric<double>[])[new MeanAbsoluteErrorMetric<double>(), new MeanSquaredErrorMetric<double>(),
            new RootMeanSquaredErrorMetric<double>(), new RSquaredMetric<double>()])
        {
            Assert.Equal(double.NaN, metric.Value);
            Assert.Equal(double.NaN, Of(metric, 3, [1, double.NaN, 2], [1, 1, 1]));
            metric.Reset();
            Assert.Equal(double.NaN, Of(metric, 3, [1, 1, 2], [1, double.NaN, 1]));
            metric.Reset();
            Assert.False(double.IsNaN(Of(metric, 3, [1, 1, 2], [1, 1, 1])));
            Assert.Equal(metric is RSquaredMetric<double>, metric.LargerIsBetter);
        }
    }

    [Fact]
    public void What_does_not_fit_is_refused_and_nothing_added()
    {
        foreach (var metric in (Metric<double>[])[new MeanAbsoluteErrorMetric<double>(), new MeanSquaredErrorMetric<double>(),
            new RootMeanSquaredErrorMetric<double>(), new RSquaredMetric<double>()])
        {
            var before = Of(metric, 2, [1, 3, 2, 4], [0, 1, 2, 3]);
            Assert.Throws<ArgumentException>("batch", () => metric.Add(new(2, [1.0, 2], [0, 0])));
            Assert.Throws<ArgumentException>("batch", () => metric.Add(new(2, [1.0, 2, 3, 4], [0.0, 1])));
            Assert.Equal(before, metric.Value);
        }
    }

    [Fact]
    public void R2_takes_another_width_only_after_a_reset()
    {
        var metric = new RSquaredMetric<double>();
        Of(metric, 2, [1, 2], [1, 2]);
        Assert.Throws<ArgumentException>("batch", () => metric.Add(new(1, [1.0, 2], [1.0, 2])));
        metric.Reset();
        Assert.Equal(1, Of(metric, 2, [1, 2, 3, 4], [1, 2, 3, 4]));
    }
}
