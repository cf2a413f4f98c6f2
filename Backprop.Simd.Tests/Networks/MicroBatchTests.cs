using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Micro-batches give loss and gradients of the whole batch, for each loss, each reduction, and several losses.</summary>
public sealed class MicroBatchTests
{
    private const int Features = 3, Positions = 2, Classes = 4;

    private static readonly double[] ClassWeights = [0.2, 5, 1, 0];

    /// <summary>A loss, whether its targets are labels, and whether it has sample weights.</summary>
    private sealed record Case(ReducedLoss Loss, bool Labels, bool Weights)
    {
        public override string ToString() => $"{Loss.Kind} {Loss.Reduction}{(Labels ? " labels" : "")}{(Weights ? " weights" : "")}";

        public bool TakesLogProbabilities => Loss is NegativeLogLikelihood or KullbackLeibler;
    }

    private static List<Case> Cases()
    {
        var cases = new List<Case>();
        foreach (var r in Enum.GetValues<LossReduction>())
        {
            foreach (var weights in (bool[])[false, true])
            {
                ReducedLoss[] dense =
                [
                    new MeanSquaredError(r), new MeanAbsoluteError(r), new Huber(0.5, r), new SmoothL1(0.5, r), new BinaryCrossEntropy(2, r),
                    new KullbackLeibler(false, r), new SoftmaxCrossEntropy(reduction: r), new SoftmaxCrossEntropy(ClassWeights, 0.1, reduction: r),
                    new Focal(reduction: r), new Dice(reduction: r), new BinaryCrossEntropy(2, r, 0.1),
                ];
                ReducedLoss[] labelled =
                [
                    new SoftmaxCrossEntropy(reduction: r), new SoftmaxCrossEntropy(ClassWeights, reduction: r),
                    new SoftmaxCrossEntropy(ClassWeights, 0.1, reduction: r), new NegativeLogLikelihood(reduction: r),
                    new NegativeLogLikelihood(ClassWeights, reduction: r), new MultiClassHinge(reduction: r),
                    new MultiClassHinge(0.5, true, ClassWeights, reduction: r),
                ];
                cases.AddRange(dense.Select(loss => new Case(loss, false, weights)));
                cases.AddRange(labelled.Select(loss => new Case(loss, true, weights)));
            }
        }

        return cases;
    }

    [Fact]
    public void Every_loss_alone()
    {
        var random = new TestRandom(1);
        foreach (var one in Cases())
        {
            for (var i = 0; i < 4; i++)
                Check([one], ref random);
        }
    }

    [Fact]
    public void Several_losses_in_one_graph()
    {
        var random = new TestRandom(2);
        var cases = Cases();
        for (var i = 0; i < 150; i++)
            Check([.. Enumerable.Range(0, 2 + (i % 2)).Select(_ => cases[random.Integer(0, cases.Count - 1)])], ref random);
    }

    [Fact]
    public void A_sum_adds_up()
    {
        var network = GraphBuilder.Chain(1).Affine(1, Initialize.Constant(1), bias: false).MeanSquaredError(loss: new(LossReduction.Sum)).Build<double>();
        var workspace = network.CreateWorkspace(4);
        var accumulator = new GradientAccumulator<double>(network, workspace);
        foreach (var part in (double[][])[[3, 3, 1, 0], [1.5, 1]])
        {
            workspace.Rows = part.Length;
            workspace.SetInput("x", part);
            accumulator.Add();
        }

        Assert.Equal(22.25, accumulator.Average());
        Assert.Equal(44.5, workspace.Gradients[0]);
    }

    [Fact]
    public void Where_nothing_takes_part_all_is_0()
    {
        var network = GraphBuilder.Chain(Features).Affine(Classes).SoftmaxCrossEntropy(loss: new(ClassWeights, 0.1)).Build<double>(1);
        var workspace = network.CreateWorkspace(2);
        var accumulator = new GradientAccumulator<double>(network, workspace);
        workspace.Input().Fill(0.5);
        foreach (var label in (int[])[-100, 3])
        {
            workspace.IndexInput().Fill(label);
            Assert.Equal(0, accumulator.Add());
        }

        Assert.Equal(0, accumulator.Average());
        Assert.All(workspace.Gradients.ToArray(), g => Assert.Equal(0, g));
    }

    /// <summary>Rows of any number of labels, without labels, without an alignment, and of weight 0.</summary>
    [Theory]
    [InlineData(LossReduction.Mean)]
    [InlineData(LossReduction.Sum)]
    public void Alignments(LossReduction reduction)
    {
        foreach (var weighted in (bool[])[false, true])
        {
            var graph = new GraphBuilder();
            var x = graph.Input("x", 6, Features).Affine(Classes);
            Node[] inputs = [graph.IndexInput("targets", 3), graph.IndexInput("steps"), graph.IndexInput("lengths")];
            graph.Loss(x.Apply(new Ctc(zeroInfinity: true, reduction: reduction), weighted ? [.. inputs, graph.Input("w")] : inputs));
            x.Affine(2).MeanSquaredError("t");
            var network = graph.Build().CreateNetwork<double>(1);
            const int Rows = 7;
            var whole = network.CreateWorkspace(Rows);
            var random = new TestRandom(5);
            foreach (var name in (string[])["x", "t"])
            {
                foreach (ref var value in whole.Input(name))
                    value = random.Signed<double>();
            }

            int[] steps = [6, 5, 3, 1, 6, 0, 4], lengths = [3, 2, 3, 0, 1, 0, 2];
            whole.SetIndexInput("steps", steps);
            whole.SetIndexInput("lengths", lengths);
            whole.SetIndexInput("targets", [1, 2, 3, 2, 2, 0, 1, 1, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 1, 3, 0]);
            if (weighted)
                whole.SetInput("w", [1, 0.5, 2, 1.5, 0, 1, 3]);
            var loss = network.Forward(whole);
            network.Backward(whole);
            foreach (var parts in (int[][])[[1, 1, 1, 1, 1, 1, 1], [3, 4], [4, 1, 2], [7]])
            {
                var part = network.CreateWorkspace(Rows);
                var accumulator = new GradientAccumulator<double>(network, part);
                var first = 0;
                foreach (var count in parts)
                {
                    part.Rows = count;
                    foreach (var name in network.Definition.InputNames)
                    {
                        var size = network.Definition.TypeOf(name).Shape.Size;
                        if (network.Definition.TypeOf(name).Kind == EdgeKind.Indices)
                            part.SetIndexInput(name, whole.IndexInput(name).Slice(first * size, count * size));
                        else
                            part.SetInput(name, whole.Input(name).Slice(first * size, count * size));
                    }

                    accumulator.Add();
                    first += count;
                }

                var what = $"{reduction}, weighted {weighted}, {parts.Length} parts";
                Near(loss, accumulator.Average(), Math.Abs(loss), what);
                var scale = whole.Gradients.ToArray().Max(Math.Abs);
                for (var i = 0; i < whole.Gradients.Length; i++)
                    Near(whole.Gradients[i], part.Gradients[i], scale, what);
            }
        }
    }

    /// <summary>Denominators 60 powers of ten apart, in either order, and a hundred gradients whose sum float does not hold.</summary>
    [Fact]
    public void Scaling_neither_overflows_nor_underflows()
    {
        foreach (var labels in (int[][])[[0, 1, 1], [1, 0, 1], [1, 1, 0]])
        {
            var network = GraphBuilder.Chain(1).Affine(2).LogSoftmax().NegativeLogLikelihood(loss: new([1e30, 1e-30])).Build<float>(1);
            var (whole, part) = (network.CreateWorkspace(3), network.CreateWorkspace(1));
            whole.SetInput("x", [1, 2, 3]);
            whole.SetIndexInput("labels", labels);
            network.Forward(whole);
            network.Backward(whole);
            var accumulator = new GradientAccumulator<float>(network, part);
            for (var row = 0; row < 3; row++)
            {
                part.Input()[0] = row + 1;
                part.IndexInput()[0] = labels[row];
                accumulator.Add();
            }

            Assert.Equal(whole.Loss, accumulator.Average(), 1e-6);
            for (var i = 0; i < 4; i++)
                Assert.Equal(whole.Gradients[i], part.Gradients[i], 1e-6f);
        }

        var large = GraphBuilder.Chain(1).Affine(1, Initialize.Constant(1), bias: false).MeanAbsoluteError().Build<float>();
        var workspace = large.CreateWorkspace(1);
        var many = new GradientAccumulator<float>(large, workspace);
        workspace.Input("x")[0] = 2e38f;
        for (var i = 0; i < 100; i++)
            many.Add();
        many.Average();
        Assert.Equal(2e38f, workspace.Gradients[0], 1e33f);
    }

    [Fact]
    public void Parts_of_a_pass_are_told_and_add_up()
    {
        var network = GraphBuilder.Chain(2).SoftmaxCrossEntropy(loss: new([0.2, 5])).Named("loss").Build<double>();
        var workspace = network.CreateWorkspace(3, new() { Mode = WorkspaceMode.Inference, Losses = true });
        workspace.SetIndexInput("labels", [0, -100, 1]);
        network.Forward(workspace);
        var parts = workspace.PartsOf("loss");
        Assert.Equal((5.2, false), (parts.Denominator, parts.IsSum));
        Assert.Equal(5.2 * Math.Log(2), parts.Numerator, 1e-14);
        Assert.Equal(workspace.Loss, parts.Value);
        Assert.Equal(LossParts.Mean(3, 4), LossParts.Mean(1, 4) + LossParts.Mean(2, 0));
        Assert.Equal(LossParts.Sum(3), default(LossParts) + LossParts.Sum(1) + LossParts.Add(LossParts.Sum(2), default));
        Assert.Equal((0.0, 0.0, 0.75, 3.0), (default(LossParts).Value, LossParts.Mean(2, 0).Value, LossParts.Mean(3, 4).Value, LossParts.Sum(3).Value));
        Assert.Throws<ArgumentException>(() => LossParts.Sum(1) + LossParts.Mean(1, 2));
    }

    private static void Check(Case[] cases, ref TestRandom random)
    {
        var rows = random.Integer(1, 9);
        var graph = new GraphBuilder();
        var trunk = graph.Input("x", Features).Affine(5).Tanh();
        for (var i = 0; i < cases.Length; i++)
        {
            var node = trunk.Affine(Positions * Classes).Reshape(Positions, Classes);
            if (cases[i].TakesLogProbabilities)
                node = node.LogSoftmax();
            var target = cases[i].Labels ? graph.IndexInput("t" + i, Positions) : graph.Input("t" + i, Positions, Classes);
            node = cases[i].Weights ? node.Apply(cases[i].Loss, target, graph.Input("w" + i)) : node.Apply(cases[i].Loss, target);
            if (cases[i].Loss.Reduction == LossReduction.None)
                graph.Output(node);
            else
                graph.Loss(node, 0.5 + i);
        }

        // Every input's numbers, and the gradients of the outputs, for all rows.
        var definition = graph.Build();
        var network = definition.CreateNetwork<double>(3);
        var (values, labels) = (new Dictionary<string, double[]>(), new Dictionary<string, int[]>());
        foreach (var name in definition.InputNames.Concat(definition.OutputNames))
        {
            var count = rows * definition.TypeOf(name).Shape.Size;
            if (definition.TypeOf(name).Kind == EdgeKind.Indices)
                labels[name] = new int[count];
            else
                values[name] = new double[count];
        }

        foreach (var (name, numbers) in values)
        {
            foreach (ref var number in numbers.AsSpan())
                number = name[0] == 'w' ? random.Integer(0, 3) / 2.0 : name[0] == 't' ? Math.Abs(random.Signed<double>()) : random.Signed<double>();
        }

        foreach (var label in labels.Values)
        {
            foreach (ref var number in label.AsSpan())
                number = random.Integer(0, 2) == 0 ? -100 : random.Integer(0, Classes - 1);
        }

        var options = new WorkspaceOptions { OutputGradients = definition.OutputNames.Any() };
        var whole = network.CreateWorkspace(rows, options, ComputeContext.SingleThreaded);
        var part = network.CreateWorkspace(rows, options, ComputeContext.SingleThreaded);
        Fill(whole, 0, rows);
        var loss = network.Forward(whole);
        network.Backward(whole);
        var accumulator = new GradientAccumulator<double>(network, part);
        for (int first = 0, count; first < rows; first += count)
        {
            count = random.Integer(1, rows - first);
            Fill(part, first, count);
            accumulator.Add();
        }

        var what = string.Join(" + ", cases.AsEnumerable());
        Near(loss, accumulator.Average(), Math.Abs(loss), what);
        var scale = whole.Gradients.ToArray().Max(Math.Abs);
        for (var i = 0; i < whole.Gradients.Length; i++)
            Near(whole.Gradients[i], part.Gradients[i], scale, what);

        void Fill(Workspace<double> workspace, int first, int count)
        {
            workspace.Rows = count;
            foreach (var (name, numbers) in values)
            {
                var size = numbers.Length / rows;
                var to = definition.OutputNames.Contains(name) ? workspace.OutputGradient(name) : workspace.Input(name);
                numbers.AsSpan(first * size, count * size).CopyTo(to);
            }

            foreach (var (name, numbers) in labels)
                numbers.AsSpan(first * Positions, count * Positions).CopyTo(workspace.IndexInput(name));
        }
    }

    private static void Near(double expected, double actual, double scale, string what) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-12 * scale, $"{what}: {actual}, expected {expected}.");
}
