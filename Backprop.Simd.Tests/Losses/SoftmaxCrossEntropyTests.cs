using System.Numerics;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Losses;

public sealed class SoftmaxCrossEntropyTests
{
    private static readonly double[] Weights3 = [0.5, 2, 1.25];

    public static TheoryData<int, int> Shapes => new()
    {
        { 1, 1 }, { 3, 1 }, { 1, 2 }, { 5, 3 }, { 4, 7 }, { 3, 8 }, { 2, 9 }, { 7, 31 }, { 3, 64 }, { 2, 1000 }, { 2, 5003 },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void Labels_follow_the_definition(int rows, int classes)
    {
        var (logits, labels) = (Numbers(rows * classes, 4), LabelsFor(rows, classes));
        var (loss, gradient) = LossReference.CrossEntropy(logits, labels);
        AssertRun(loss, gradient, new LossRun<double>(new SoftmaxCrossEntropy(), logits, labels));
        AssertRun(loss, gradient, new LossRun<float>(new SoftmaxCrossEntropy(), Single(logits), labels));
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Weights_and_smoothing_follow_PyTorch(int rows, int classes)
    {
        var (logits, labels) = (Numbers(rows * classes, 4), LabelsFor(rows, classes));
        double[] weights = [.. Numbers(classes, 1, seed: 5).Select(w => Math.Abs(w) + 0.1)];
        foreach (var (w, s) in ((double[]?, double)[])[(weights, 0), (null, 0.1), (weights, 0.3)])
        {
            var (loss, gradient) = LossReference.CrossEntropy(logits, labels, w, s);
            AssertRun(loss, gradient, new LossRun<double>(new SoftmaxCrossEntropy(w, s), logits, labels));
            AssertRun(loss, gradient, new LossRun<float>(new SoftmaxCrossEntropy(w, s), Single(logits), labels));
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void Distributions_follow_the_definition(int rows, int classes)
    {
        var (logits, targets) = (Numbers(rows * classes, 4), Distributions(rows, classes));
        double[] weights = [.. Numbers(classes, 1, seed: 5).Select(w => Math.Abs(w) + 0.1)];
        foreach (var (w, s) in ((double[]?, double)[])[(null, 0), (weights, 0), (null, 0.2), (weights, 0.3)])
        {
            var (loss, gradient, targetGradient) = LossReference.CrossEntropy(logits, targets, rows, w, s);
            var run = new LossRun<double>(new SoftmaxCrossEntropy(w, s), logits, rows, targets);
            AssertRun(loss, gradient, run);
            AssertClose(targetGradient, run.TargetGradient);
            var single = new LossRun<float>(new SoftmaxCrossEntropy(w, s), Single(logits), rows, Single(targets));
            AssertRun(loss, gradient, single);
            AssertClose(targetGradient, single.TargetGradient);
        }
    }

    // The values that torch.nn.functional.cross_entropy documents by its formula, computed by hand for x = [1, 2, 3]:
    // log softmax = [-2.40760596, -1.40760596, -0.40760596].
    [Fact]
    public void Known_values()
    {
        double[] x = [1, 2, 3];
        Assert.Equal(0.4076059644443804, new LossRun<double>(new SoftmaxCrossEntropy(), x, [2]).Value, 1e-15);
        Assert.Equal(2.4076059644443806, new LossRun<double>(new SoftmaxCrossEntropy(), x, [0]).Value, 1e-15);
        Assert.Equal(0.9 * 0.4076059644443804 + 0.1 * 1.4076059644443804,
            new LossRun<double>(new SoftmaxCrossEntropy(labelSmoothing: 0.1), x, [2]).Value, 1e-15);
        Assert.Equal(0.5 * (2.4076059644443806 + 0.4076059644443804),
            new LossRun<double>(new SoftmaxCrossEntropy(), x, 1, [0.5, 0, 0.5]).Value, 1e-15);
    }

    [Fact]
    public void A_distribution_that_is_one_class_is_that_label()
    {
        var logits = Numbers(12, 3);
        var labels = new LossRun<double>(new SoftmaxCrossEntropy(), logits, [2, 0, 1, 1]);
        var targets = new LossRun<double>(new SoftmaxCrossEntropy(), logits, 4, [0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0]);
        Assert.Equal(labels.Value, targets.Value, 1e-15);
        AssertClose(labels.Gradient, targets.Gradient);
    }

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(10), InlineData(1000)]
    public void Equal_logits_give_the_logarithm_of_K_however_large(int classes)
    {
        foreach (var value in (float[])[0, 1e8f, -1e8f, 3e38f])
        {
            var run = new LossRun<float>(new SoftmaxCrossEntropy(), [.. Enumerable.Repeat(value, classes)], [classes - 1]);
            Assert.Equal((float)Math.Log(classes), run.Value, 1e-6);
            Assert.Equal(1f / classes - 1, run.Gradient[classes - 1], 1e-6f);
        }
    }

    [Fact]
    public void Large_logits_neither_overflow_nor_cancel()
    {
        var run = new LossRun<double>(new SoftmaxCrossEntropy(), [1000, 1001, -1000], [0]);
        Assert.Equal(1 + Math.Log(1 + Math.Exp(-1)), run.Value, 1e-14);
        Assert.Equal(2000 + 1 + Math.Log(1 + Math.Exp(-1)), new LossRun<double>(new SoftmaxCrossEntropy(), [1000, 1001, -1000], [2]).Value, 1e-12);
    }

    [Fact]
    public void Minus_infinity_elsewhere_leaves_the_rest_alone_and_at_the_label_is_an_infinite_loss()
    {
        var elsewhere = new LossRun<double>(new SoftmaxCrossEntropy(), [1, double.NegativeInfinity, 3], [2]);
        Assert.Equal(Math.Log(1 + Math.Exp(-2)), elsewhere.Value, 1e-15);
        Assert.Equal(0, elsewhere.Gradient[1]);
        var at = new LossRun<double>(new SoftmaxCrossEntropy(), [1, double.NegativeInfinity, 3], [1]);
        Assert.Equal(double.PositiveInfinity, at.Value);
        Assert.Equal(-1, at.Gradient[1]);
    }

    [Fact]
    public void A_row_of_minus_infinity_gives_NaN()
    {
        double[] row = [double.NegativeInfinity, double.NegativeInfinity];
        var run = new LossRun<double>(new SoftmaxCrossEntropy(), row, [0]);
        Assert.True(double.IsNaN(run.Value));
        Assert.All(run.Gradient, g => Assert.True(double.IsNaN(g)));
    }

    [Theory, InlineData(0), InlineData(1), InlineData(2)]
    public void NaN_propagates_from_any_logit_of_its_row_and_only_there(int at)
    {
        double[] logits = [1, 2, 3, 1, 2, 3];
        logits[at] = double.NaN;
        var run = new LossRun<double>(new SoftmaxCrossEntropy(), logits, [0, 1]);
        Assert.True(double.IsNaN(run.Value));
        Assert.All(run.Gradient[..3], g => Assert.True(double.IsNaN(g)));
        Assert.All(run.Gradient[3..], g => Assert.True(double.IsFinite(g)));
    }

    [Fact]
    public void A_NaN_in_the_targets_propagates()
    {
        Assert.True(double.IsNaN(new LossRun<double>(new SoftmaxCrossEntropy(), [1, 2], 1, [double.NaN, 0]).Value));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Ignored_rows_take_no_part(bool smoothed)
    {
        var logits = Numbers(12, 2);
        var loss = new SoftmaxCrossEntropy(Weights3, smoothed ? 0.2 : 0);
        var kept = new LossRun<double>(loss, [.. logits[..3], .. logits[9..]], [2, 0]);
        logits[4] = double.NaN; // Not even by multiplication with 0.
        logits[7] = double.NegativeInfinity;
        var all = new LossRun<double>(loss, logits, [2, -100, -100, 0]);
        Assert.Equal(kept.Value, all.Value);
        Assert.Equal([.. kept.Gradient[..3], 0, 0, 0, 0, 0, 0, .. kept.Gradient[3..]], all.Gradient);
    }

    [Fact]
    public void Ignored_rows_with_plain_labels_have_zero_gradient_whatever_they_hold()
    {
        double[] logits = [1, 2, double.NaN, double.PositiveInfinity];
        var run = new LossRun<double>(new SoftmaxCrossEntropy(), logits, [0, -100]);
        Assert.Equal(Math.Log(1 + Math.E), run.Value, 1e-15);
        Assert.Equal([0, 0], run.Gradient[2..]);
    }

    [Fact]
    public void An_ignore_index_may_be_a_class()
    {
        var logits = Numbers(6, 2);
        var run = new LossRun<double>(new SoftmaxCrossEntropy(ignoreIndex: 1), logits, [1, 2]);
        Assert.Equal(new LossRun<double>(new SoftmaxCrossEntropy(), logits[3..], [2]).Value, run.Value);
        Assert.Equal([0, 0, 0], run.Gradient[..3]);
    }

    [Fact]
    public void All_rows_ignored_give_loss_and_gradient_zero()
    {
        foreach (var loss in (SoftmaxCrossEntropy[])[new(), new(Weights3), new(labelSmoothing: 0.1), new(Weights3, 0.1)])
        {
            var run = new LossRun<double>(loss, [1, double.NaN, 3, 4, 5, double.PositiveInfinity], [-100, -100]);
            Assert.Equal(0, run.Value);
            Assert.All(run.Gradient, g => Assert.Equal(0, g));
        }
    }

    [Fact]
    public void The_mean_divides_by_the_sum_of_the_weights()
    {
        var logits = Numbers(6, 2);
        var both = new LossRun<double>(new SoftmaxCrossEntropy(Weights3), logits, [0, 1]);
        var first = new LossRun<double>(new SoftmaxCrossEntropy(), logits[..3], [0]).Value;
        var second = new LossRun<double>(new SoftmaxCrossEntropy(), logits[3..], [1]).Value;
        Assert.Equal((0.5 * first + 2 * second) / 2.5, both.Value, 1e-15);
    }

    [Theory, InlineData(3), InlineData(-1), InlineData(int.MaxValue), InlineData(int.MinValue)]
    public void A_label_out_of_range_throws_and_names_row_and_value(int label)
    {
        var exception = Assert.Throws<ArgumentException>(() => new LossRun<float>(new SoftmaxCrossEntropy(), new float[12], [0, 2, label, 1]));
        Assert.Contains($"row 2 has {label}", exception.Message, StringComparison.Ordinal);
        Assert.Contains("[0, 3)", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_zero_target_never_multiplies_an_infinite_logit()
    {
        var run = new LossRun<double>(new SoftmaxCrossEntropy(), [1, double.NegativeInfinity, 3], 1, [0.5, 0, 0.5]);
        Assert.Equal(1 + Math.Log(1 + Math.Exp(-2)), run.Value, 1e-15);
        Assert.All(run.Gradient, g => Assert.True(double.IsFinite(g)));
    }

    [Fact]
    public void A_class_of_weight_zero_never_multiplies_an_infinite_logit()
    {
        var loss = new SoftmaxCrossEntropy([1, 0, 1]);
        double[] logits = [1, double.NegativeInfinity, 3, 1, double.NegativeInfinity, 3];
        var labels = new LossRun<double>(loss, logits, [1, 2]);
        Assert.Equal(Math.Log(1 + Math.Exp(-2)), labels.Value, 1e-15);
        Assert.All(labels.Gradient, g => Assert.True(double.IsFinite(g)));
        var targets = new LossRun<double>(loss, logits[..3], 1, [0, 0.5, 0.5]);
        Assert.Equal(0.5 * Math.Log(1 + Math.Exp(-2)), targets.Value, 1e-15);
        Assert.Equal(0, targets.TargetGradient[1]);
    }

    [Fact]
    public void The_weight_of_the_loss_scales_the_gradient()
    {
        var logits = Numbers(6, 2);
        var one = new LossRun<double>(new SoftmaxCrossEntropy(), logits, [0, 1]);
        var three = new LossRun<double>(new SoftmaxCrossEntropy(), logits, [0, 1], weight: 3);
        Assert.Equal(3 * one.Value, three.Value);
        AssertClose([.. one.Gradient.Select(g => 3 * g)], three.Gradient);
        Assert.Equal(one.Value, three.Workspace.LossOf("loss"));
        Assert.Equal([3.0], three.Workspace.GradientOf("loss").ToArray());
    }

    [Fact]
    public void Inference_computes_the_same_loss_without_a_cache()
    {
        var graph = new GraphBuilder();
        graph.Loss(graph.Input("x", 5).Apply(new SoftmaxCrossEntropy(), graph.IndexInput("labels")));
        var network = graph.Build().CreateNetwork<float>();
        var losses = new List<double>();
        foreach (var options in (WorkspaceOptions[])[WorkspaceOptions.Training, WorkspaceOptions.Inference with { Losses = true }])
        {
            var workspace = network.CreateWorkspace(3, options, ComputeContext.SingleThreaded);
            workspace.SetInput("x", Single(Numbers(15, 3)));
            workspace.SetIndexInput("labels", [4, 0, 2]);
            losses.Add(network.Forward(workspace));
        }

        Assert.Equal(losses[0], losses[1]);
        Assert.NotEqual(0, losses[0]);
    }

    [Fact]
    public void Arguments_are_checked()
    {
        Assert.Throws<ArgumentException>(() => new SoftmaxCrossEntropy([1, -1]));
        Assert.Throws<ArgumentException>(() => new SoftmaxCrossEntropy([1, double.NaN]));
        Assert.Throws<ArgumentException>(() => new SoftmaxCrossEntropy([double.PositiveInfinity]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SoftmaxCrossEntropy(labelSmoothing: 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SoftmaxCrossEntropy(labelSmoothing: -0.1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SoftmaxCrossEntropy(labelSmoothing: double.NaN));
        var graph = new GraphBuilder();
        var (x, labels, matrix) = (graph.Input("x", 3), graph.IndexInput("labels"), graph.Input("matrix", 3, 3));
        Assert.Contains("2 class weights for 3 classes",
            Assert.Throws<ArgumentException>(() => x.Apply(new SoftmaxCrossEntropy([1, 2]), labels)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => matrix.Apply(new SoftmaxCrossEntropy(), labels));
        Assert.Throws<ArgumentException>(() => x.Apply(new SoftmaxCrossEntropy(), graph.IndexInput("many", 3)));
        Assert.Throws<ArgumentException>(() => x.Apply(new SoftmaxCrossEntropy(), graph.Input("four", 4)));
        Assert.Throws<ArgumentException>(() => x.Apply(new SoftmaxCrossEntropy()));
    }

    private static double[] Numbers(int count, double scale, ulong seed = 1)
    {
        var random = new TestRandom(seed);
        var numbers = new double[count];
        for (var i = 0; i < count; i++)
            numbers[i] = (float)(scale * random.Signed<double>());
        return numbers;
    }

    private static int[] LabelsFor(int rows, int classes)
    {
        var random = new TestRandom(2);
        var labels = new int[rows];
        for (var i = 0; i < rows; i++)
            labels[i] = rows > 2 && i == 1 ? -100 : random.Integer(0, classes - 1);
        return labels;
    }

    private static double[] Distributions(int rows, int classes)
    {
        double[] targets = [.. Numbers(rows * classes, 1, seed: 9).Select(Math.Abs)];
        for (var row = 0; row < rows; row++)
        {
            var sum = targets.Skip(row * classes).Take(classes).Sum();
            for (var c = 0; c < classes; c++)
                targets[row * classes + c] = (float)(targets[row * classes + c] / sum);
        }

        return targets;
    }

    private static float[] Single(double[] numbers) => [.. numbers.Select(n => (float)n)];

    private static void AssertRun<T>(double loss, double[] gradient, LossRun<T> run) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Assert.Equal(loss, run.Value, (typeof(T) == typeof(float) ? 1e-6 : 1e-14) * (1 + Math.Abs(loss)));
        AssertClose(gradient, run.Gradient);
    }

    private static void AssertClose<T>(double[] expected, T[] actual) where T : unmanaged, IFloatingPointIeee754<T>
    {
        // p - q cancels: the error is that of a probability, not of the small difference.
        var tolerance = (typeof(T) == typeof(float) ? 1e-6 : 1e-13) * Math.Max(1, expected.Select(Math.Abs).Max());
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - double.CreateTruncating(actual[i])) <= tolerance, $"[{i}]: {actual[i]}, expected {expected[i]}.");
    }
}
