using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Losses;

public sealed class ElementwiseLossTests
{
    private const double Inf = double.PositiveInfinity;

    /// <summary>Every loss with every reduction; data by name.</summary>
    private static IEnumerable<(string Data, LossReduction Reduction, ElementwiseLoss Loss, ElementLossReference Reference)> All()
    {
        foreach (var r in Enum.GetValues<LossReduction>())
        {
            yield return ("signed", r, new MeanSquaredError(r), ElementLossReference.Squared);
            yield return ("signed", r, new MeanAbsoluteError(r), ElementLossReference.Absolute);
            yield return ("signed", r, new Huber(0.4, r), ElementLossReference.Huber(0.4));
            yield return ("signed", r, new SmoothL1(0.4, r), ElementLossReference.SmoothL1(0.4));
            yield return ("signed", r, new Hinge(0.5, r), ElementLossReference.Hinge(0.5));
            yield return ("signed", r, new Quantile(0.3, r), ElementLossReference.Quantile(0.3));
            yield return ("signed", r, new PoissonNegativeLogLikelihood(reduction: r), ElementLossReference.Poisson);
            yield return ("fraction", r, new BinaryCrossEntropy(1, r), ElementLossReference.BinaryCrossEntropy(1));
            yield return ("fraction", r, new BinaryCrossEntropy(2.5, r), ElementLossReference.BinaryCrossEntropy(2.5));
            yield return ("fraction", r, new BinaryCrossEntropy(0, r), ElementLossReference.BinaryCrossEntropy(0));
            yield return ("fraction", r, new BinaryCrossEntropy(2.5, r, 0.2), ElementLossReference.SmoothedBinaryCrossEntropy(2.5, 0.2));
            yield return ("fraction", r, new Focal(reduction: r), ElementLossReference.Focal(0.25, 2));
            yield return ("fraction", r, new Focal(null, 1.5, r), ElementLossReference.Focal(null, 1.5));
            yield return ("fraction", r, new Focal(0.75, 0, r), ElementLossReference.Focal(0.75, 0));
            yield return ("fraction", r, new KullbackLeibler(false, r), ElementLossReference.Divergence);
            yield return ("signed", r, new KullbackLeibler(true, r), ElementLossReference.LogDivergence);
        }
    }

    [Theory, InlineData(1, 1), InlineData(1, 7), InlineData(5, 3), InlineData(13, 1), InlineData(3, 17), InlineData(9, 100), InlineData(3, 1025),
        InlineData(2, 5000)]
    [InlineData(1500, 1)]
    public void Every_loss_and_reduction_follows_the_definition(int rows, int size)
    {
        var y = Numbers(rows * size, 1);
        double[] w = [.. Numbers(rows, 3).Select(v => Math.Round(4 * Math.Abs(v)) / 4)]; // Some are 0.
        w[0] = 0.75;
        foreach (var (data, reduction, loss, reference) in All())
        {
            double[] t = data == "signed" ? Numbers(rows * size, 2) : [.. Numbers(rows * size, 2).Select(v => (float)Math.Max(0, v))];
            var perRow = loss is KullbackLeibler ? 1 : size;
            var denominators = Enumerable.Repeat((double)perRow, rows).ToArray();
            double[] losses = [.. y.Zip(t, reference.Value).Chunk(size).Select(row => row.Sum())];
            double[] dy = [.. y.Zip(t, reference.Slope)], dt = [.. y.Zip(t, reference.TargetSlope)];
            foreach (var weights in (double[]?[])[null, w])
            {
                new ReducedLossRun<double>(loss, new Shape(size), y, t, null, weights).AssertIs(reduction, losses, denominators, weights, dy, dt);
                new ReducedLossRun<float>(loss, new Shape(size), y, t, null, weights).AssertIs(reduction, losses, denominators, weights, dy, dt);
            }
        }
    }

    [Fact]
    public void A_row_of_any_rank_is_its_elements()
    {
        double[] y = Numbers(24, 1), t = Numbers(24, 2);
        var flat = new ReducedLossRun<double>(new Huber(), new Shape(12), y, t, null, null);
        var cube = new ReducedLossRun<double>(new Huber(), new Shape(2, 2, 3), y, t, null, null);
        Assert.Equal(flat.Outputs, cube.Outputs);
        Assert.Equal(flat.Dx, cube.Dx);
    }

    [Fact]
    public void A_row_of_weight_0_takes_no_part_whatever_it_holds()
    {
        foreach (var (_, reduction, loss, _) in All())
        {
            double[] good = [0.5, -0.25, 0.125, 0.5], bad = [0.5, -0.25, double.NaN, Inf, 0.125, 0.5], t = [0.25, 0.5, 0.75, 0.5];
            var without = new ReducedLossRun<double>(loss, new Shape(2), good, t, null, [1, 2]);
            var with = new ReducedLossRun<double>(loss, new Shape(2), bad, [0.25, 0.5, 0, 1, 0.75, 0.5], null, [1, 0, 2]);
            Assert.Equal([0.0, 0], with.Dx[2..4]);
            Assert.Equal([0.0, 0], with.Dt[2..4]);
            if (reduction == LossReduction.None)
            {
                Assert.Equal((double[])[without.Outputs[0], 0, without.Outputs[1]], with.Outputs);
                continue;
            }

            Assert.Equal(without.Outputs, with.Outputs);
            Assert.Equal(without.Dx, (double[])[.. with.Dx[..2], .. with.Dx[4..]]);
        }
    }

    [Fact]
    public void Weights_that_sum_to_0_give_loss_and_gradients_0()
    {
        foreach (var (_, reduction, loss, _) in All())
        {
            if (reduction != LossReduction.Mean)
                continue;
            foreach (var weights in (double[][])[[0, 0], [1, -1]])
            {
                var run = new ReducedLossRun<double>(loss, new Shape(2), [1, 2, 3, 4], [0.5, 0, 1, 0.5], null, weights);
                Assert.Equal([0.0], run.Outputs);
                Assert.All(run.Dx, g => Assert.Equal(0, g));
                Assert.All(run.Dt, g => Assert.Equal(0, g));
                Assert.All(run.Dw, g => Assert.Equal(0, g));
            }
        }
    }

    [Fact]
    public void Equal_weights_change_nothing()
    {
        double[] y = Numbers(40, 1), t = [.. Numbers(40, 2).Select(Math.Abs)];
        foreach (var (_, reduction, loss, _) in All())
        {
            if (reduction != LossReduction.Mean)
                continue;
            var plain = new ReducedLossRun<double>(loss, new Shape(5), y, t, null, null);
            var weighted = new ReducedLossRun<double>(loss, new Shape(5), y, t, null, [.. Enumerable.Repeat(3.0, 8)]);
            Assert.Equal(plain.Outputs[0], weighted.Outputs[0], 1e-15);
            for (var i = 0; i < y.Length; i++)
                Assert.Equal(plain.Dx[i], weighted.Dx[i], 1e-15);
        }
    }

    [Fact]
    public void NaN_propagates_into_loss_and_gradient()
    {
        foreach (var (_, _, loss, _) in All())
        {
            var run = new ReducedLossRun<float>(loss, new Shape(3), [0.5, double.NaN, 0.25], [0.5, 0.5, 0.5], null, null);
            Assert.True(float.IsNaN(run.Outputs[0]));
            Assert.True(loss is KullbackLeibler or Hinge || float.IsNaN(run.Dx[1])); // A divergence is linear in x, a hinge in pieces.
            Assert.True(float.IsNaN(new ReducedLossRun<float>(loss, new Shape(3), [0.5, 0.5, 0.5], [0.5, double.NaN, 0.5], null, null).Outputs[0]));
        }
    }

    [Fact]
    public void At_kinks_the_derivative_is_PyTorchs()
    {
        Assert.Equal([0, 1.5 / 3, -1.5 / 3], new ReducedLossRun<double>(new MeanAbsoluteError(), new Shape(3), [1, 2, 1], [1, 1, 2], null, null).Dx);
        Assert.Equal([1.5, -1.5, 0], new ReducedLossRun<double>(new Huber(1, LossReduction.Sum), new Shape(3), [1, -1, 0], [0, 0, 0.0], null, null).Dx);
        Assert.Equal([1.5, -1.5, 0], new ReducedLossRun<double>(new SmoothL1(2, LossReduction.Sum), new Shape(3), [2, -2, 0], [0, 0, 0.0], null, null).Dx);
        Assert.Equal([0.0, 0], new ReducedLossRun<float>(new MeanAbsoluteError(), new Shape(1), [1, -3], [1, -3], null, null).Dx.Select(g => (double)g));
    }

    [Fact]
    public void Binary_cross_entropy_is_exact_at_infinite_and_large_logits()
    {
        foreach (var p in (double[])[1, 3])
        {
            Assert.Equal([0, 0, Inf, Inf, Inf, 1000 * p, 1000, 0],
                new ReducedLossRun<double>(new BinaryCrossEntropy(p, LossReduction.None), new Shape(1),
                    [Inf, -Inf, Inf, -Inf, Inf, -1000, 1000, 1000], [1, 0, 0, 1, 0.5, 1, 0, 1], null, null).Outputs);
        }

        var run = new ReducedLossRun<float>(new BinaryCrossEntropy(1, LossReduction.Sum), new Shape(6),
            [Inf, -Inf, Inf, -Inf, -80, 80], [1, 0, 0, 1, 0, 1], null, null);
        Assert.Equal([0, 0, 1.5f, -1.5f], run.Dx[..4]);
        Assert.Equal(1.5 * Math.Exp(-80), run.Dx[4], 1e-5 * Math.Exp(-80));
        Assert.Equal(-1.5 * Math.Exp(-80), run.Dx[5], 1e-5 * Math.Exp(-80));
        var tiny = new ReducedLossRun<double>(new BinaryCrossEntropy(), new Shape(1), [50], [1], null, null).Outputs[0];
        Assert.Equal(Math.Exp(-50), tiny, 1e-14 * Math.Exp(-50));
    }

    [Fact]
    public void A_focal_loss_is_exact_at_infinite_and_large_logits()
    {
        foreach (var gamma in (double[])[0, 0.5, 1, 2])
        {
            Assert.Equal([0, 0, Inf, Inf, 500, 0],
                new ReducedLossRun<double>(new Focal(0.5, gamma, LossReduction.None), new Shape(1),
                    [Inf, -Inf, Inf, -Inf, -1000, 1000], [1, 0, 0, 1, 1, 1], null, null).Outputs);
            var run = new ReducedLossRun<float>(new Focal(0.5, gamma, LossReduction.Sum), new Shape(8),
                [Inf, -Inf, Inf, -Inf, 1000, -1000, 1000, -1000], [1, 0, 0, 1, 1, 0, 0, 1], null, null);
            Assert.Equal([0, 0, 0.75f, -0.75f, 0, 0, 0.75f, -0.75f], run.Dx);
        }

        // For t = 1, q = e^-40 and b = e^-40 nearly: the loss is q^2 b, and its derivative -3 times that.
        var tail = new ReducedLossRun<double>(new Focal(null), new Shape(1), [40], [1], null, null);
        Assert.Equal(Math.Exp(-120), tail.Outputs[0], 1e-13 * Math.Exp(-120));
        Assert.Equal(-4.5 * Math.Exp(-120), tail.Dx[0], 1e-13 * Math.Exp(-120));
    }

    [Fact]
    public void A_divergence_leaves_zero_targets_out_and_its_mean_is_over_rows()
    {
        var run = new ReducedLossRun<double>(new KullbackLeibler(), new Shape(2), [-Inf, 0, Math.Log(0.5), Math.Log(0.5)], [0, 1, 0.5, 0.5], null, null);
        Assert.Equal([0.0], run.Outputs);
        Assert.Equal(0, run.Dt[0]);
        run = new ReducedLossRun<double>(new KullbackLeibler(true), new Shape(2), [-Inf, 0], [-Inf, 0], null, null);
        Assert.Equal([0.0], run.Outputs);
        Assert.Equal(0, run.Dt[0]);
        run = new ReducedLossRun<double>(new KullbackLeibler(), new Shape(2), [Math.Log(0.25), Math.Log(0.75), Math.Log(0.5), Math.Log(0.5)],
            [0.5, 0.5, 0.5, 0.5], null, null);
        Assert.Equal(0.5 * (0.5 * Math.Log(2) + 0.5 * Math.Log(2 / 3.0)), run.Outputs[0], 1e-15);
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        double[] y = Numbers(40_000, 1), t = [.. Numbers(40_000, 2).Select(Math.Abs)], w = [.. Numbers(8000, 3).Select(Math.Abs)];
        foreach (var loss in (ElementwiseLoss[])[new MeanSquaredError(), new BinaryCrossEntropy(), new Huber(1, LossReduction.None)])
        {
            foreach (var weights in (double[]?[])[null, w])
            {
                Threads.AssertSameBits<float>(context =>
                {
                    var run = new ReducedLossRun<float>(loss, new Shape(5), y, t, null, weights, context);
                    return [.. run.Outputs, .. run.Dx, .. run.Dt, .. run.Dw];
                });
            }
        }
    }

    [Fact]
    public void Without_reduction_the_output_is_no_loss_of_a_graph()
    {
        var graph = new GraphBuilder();
        var node = graph.Input("x", 3).Apply(new MeanSquaredError(LossReduction.None), graph.Input("t", 3));
        Assert.Equal("values []", node.Type.ToString());
        Assert.Contains("one number for the batch", Assert.Throws<ArgumentException>(() => graph.Loss(node)).Message, StringComparison.Ordinal);
        var sum = new GraphBuilder();
        Assert.Equal(EdgeKind.Shared, sum.Input("x", 3).Apply(new MeanSquaredError(LossReduction.Sum), sum.Input("t", 3)).Type.Kind);
    }

    [Fact]
    public void Arguments_and_shapes_are_checked()
    {
        foreach (var bad in (double[])[0, -1, double.NaN, Inf, 1e31])
        {
            Assert.Equal("delta", Assert.Throws<ArgumentOutOfRangeException>(() => new Huber(bad)).ParamName);
            Assert.Equal("beta", Assert.Throws<ArgumentOutOfRangeException>(() => new SmoothL1(bad)).ParamName);
        }

        foreach (var bad in (double[])[0, 1, -1, double.NaN])
            Assert.Equal("level", Assert.Throws<ArgumentOutOfRangeException>(() => new Quantile(bad)).ParamName);
        Assert.Equal("margin", Assert.Throws<ArgumentOutOfRangeException>(() => new Hinge(0)).ParamName);
        Assert.Equal("epsilon", Assert.Throws<ArgumentOutOfRangeException>(() => new PoissonNegativeLogLikelihood(epsilon: 0)).ParamName);
        foreach (var bad in (double[])[-1, 1, double.NaN])
            Assert.Equal("labelSmoothing", Assert.Throws<ArgumentOutOfRangeException>(() => new BinaryCrossEntropy(labelSmoothing: bad)).ParamName);
        foreach (var bad in (double[])[-0.1, 1.1, double.NaN])
            Assert.Equal("alpha", Assert.Throws<ArgumentOutOfRangeException>(() => new Focal(bad)).ParamName);
        foreach (var bad in (double[])[-1, Inf, double.NaN])
            Assert.Equal("gamma", Assert.Throws<ArgumentOutOfRangeException>(() => new Focal(gamma: bad)).ParamName);
        Assert.Equal("positiveWeight", Assert.Throws<ArgumentOutOfRangeException>(() => new BinaryCrossEntropy(-1)).ParamName);
        Assert.Equal("reduction", Assert.Throws<ArgumentOutOfRangeException>(() => new MeanSquaredError((LossReduction)3)).ParamName);
        var graph = new GraphBuilder();
        var (x, t) = (graph.Input("x", 3), graph.Input("t", 3));
        foreach (var (_, _, loss, _) in All())
        {
            Assert.Contains("values [4]", Assert.Throws<ArgumentException>(() => x.Apply(loss, graph.Input("four" + Guid.NewGuid(), 4))).Message,
                StringComparison.Ordinal);
            Assert.Contains("it got 1", Assert.Throws<ArgumentException>(() => x.Apply(loss)).Message, StringComparison.Ordinal);
            Assert.Contains("it got 4", Assert.Throws<ArgumentException>(() => x.Apply(loss, t, t, t)).Message, StringComparison.Ordinal);
            var two = graph.Input("two" + Guid.NewGuid(), 2);
            Assert.Contains("rank 0", Assert.Throws<ArgumentException>(() => x.Apply(loss, t, two)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Chains_end_in_a_loss_or_in_an_output_per_row()
    {
        double[] x = [1, 2, 3, 4], t = [0.5, 1, 0, 0.25];
        Check(n => n.MeanSquaredError(), new MeanSquaredError());
        Check(n => n.MeanAbsoluteError(), new MeanAbsoluteError());
        Check(n => n.Huber(loss: new Huber(2)), new Huber(2));
        Check(n => n.SmoothL1(), new SmoothL1());
        Check(n => n.BinaryCrossEntropy(loss: new BinaryCrossEntropy(3)), new BinaryCrossEntropy(3));
        Check(n => n.KullbackLeibler(), new KullbackLeibler());
        Check(n => n.Hinge(), new Hinge());
        Check(n => n.Quantile(loss: new Quantile(0.2)), new Quantile(0.2));
        Check(n => n.PoissonNegativeLogLikelihood(), new PoissonNegativeLogLikelihood());
        Check(n => n.Focal(loss: new Focal(null, 1)), new Focal(null, 1));

        void Check(Func<Node, Node> end, ElementwiseLoss loss)
        {
            var network = end(GraphBuilder.Chain(2)).Build<double>();
            var workspace = network.CreateWorkspace(2, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
            workspace.SetInput("x", x);
            workspace.SetInput("targets", t);
            Assert.Equal(new ReducedLossRun<double>(loss, new Shape(2), x, t, null, null).Outputs[0], network.Forward(workspace));
        }

        var weighted = GraphBuilder.Chain(2).MeanSquaredError(sampleWeights: "w").Build<double>();
        Assert.Equal("values []", weighted.Definition.TypeOf("w").ToString());
        var none = GraphBuilder.Chain(2).MeanSquaredError(loss: new MeanSquaredError(LossReduction.None)).Build<double>();
        Assert.Empty(none.Definition.LossNames);
        Assert.Equal(2, none.Definition.OutputNames.Count());
    }

    private static double[] Numbers(int count, ulong seed)
    {
        var random = new TestRandom(seed);
        var numbers = new double[count];
        for (var i = 0; i < count; i++)
            numbers[i] = (float)random.Signed<double>();
        return numbers;
    }
}
