using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Gradients of graphs: fan-out, tied parameters, several ends, outputs unused, caches.</summary>
public sealed class GraphGradientTests
{
    [Fact]
    public void Fan_out_sums_over_every_consumer()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 3);
        var h = x.Affine(3).Tanh();
        graph.Output(h + h * h + h.Exponential() + h.Affine(3) + x);
        AssertPasses(graph, rows: 2);
    }

    [Fact]
    public void A_residual_block_passes()
    {
        var x = GraphBuilder.Chain(6);
        var h = x.Affine(6).Tanh();
        for (var i = 0; i < 3; i++)
            h = h + h.Affine(5).Sigmoid().Affine(6);
        h.Affine(2).MeanSquaredError();
        AssertPasses(x.Graph, rows: 3);
    }

    [Fact]
    public void A_tied_parameter_has_one_gradient_that_sums_its_uses()
    {
        var graph = new GraphBuilder();
        var w = graph.Parameter("w", new Shape(4, 4));
        var x = graph.Input("x", 4);
        var h = Node.MatrixProduct(x, w).Tanh();
        graph.Output(Node.MatrixProduct(h, w));
        var network = AssertPasses(graph, rows: 3);
        Assert.Equal("w", Assert.Single(network.Definition.Parameters.Entries).Name);

        // Unrolled by hand: the same numbers in two parameters; the tied gradient is the sum of theirs.
        var untied = new GraphBuilder();
        var (w0, w1) = (untied.Parameter("w0", new Shape(4, 4)), untied.Parameter("w1", new Shape(4, 4)));
        untied.Output(Node.MatrixProduct(Node.MatrixProduct(untied.Input("x", 4), w0).Tanh(), w1));
        var other = untied.Build().CreateNetwork<double>();
        network.ParameterOf("w").CopyTo(other.ParameterOf("w0"));
        network.ParameterOf("w").CopyTo(other.ParameterOf("w1"));
        var (tied, twice) = (Run(network, 3), Run(other, 3));
        for (var i = 0; i < 16; i++)
            Assert.Equal(twice.ParameterGradientOf("w0")[i] + twice.ParameterGradientOf("w1")[i], tied.ParameterGradientOf("w")[i], 1e-13);
        Assert.Equal(tied.ParameterGradientOf("w").ToArray(), tied.GradientOf("w").ToArray());
    }

    [Fact]
    public void A_tied_parameter_accumulates_over_steps_only_when_asked()
    {
        var graph = new GraphBuilder();
        var w = graph.Parameter("w", new Shape(3));
        graph.Output(w * w + w);
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded);
        network.ParameterOf("w").Fill(2);
        for (var step = 0; step < 3; step++)
        {
            network.Forward(workspace);
            network.Backward(workspace);
            Assert.Equal([5.0, 5, 5], workspace.ParameterGradientOf("w").ToArray());
        }

        network.Backward(workspace, accumulate: true);
        Assert.Equal([10.0, 10, 10], workspace.ParameterGradientOf("w").ToArray());
    }

    [Fact]
    public void A_parameter_is_no_output_but_its_value_can_be_read()
    {
        var graph = new GraphBuilder();
        var w = graph.Parameter("w", new Shape(2));
        Assert.Contains("is a parameter", Assert.Throws<ArgumentException>(() => graph.Output(w)).Message, StringComparison.Ordinal);
        graph.Output(w * w);
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded);
        network.ParameterOf("w").Fill(3);
        Assert.Equal([3.0, 3], workspace.ValueOf("w").ToArray());
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal([6.0, 6], workspace.GradientOf("w").ToArray());
    }

    [Fact]
    public void Several_inputs_outputs_and_weighted_losses()
    {
        var graph = new GraphBuilder();
        var (a, b) = (graph.Input("a", 3), graph.Input("b", 4));
        var (ha, hb) = (a.Affine(5).Tanh(), b.Affine(5).Sigmoid());
        var both = ha * hb;
        var (left, right) = (both.Affine(2), both.Affine(3));
        graph.Output(left);
        graph.Output(right);
        graph.Loss(left.Apply(new MeanSquaredError(), graph.Input("t", 2)).Named("first"), 0.25);
        graph.Loss(right.Apply(new SoftmaxCrossEntropy(), graph.IndexInput("labels")).Named("second"), -2);
        var network = AssertPasses(graph, rows: 4);
        var workspace = Run(network, 4);
        Assert.Equal(0.25 * workspace.LossOf("first") - 2 * workspace.LossOf("second"), workspace.Loss, 1e-15);
        Assert.Equal(["first", "second"], network.Definition.LossNames);
        Assert.Equal([0.25], workspace.GradientOf("first").ToArray());
        Assert.Throws<ArgumentException>(() => workspace.LossOf("affine1"));
    }

    [Fact]
    public void A_loss_may_feed_further_nodes()
    {
        var graph = new GraphBuilder();
        var loss = graph.Input("x", 3).Affine(2).Apply(new MeanSquaredError(), graph.Input("t", 2));
        graph.Loss(loss, 0.5);
        graph.Output(loss * loss);
        AssertPasses(graph, rows: 2, outputGradients: true);
    }

    [Theory, InlineData(0), InlineData(1)]
    public void Of_two_outputs_one_may_be_unused(int used)
    {
        var graph = new GraphBuilder();
        var outputs = graph.ApplyAll(new Fork(), graph.Input("x", 3).Affine(3));
        graph.Output(outputs[used].Tanh());
        var network = AssertPasses(graph, rows: 2);

        // The gradient of the unused output is zero in every step, not only in the first.
        var workspace = Run(network, 2);
        var first = workspace.Gradients.ToArray();
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal(first, workspace.Gradients.ToArray());
    }

    [Fact]
    public void Both_outputs_of_a_layer_and_each_twice()
    {
        var graph = new GraphBuilder();
        var outputs = graph.ApplyAll(new Fork(), graph.Input("x", 3).Affine(3));
        graph.Output(outputs[0] * outputs[1] + outputs[1] * outputs[1]);
        graph.Output(outputs[0]);
        AssertPasses(graph, rows: 2);
    }

    [Fact]
    public void An_unused_branch_costs_nothing_and_has_zero_gradient()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 3);
        var h = x.Affine(3);
        var dead = (h.SquaredNorm() * -1 - 1).Apply(new Picky()).Affine(7).Named("dead"); // Picky would throw.
        graph.Output(h.Tanh());
        Assert.NotEqual(default, dead);
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        var workspace = Run(network, 2);
        Assert.All(workspace.ParameterGradientOf("dead.weight").ToArray(), g => Assert.Equal(0, g));
        Assert.Throws<ArgumentException>(() => network.Forward(network.CreateWorkspace(2, new WorkspaceOptions { Retain = Retain.All })));
        var report = GradientCheck.Run(network, workspace);
        Assert.True(report.Passes(1e-7), report.ToString());
        Assert.Equal((0.0, 0.0), (report["dead.bias"].WorstAnalytic, report["dead.bias"].WorstNumerical));
    }

    [Fact]
    public void Row_caches_batch_caches_and_scratch_do_not_meet()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 3).Affine(3);
        graph.Output(x.Apply(new CachedSquare()).Apply(new CachedSquare()) + x.Affine(3).Apply(new CachedSquare()));
        AssertPasses(graph, rows: 3);
        var inference = graph.Build().CreateNetwork<double>().CreateWorkspace(3, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        inference.Network.Forward(inference);
    }

    [Fact]
    public void A_shared_layer_on_its_own_output()
    {
        var graph = new GraphBuilder();
        var layer = graph.Share(new Affine(3));
        graph.Output(graph.Apply(layer, graph.Apply(layer, graph.Input("x", 3))));
        Assert.Equal(2, AssertPasses(graph, rows: 2).Definition.Parameters.Entries.Count);
    }

    [Fact]
    public void Shared_inputs_and_parameters_of_rank_0_and_2()
    {
        var graph = new GraphBuilder();
        var w = graph.Parameter("w", new Shape(3, 2));
        var s = graph.Parameter("s", Shape.Scalar);
        var product = Node.MatrixProduct(graph.Input("x", 3), w + graph.SharedInput("offset", 3, 2));
        graph.Output(product.SquaredNorm());
        graph.Output(s * w.SquaredNorm());
        AssertPasses(graph, rows: 2);
    }

    internal static Network<double> AssertPasses(GraphBuilder graph, int rows, bool outputGradients = false)
    {
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        foreach (var retain in (Retain[])[Retain.None, Retain.All])
        {
            var workspace = network.CreateWorkspace(rows,
                new WorkspaceOptions { InputGradients = true, OutputGradients = outputGradients, Retain = retain }, ComputeContext.SingleThreaded);
            Fill(workspace);
            var report = GradientCheck.Run(network, workspace);
            Assert.True(report.Passes(1e-7, 1e-10), report.ToString());
            Assert.All(report.Entries, e => Assert.False(e.WorstAnalytic == 0 && e.WorstNumerical == 0));
        }

        return network;
    }

    private static Workspace<double> Run(Network<double> network, int rows)
    {
        var workspace = network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        Fill(workspace);
        network.Forward(workspace);
        network.Backward(workspace);
        return workspace;
    }

    private static void Fill(Workspace<double> workspace)
    {
        var random = new TestRandom(5);
        foreach (var name in workspace.Network.Definition.InputNames)
        {
            if (workspace.Network.Definition.TypeOf(name).Kind == EdgeKind.Indices)
            {
                foreach (ref var index in workspace.IndexInput(name))
                    index = random.Integer(0, 1);
                continue;
            }

            foreach (ref var value in workspace.Input(name))
                value = random.Signed<double>();
        }
    }
}
