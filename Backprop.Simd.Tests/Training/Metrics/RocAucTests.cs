using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Training;
using CsCheck;

namespace Backprop.Simd.Tests.Training.Metrics;

public class RocAucTests
{
    private static double Of(double[] outputs, int[] labels)
    {
        var metric = new RocAucMetric<double>();
        metric.Add(new(labels.Length, outputs, labels));
        return metric.Value;
    }

    [Fact]
    public void Area_of_scikit_learn()
    {
        Assert.Equal(0.75, Of([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]));
        Assert.Equal(0.75, Of([0, 0.1, 0, 0.4, 0, 0.35, 0, 0.8], [0, 0, 1, 1]));
        var dense = new RocAucMetric<float>();
        dense.Add(new(4, [0.1f, 0.4f, 0.35f, 0.8f], [0f, 0, 1, 1]));
        Assert.Equal(0.75, dense.Value);
    }

    [Fact]
    public void The_ends_and_the_middle()
    {
        Assert.Equal(1, Of([1, 2, 3], [0, 1, 1]));
        Assert.Equal(0, Of([3, 2, 1], [0, 1, 1]));
        Assert.Equal(0.5, Of([2, 2, 2], [0, 1, 1]));
        Assert.Equal(0.5, Of([0.0, -0.0], [0, 1]));
        Assert.Equal(1, Of([double.NegativeInfinity, double.PositiveInfinity], [0, 1]));
    }

    [Fact]
    public void One_class_and_NaN_give_NaN()
    {
        Assert.Equal(double.NaN, new RocAucMetric<double>().Value);
        Assert.Equal(double.NaN, Of([1, 2], [1, 1]));
        Assert.Equal(double.NaN, Of([1, 2], [0, 0]));
        Assert.Equal(double.NaN, Of([1, 2, double.NaN], [0, 1, 1]));
        Assert.Equal(1, Of([1, 2, double.NaN], [0, 1, -100]));
    }

    [Fact]
    public void Area_is_that_of_all_pairs() =>
        Gen.Select(Gen.Int[2, 400], Gen.Int[1, 500], Gen.Int).Sample((rows, different, seed) =>
        {
            var random = new Random(seed);
            double[] scores = [.. Enumerable.Range(0, rows).Select(_ => (double)random.Next(different))];
            int[] labels = [0, 1, .. Enumerable.Range(2, rows - 2).Select(_ => random.Next(2))];
            Assert.Equal(MetricReference.RocAuc(scores, labels), Of(scores, labels), 1e-12);
        }, iter: 40);

    [Fact]
    public void Value_between_batches_changes_nothing()
    {
        var metric = new RocAucMetric<double>();
        metric.Add(new(3, [5.0, 3, 1], [1, 0, 1]));
        Assert.Equal(0.5, metric.Value);
        metric.Add(new(2, [2.0, 4], [0, 1]));
        Assert.Equal(4 / 6.0, metric.Value);
        metric.Reset();
        metric.Add(new(2, [2.0, 4], [0, 1]));
        Assert.Equal(1, metric.Value);
    }

    [Fact]
    public void Two_probabilities_order_by_the_second()
    {
        double[] outputs = [1, 1e-20, 1, 1e-30];
        (bool?, bool, double)[] cases = [(true, false, 1), (true, true, 1), (null, true, 1), (null, false, 0.5), (false, true, 0.5)];
        foreach (var (probabilities, told, area) in cases)
        {
            var metric = new RocAucMetric<double>(probabilities: probabilities);
            metric.Add(new(2, outputs, [1, 0]) { GivesProbabilities = told });
            Assert.Equal(area, metric.Value);
        }

        // Logits and log-probabilities order by the difference.
        Assert.Equal(1, Of([-5, -3, 4, 5], [1, 0]));
        Assert.Equal(0, Of([-5, -3, 4, 7], [1, 0]));
    }

    [Fact]
    public void The_evaluator_tells_probabilities_from_logits()
    {
        var x = Columns.Values<double>("x", new Shape(2), new double[] { 0, -46, 0, -69, 100, 99 });
        var set = new Dataset<double>(x, Columns.Labels("labels", new[] { 1, 0, 1 }));
        foreach (var end in (Func<Node, Node>[])[n => n.Softmax(), n => n.Softmax().Reshape(1, 2).Flatten(), n => n, n => n.LogSoftmax()])
            Assert.Equal(1, new Evaluator<double>(end(GraphBuilder.Chain(2)).Build<double>(), set, [new RocAucMetric<double>()]).Run()["auc"]);

        // Logits whose second is large without a difference.
        set = new Dataset<double>(Columns.Values<double>("x", new Shape(2), new double[] { 9, 9, 0, 1 }), Columns.Labels("labels", new[] { 0, 1 }));
        Assert.Equal(1, new Evaluator<double>(GraphBuilder.Chain(2).Build<double>(), set, [new RocAucMetric<double>()]).Run()["auc"]);
    }

    [Fact]
    public void Other_widths_and_labels_are_refused()
    {
        Assert.Throws<ArgumentException>("batch", () => Of([1, 2, 3], [0]));
        Assert.Throws<ArgumentException>("labels", () => Of([1, 2], [0, 2]));
        Assert.Throws<ArgumentException>("targets", () => new RocAucMetric<float>().Add(new(1, [1f], [0.5f])));
    }
}
