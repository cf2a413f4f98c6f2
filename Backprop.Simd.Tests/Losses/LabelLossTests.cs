using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Losses;

/// <summary>Losses of class scores with reductions, sample weights and labels for each position.</summary>
public sealed class LabelLossTests
{
    public static TheoryData<int, int, int> Sizes => new()
    {
        { 1, 1, 1 }, { 5, 1, 3 }, { 4, 1, 7 }, { 3, 2, 5 }, { 2, 6, 9 }, { 7, 3, 31 }, { 2, 2, 200 }, { 40, 1, 2 },
    };

    [Theory, MemberData(nameof(Sizes))]
    public void Every_option_and_reduction_follows_the_definition(int rows, int positions, int classes)
    {
        double[] x = Numbers(rows * positions * classes, 4, 1), targets = [.. Numbers(x.Length, 1, 9).Select(t => (float)(2 * Math.Abs(t) / classes))];
        var labels = LabelsFor(rows * positions, classes);
        double[] classWeights = [.. Numbers(classes, 1, 5).Select(w => Math.Abs(w) + 0.1)];
        double[] w = [.. Numbers(rows, 1, 3).Select(v => Math.Round(4 * Math.Abs(v)) / 4)];
        w[0] = 0.75;
        foreach (var reduction in Enum.GetValues<LossReduction>())
        {
            foreach (var weights in (double[]?[])[null, w])
            {
                foreach (var (c, s) in ((double[]?, double)[])[(null, 0), (classWeights, 0), (null, 0.1), (classWeights, 0.3)])
                {
                    var loss = new SoftmaxCrossEntropy(c, s, reduction: reduction);
                    Check(loss, LabelLossReference.CrossEntropy(x, labels, rows, c, s), null, labels);
                    Check(loss, LabelLossReference.CrossEntropy(x, targets, classes, rows, c, s), targets, null);
                    if (s == 0)
                        Check(new NegativeLogLikelihood(c, reduction: reduction), LabelLossReference.LogLikelihood(x, labels, rows, c), null, labels);
                }

                foreach (var (c, squared) in ((double[]?, bool)[])[(null, false), (classWeights, false), (null, true), (classWeights, true)])
                {
                    Check(new MultiClassHinge(0.75, squared, c, reduction: reduction), LabelLossReference.Hinge(x, labels, rows, 0.75, squared, c), null,
                        labels);
                }

                void Check(ReducedLoss loss, LabelLossReference reference, double[]? t, int[]? l)
                {
                    var shape = positions == 1 ? new Shape(classes) : new Shape(positions, classes);
                    new ReducedLossRun<double>(loss, shape, x, t, l, weights)
                        .AssertIs(reduction, reference.Losses, reference.Denominators, weights, reference.Gradient,
                        t is null ? null : reference.TargetGradient);
                    new ReducedLossRun<float>(loss, shape, x, t, l, weights)
                        .AssertIs(reduction, reference.Losses, reference.Denominators, weights, reference.Gradient,
                        t is null ? null : reference.TargetGradient);
                }
            }
        }
    }

    [Fact]
    public void Positions_are_rows_of_their_own_under_the_mean()
    {
        double[] x = Numbers(60, 3, 1);
        int[] labels = [0, 4, 2, -100, 1, 3, 0, 0, 2, 4, 1, 1];
        var flat = new ReducedLossRun<double>(new SoftmaxCrossEntropy(), new Shape(5), x, null, labels, null);
        foreach (var shape in (Shape[])[new(4, 5), new(2, 3, 5), new(1, 2, 2, 5)])
        {
            var run = new ReducedLossRun<double>(new SoftmaxCrossEntropy(), shape, x, null, labels, null);
            Assert.Equal(flat.Outputs, run.Outputs);
            Assert.Equal(flat.Dx, run.Dx);
        }
    }

    [Fact]
    public void Log_softmax_and_negative_log_likelihood_are_softmax_cross_entropy()
    {
        double[] x = Numbers(12, 3, 1);
        int[] labels = [2, 0, -100, 1];
        double[] w = [0.5, 2, 1.25];
        var both = new LossRun<double>(new SoftmaxCrossEntropy(w), x, labels);
        var logs = SoftmaxReference.LogSoftmax(x, 3);
        Assert.Equal(both.Value, new LossRun<double>(new NegativeLogLikelihood(w), logs, labels).Value, 1e-15);
    }

    [Fact]
    public void All_ignored_give_loss_and_gradients_0_under_every_reduction()
    {
        double[] x = [1, double.NaN, 3, 4, 5, double.PositiveInfinity];
        foreach (var reduction in Enum.GetValues<LossReduction>())
        {
            foreach (var weights in (double[]?[])[null, [1, 2]])
            {
                foreach (var loss in (LabelLoss[])[new SoftmaxCrossEntropy(reduction: reduction),
                    new SoftmaxCrossEntropy([1, 2, 3], 0.1, reduction: reduction), new NegativeLogLikelihood(reduction: reduction),
                    new MultiClassHinge(reduction: reduction), new MultiClassHinge(squared: true, reduction: reduction)])
                {
                    var run = new ReducedLossRun<double>(loss, new Shape(3), x, null, [-100, -100], weights);
                    Assert.All(run.Outputs, v => Assert.Equal(0, v));
                    Assert.All(run.Dx, v => Assert.Equal(0, v));
                    Assert.All(run.Dw, v => Assert.Equal(0, v));
                }
            }
        }
    }

    [Fact]
    public void A_row_of_weight_0_takes_no_part_whatever_it_holds()
    {
        foreach (var smoothing in (double[])[0, 0.2])
        {
            var loss = new SoftmaxCrossEntropy(null, smoothing);
            double[] x = Numbers(6, 2, 1);
            var without = new ReducedLossRun<double>(loss, new Shape(3), x, null, [0, 2], [1, 2]);
            var with = new ReducedLossRun<double>(loss, new Shape(3), [.. x[..3], double.NaN, 1, 2, .. x[3..]], null, [0, 1, 2], [1, 0, 2]);
            Assert.Equal(without.Outputs, with.Outputs);
            Assert.Equal([.. without.Dx[..3], 0, 0, 0, .. without.Dx[3..]], with.Dx);
            var zero = new ReducedLossRun<double>(loss, new Shape(3), x, null, [0, 2], [0, 0]);
            Assert.Equal([0.0], zero.Outputs);
            Assert.All([.. zero.Dx, .. zero.Dw], v => Assert.Equal(0, v));
        }
    }

    [Fact]
    public void A_class_of_weight_0_never_multiplies_an_infinity()
    {
        var run = new ReducedLossRun<double>(new NegativeLogLikelihood([0, 1]), new Shape(2), [double.NegativeInfinity, 0, -1, -2], null, [0, 1], null);
        Assert.Equal([2.0], run.Outputs);
        Assert.Equal([0, 0, 0, -1.5], run.Dx);
        run = new ReducedLossRun<double>(new NegativeLogLikelihood(), new Shape(2), [double.NegativeInfinity, 0], null, [0], null);
        Assert.Equal([double.PositiveInfinity], run.Outputs);
        Assert.Equal([-1.5, 0], run.Dx);
        run = new ReducedLossRun<double>(new SoftmaxCrossEntropy([0, 1]), new Shape(2), [double.NegativeInfinity, 0],
            [0.5, 0.5], null, null);
        Assert.Equal([0.0], run.Outputs);
    }

    [Fact]
    public void A_hinge_of_classes_at_its_kink_at_infinities_and_at_NaN()
    {
        const double inf = double.PositiveInfinity;
        foreach (var squared in (bool[])[false, true])
        {
            var loss = new MultiClassHinge(1, squared, reduction: LossReduction.None);
            Assert.Equal([0.0], Run([1, 0, -5], [0]).Outputs);
            Assert.All(Run([1, 0, -5], [0]).Dx, g => Assert.Equal(0, g));
            Assert.Equal([0.0, inf, inf], Run([inf, 0, 1, 0, inf, 1, -inf, 2, 3], [0, 0, 0]).Outputs);
            Assert.True(double.IsNaN(Run([1, double.NaN, 0], [0]).Outputs[0]));
            Assert.True(double.IsNaN(Run([double.NaN, 1, 0], [0]).Outputs[0]));
            Assert.Equal([0.0, 0, 0], Run([double.NaN, 1, 0], [-100]).Dx);
            var one = new ReducedLossRun<double>(loss, new Shape(1), [3], null, [0], null);
            Assert.Equal([0.0, 0.0], (double[])[.. one.Outputs, .. one.Dx]);

            ReducedLossRun<double> Run(double[] x, int[] labels) => new(loss, new Shape(3), x, null, labels, null);
        }

        Assert.Equal("margin", Assert.Throws<ArgumentOutOfRangeException>(() => new MultiClassHinge(0)).ParamName);
        Assert.Throws<ArgumentException>(() => new MultiClassHinge(classWeights: [1, -1]));
        Assert.Equal("indices []", GraphBuilder.Chain(3).MultiClassHinge().Graph.Build().TypeOf("labels").ToString());
    }

    [Theory, InlineData(3), InlineData(-1), InlineData(int.MinValue)]
    public void A_label_out_of_range_throws_naming_row_position_and_value(int label)
    {
        foreach (var loss in (LabelLoss[])[new SoftmaxCrossEntropy(), new SoftmaxCrossEntropy(labelSmoothing: 0.1), new NegativeLogLikelihood(),
            new MultiClassHinge()])
        {
            var exception = Assert.Throws<ArgumentException>(() =>
                new ReducedLossRun<float>(loss, new Shape(2, 3), new double[18], null, [0, 2, 1, label, 1, 1], null));
            Assert.Contains($"row 1 has {label} at position 1", exception.Message, StringComparison.Ordinal);
            exception = Assert.Throws<ArgumentException>(() => new ReducedLossRun<float>(loss, new Shape(3), new double[9], null, [0, 2, label], null));
            Assert.Contains($"row 2 has {label}.", exception.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        const int rows = 2000;
        double[] x = Numbers(rows * 7, 4, 1), targets = [.. Numbers(rows * 7, 1, 9).Select(Math.Abs)], w = [.. Numbers(rows, 1, 3).Select(Math.Abs)];
        var labels = LabelsFor(rows, 7);
        foreach (var loss in (SoftmaxCrossEntropy[])[new(), new(labelSmoothing: 0.1), new(reduction: LossReduction.None)])
        {
            Threads.AssertSameBits<float>(context =>
            {
                var run = new ReducedLossRun<float>(loss, new Shape(7), x, null, labels, w, context);
                var other = new ReducedLossRun<float>(loss, new Shape(7), x, targets, null, w, context);
                var hinge = new ReducedLossRun<float>(new MultiClassHinge(reduction: loss.Reduction), new Shape(7), x, null, labels, w, context);
                return [.. run.Outputs, .. run.Dx, .. run.Dw, .. other.Outputs, .. other.Dx, .. other.Dt, .. hinge.Outputs, .. hinge.Dx, .. hinge.Dw];
            });
        }
    }

    [Fact]
    public void Shapes_are_checked()
    {
        var graph = new GraphBuilder();
        var (x, labels, many, scalar, w) =
            (graph.Input("x", 2, 3), graph.IndexInput("labels"), graph.IndexInput("many", 2), graph.Input("s"), graph.Input("w"));
        foreach (var loss in (LabelLoss[])[new SoftmaxCrossEntropy(), new NegativeLogLikelihood(), new MultiClassHinge()])
        {
            var exception = Assert.Throws<ArgumentException>(() => x.Apply(loss, labels));
            Assert.Contains("indices [2]", exception.Message, StringComparison.Ordinal);
            Assert.Contains("indices []", exception.Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>(() => scalar.Apply(loss, labels));
            Assert.Throws<ArgumentException>(() => x.Apply(loss, many, many));
            Assert.Equal(EdgeKind.Shared, x.Apply(loss, many, w).Type.Kind);
        }

        Assert.Throws<ArgumentException>(() => x.Apply(new NegativeLogLikelihood(), x));
        Assert.Throws<ArgumentException>(() => new NegativeLogLikelihood([1, -1]));
        Assert.Contains("2 class weights for 3 classes",
            Assert.Throws<ArgumentException>(() => x.Apply(new NegativeLogLikelihood([1, 2]), many)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Chains_make_a_label_for_each_position()
    {
        var node = new GraphBuilder().Input("x", 4, 3).SoftmaxCrossEntropy(sampleWeights: "w");
        var definition = node.Graph.Build();
        Assert.Equal("indices [4]", definition.TypeOf("labels").ToString());
        Assert.Equal("values []", definition.TypeOf("w").ToString());
        definition = GraphBuilder.Chain(3).LogSoftmax().NegativeLogLikelihood().Graph.Build();
        Assert.Equal("indices []", definition.TypeOf("labels").ToString());
        Assert.Equal(["negativeloglikelihood1"], definition.LossNames);
    }

    private static double[] Numbers(int count, double scale, ulong seed)
    {
        var random = new TestRandom(seed);
        var numbers = new double[count];
        for (var i = 0; i < count; i++)
            numbers[i] = (float)(scale * random.Signed<double>());
        return numbers;
    }

    private static int[] LabelsFor(int count, int classes)
    {
        var random = new TestRandom(2);
        var labels = new int[count];
        for (var i = 0; i < count; i++)
            labels[i] = count > 2 && i % 4 == 1 ? -100 : random.Integer(0, classes - 1);
        return labels;
    }
}
