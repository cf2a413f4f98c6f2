using System.Numerics;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Training;
using CsCheck;

namespace Backprop.Simd.Tests.Training.Metrics;

public class ClassificationMetricTests
{
    // scikit-learn's example of top_k_accuracy_score.
    private static readonly double[] Scores = [0.5, 0.2, 0.2, 0.3, 0.4, 0.2, 0.2, 0.4, 0.3, 0.7, 0.2, 0.1];
    private static readonly int[] Labels = [0, 1, 2, 2];

    private static double Of<T>(Metric<T> metric, int rows, T[] outputs, int[] labels) where T : unmanaged, IFloatingPointIeee754<T>
    {
        metric.Add(new MetricBatch<T>(rows, outputs, labels));
        return metric.Value;
    }

    private static double[] OneHot(int[] predicted, int classes) =>
        [.. predicted.SelectMany(p => Enumerable.Range(0, classes).Select(c => c == p ? 1.0 : 0))];

    [Theory]
    [InlineData(1, 0.5)]
    [InlineData(2, 0.75)]
    [InlineData(3, 1)]
    public void Top_k_of_scikit_learn(int k, double expected)
    {
        Assert.Equal(expected, Of(new TopKAccuracyMetric<double>(k), 4, Scores, Labels));
        Assert.Equal(expected, Of(new TopKAccuracyMetric<float>(k), 4, [.. Scores.Select(s => (float)s)], Labels));
    }

    [Fact]
    public void Accuracy_counts_the_rows_whose_largest_output_is_the_label()
    {
        Assert.Equal(0.5, Of(new AccuracyMetric<double>(), 4, Scores, Labels));
        Assert.Equal(0.5, Of(new AccuracyMetric<float>(), 4, [.. Scores.Select(s => (float)s)], Labels));
    }

    [Fact]
    public void Classes_agree_with_the_reference_for_any_outputs_ties_and_NaN_included() =>
        Gen.Select(Gen.Int[1, 20], Gen.Int[2, 40], Gen.ULong).Sample((rows, classes, seed) =>
        {
            var random = new Random((int)(seed & int.MaxValue));
            var outputs = Enumerable.Range(0, rows).Select(_ => Enumerable.Range(0, classes).Select(_ => Number(random)).ToArray()).ToArray();
            var labels = Enumerable.Range(0, rows).Select(_ => random.Next(classes)).ToArray();
            var flat = outputs.SelectMany(o => o).ToArray();
            var singles = flat.Select(o => (float)o).ToArray();
            Assert.Equal(MetricReference.TopK(outputs, labels, 1), Of(new AccuracyMetric<double>(), rows, flat, labels), 1e-12);
            Assert.Equal(MetricReference.TopK(outputs, labels, 1), Of(new AccuracyMetric<float>(), rows, singles, labels), 1e-12);
            Assert.Equal(MetricReference.TopK(outputs, labels, 1), Of(new ConfusionMatrix<float>(classes), rows, singles, labels), 1e-12);
            var k = 1 + random.Next(classes);
            Assert.Equal(MetricReference.TopK(outputs, labels, k), Of(new TopKAccuracyMetric<double>(k), rows, flat, labels), 1e-12);
            var (precision, recall, f1) = MetricReference.Macro(outputs, labels, classes);
            Assert.Equal(precision, Of(new PrecisionMetric<double>(classes), rows, flat, labels), 1e-12);
            Assert.Equal(recall, Of(new RecallMetric<double>(classes), rows, flat, labels), 1e-12);
            Assert.Equal(f1, Of(new F1ScoreMetric<double>(classes), rows, flat, labels), 1e-12);
        });

    // Few different numbers, so that many are equal.
    private static double Number(Random random) =>
        random.Next(60) switch { 0 => double.NaN, 1 => double.PositiveInfinity, 2 => double.NegativeInfinity, var n => n % 5 };

    [Fact]
    public void Equal_outputs_the_first_wins()
    {
        Assert.Equal(1, Of(new AccuracyMetric<float>(), 1, [1, 1, 1], [0]));
        Assert.Equal(0, Of(new AccuracyMetric<float>(), 1, [1, 1, 1], [1]));
        Assert.Equal(1, Of(new TopKAccuracyMetric<float>(2), 1, [1, 1, 1], [1]));
        Assert.Equal(1, Of(new AccuracyMetric<float>(), 1, [float.NegativeInfinity, float.NegativeInfinity], [0]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void A_row_with_NaN_is_wrong_wherever_it_stands(int place)
    {
        float[] outputs = [3, 2, 1];
        outputs[place] = float.NaN;
        for (var label = 0; label < 3; label++)
        {
            Assert.Equal(0, Of(new AccuracyMetric<float>(), 1, outputs, [label]));
            Assert.Equal(0, Of(new TopKAccuracyMetric<float>(3), 1, outputs, [label]));
            var matrix = new ConfusionMatrix<float>(3);
            Assert.Equal(0, Of(matrix, 1, outputs, [label]));
            Assert.Equal((1, 1, 1), (matrix.Count, matrix.Support(label), matrix.Unpredicted(label)));
            Assert.Equal((0.0, 0.0), (matrix.MacroF1, matrix.MicroPrecision));
        }
    }

    [Fact]
    public void Positions_have_labels_of_their_own_and_some_are_ignored()
    {
        // Two rows of [3, 2].
        float[] outputs = [1, 0, 0, 1, 0, 1, /**/ 0, 1, 1, 0, 1, 0];
        int[] labels = [0, 1, 0, /**/ -1, -1, 1];
        Assert.Equal(2 / 4.0, Of(new AccuracyMetric<float>(ignoreIndex: -1), 2, outputs, labels));
        var matrix = new ConfusionMatrix<float>(2, ignoreIndex: -1);
        Assert.Equal(0.5, Of(matrix, 2, outputs, labels));
        Assert.Equal((1, 1, 1, 1), (matrix[0, 0], matrix[0, 1], matrix[1, 0], matrix[1, 1]));
        Assert.Equal(double.NaN, Of(new AccuracyMetric<float>(ignoreIndex: 3), 1, [1, 2], [3]));
    }

    [Fact]
    public void Binary_outputs_are_held_against_a_threshold()
    {
        float[] logits = [-1, 0, 0.25f, 2, float.NaN, float.PositiveInfinity], targets = [0, 0, 1, 0, 1, 1];
        var accuracy = new AccuracyMetric<float>();
        accuracy.Add(new(6, logits, targets));
        Assert.Equal(4 / 6.0, accuracy.Value);
        Assert.Equal(4 / 6.0, Of(new AccuracyMetric<float>(), 6, logits, [0, 0, 1, 0, 1, 1]));
        Assert.Equal(3 / 6.0, Of(new AccuracyMetric<float>(threshold: 0.5), 6, logits, [0, 0, 1, 0, 1, 1]));
        var matrix = new ConfusionMatrix<float>(2);
        matrix.Add(new(6, logits, targets));
        Assert.Equal((2, 1, 0, 2, 1), (matrix[0, 0], matrix[0, 1], matrix[1, 0], matrix[1, 1], matrix.Unpredicted(1)));
        Assert.Equal(2 / 3.0, matrix.Precision(1));
        Assert.Equal(2 / 3.0, Of(new RecallMetric<float>(2, ofClass: 1), 6, logits, [0, 0, 1, 0, 1, 1]));
    }

    [Fact]
    public void Wide_dense_targets_are_one_hot()
    {
        var accuracy = new AccuracyMetric<double>();
        accuracy.Add(new(4, Scores, OneHot(Labels, 3)));
        Assert.Equal(0.5, accuracy.Value);
        foreach (var row in (double[][])[[0, 0, 0], [1, 1, 0], [0.5, 0.5, 0], [double.NaN, 1, 0]])
        {
            var error = Assert.Throws<ArgumentException>("targets", () => accuracy.Add(new(2, [1, 0, 0, 1, 0, 0], [1.0, 0, 0, .. row])));
            Assert.Contains("row 1", error.Message, StringComparison.Ordinal);
        }

        Assert.Equal(0.5, accuracy.Value);
    }

    // scikit-learn's example of confusion_matrix.
    [Fact]
    public void Confusion_matrix_of_scikit_learn()
    {
        var matrix = new ConfusionMatrix<double>(3);
        Assert.Equal(4 / 6.0, Of(matrix, 6, OneHot([0, 0, 2, 2, 0, 2], 3), [2, 0, 2, 2, 0, 1]));
        Assert.Equal([2, 0, 0, 0, 0, 1, 1, 0, 2],
            from actual in Enumerable.Range(0, 3) from predicted in Enumerable.Range(0, 3) select matrix[actual, predicted]);
        Assert.Equal([2, 1, 3], Enumerable.Range(0, 3).Select(matrix.Support));
        Assert.Equal([3, 0, 3], Enumerable.Range(0, 3).Select(matrix.Predicted));
        Assert.Equal([2 / 3.0, 0, 2 / 3.0], Enumerable.Range(0, 3).Select(matrix.Precision));
        Assert.Equal([1, 0, 2 / 3.0], Enumerable.Range(0, 3).Select(matrix.Recall));
        Assert.Equal([0.8, 0, 2 / 3.0], Enumerable.Range(0, 3).Select(matrix.F1));
        Assert.Equal((0.8 + 2 / 3.0) / 3, matrix.MacroF1, 1e-15);
        Assert.Equal(4 / 6.0, matrix.MicroF1);
        Assert.Equal("actual   0   1   2\n     0   2   0   0\n     1   0   0   1\n     2   1   0   2", matrix.ToString());
    }

    // scikit-learn's example of precision_score, recall_score and f1_score.
    [Fact]
    public void Averages_of_scikit_learn()
    {
        var (outputs, labels) = (OneHot([0, 2, 1, 0, 0, 1], 3), (int[])[0, 1, 2, 0, 1, 2]);
        Assert.Equal(2 / 9.0, Of(new PrecisionMetric<double>(3), 6, outputs, labels), 1e-15);
        Assert.Equal(1 / 3.0, Of(new RecallMetric<double>(3), 6, outputs, labels), 1e-15);
        Assert.Equal(0.8 / 3, Of(new F1ScoreMetric<double>(3), 6, outputs, labels), 1e-15);
        Assert.Equal(2 / 3.0, Of(new PrecisionMetric<double>(3, ofClass: 0), 6, outputs, labels));
        Assert.Equal(0.8, Of(new F1ScoreMetric<double>(3, ofClass: 0), 6, outputs, labels));
    }

    [Fact]
    public void A_class_that_never_comes_takes_no_part_in_averages()
    {
        var matrix = new ConfusionMatrix<double>(4);
        Of(matrix, 2, OneHot([0, 1], 4), [0, 1]);
        Assert.Equal((1, 1, 1), (matrix.MacroPrecision, matrix.MacroRecall, matrix.MacroF1));
        Assert.Equal((double.NaN, double.NaN, double.NaN), (matrix.Precision(3), matrix.Recall(3), matrix.F1(3)));
    }

    [Fact]
    public void The_table_shows_rows_without_a_prediction()
    {
        var matrix = new ConfusionMatrix<double>(2);
        Of(matrix, 2, [double.NaN, 1, 0, 1], [0, 1]);
        Assert.Equal("actual   0   1 NaN\n     0   0   0   1\n     1   0   1   0", matrix.ToString());
    }

    public static TheoryData<Metric<float>> Classifying =>
    [
        new AccuracyMetric<float>(), new TopKAccuracyMetric<float>(2), new ConfusionMatrix<float>(3),
        new PrecisionMetric<float>(3), new RecallMetric<float>(3), new F1ScoreMetric<float>(3),
    ];

    [Theory, MemberData(nameof(Classifying))]
    public void What_does_not_fit_is_refused_and_nothing_added(Metric<float> metric)
    {
        Assert.Equal(double.NaN, metric.Value);
        float[] outputs = [3, 2, 1, 1, 2, 3];
        metric.Add(new(2, outputs, [0, 2]));
        Assert.Equal(1, metric.Value);
        var error = Assert.Throws<ArgumentException>("labels", () => metric.Add(new(2, outputs, [1, 3])));
        Assert.Contains("row 1 has 3", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<ArgumentException>("labels", () => metric.Add(new(2, outputs, [-1, 0])));
        Assert.Contains("row 0 has -1", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("batch", () => metric.Add(new(2, outputs, [0, 0, 0, 0])));
        Assert.Throws<ArgumentException>("batch", () => metric.Add(new(2, outputs, (int[])[])));
        Assert.Throws<ArgumentException>("batch", () => metric.Add(new(2, outputs, [1f, 0])));
        Assert.Equal(1, metric.Value);
        Assert.True(metric.LargerIsBetter);
        metric.Reset();
        Assert.Equal(double.NaN, metric.Value);
    }

    [Fact]
    public void Wrong_options_and_classes_are_refused()
    {
        Assert.Throws<ArgumentOutOfRangeException>("k", () => new TopKAccuracyMetric<float>(0));
        Assert.Throws<ArgumentOutOfRangeException>("classes", () => new ConfusionMatrix<float>(1));
        Assert.Throws<ArgumentOutOfRangeException>("classes", () => new ConfusionMatrix<float>(32769));
        Assert.Throws<ArgumentOutOfRangeException>("ofClass", () => new PrecisionMetric<float>(3, ofClass: 3));
        Assert.Throws<ArgumentException>("threshold", () => new AccuracyMetric<float>(threshold: double.NaN));
        Assert.Throws<ArgumentException>("batch", () => Of(new TopKAccuracyMetric<float>(4), 1, [1, 2, 3], [0]));
        Assert.Throws<ArgumentException>("batch", () => Of(new ConfusionMatrix<float>(4), 1, [1, 2, 3], [0]));
        var matrix = new ConfusionMatrix<float>(2);
        Assert.Throws<ArgumentOutOfRangeException>("actual", () => matrix[2, 0]);
        Assert.Throws<ArgumentOutOfRangeException>("predicted", () => matrix[0, -1]);
        Assert.Throws<ArgumentOutOfRangeException>("ofClass", () => matrix.Support(2));
        var error = Assert.Throws<ArgumentException>("targets", () => new AccuracyMetric<float>().Add(new(2, [1f, 2], [0f, 0.5f])));
        Assert.Contains("row 1 has 0.5", error.Message, StringComparison.Ordinal);
    }
}
