using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Inputs, outputs, what can be read when, order of calls, short batches, inference.</summary>
public sealed class WorkspaceTests
{
    private static readonly WorkspaceOptions WithInputs = new() { InputGradients = true };

    [Fact]
    public void Backward_before_forward_throws()
    {
        var (network, workspace) = Chain();
        Assert.Contains("Forward", Assert.Throws<InvalidOperationException>(() => network.Backward(workspace)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => network.Update(workspace, new Sgd<double>(network.Parameters.Length, 0.1)));
        Assert.Throws<InvalidOperationException>(() => { workspace.Output(); });
        network.Forward(workspace);
        Assert.Throws<InvalidOperationException>(() => { workspace.GradientOf("affine2"); });
        Assert.Throws<InvalidOperationException>(() => network.Update(workspace, new Sgd<double>(network.Parameters.Length, 0.1)));
        network.Backward(workspace);
        Assert.Equal(3, workspace.GradientOf("affine2").Length / 2);
    }

    [Fact]
    public void Changed_rows_need_a_new_forward()
    {
        var (network, workspace) = Chain();
        network.Forward(workspace);
        workspace.Rows = 1;
        Assert.Throws<InvalidOperationException>(() => network.Backward(workspace));
        network.Forward(workspace);
        workspace.Rows = 1;
        network.Backward(workspace);
        Assert.Throws<ArgumentOutOfRangeException>(() => workspace.Rows = 0);
        Assert.Throws<ArgumentOutOfRangeException>(() => workspace.Rows = 3);
        Assert.Throws<ArgumentOutOfRangeException>(() => network.CreateWorkspace(0));
        Assert.Equal((1, 2), (workspace.Rows, workspace.Capacity));
    }

    [Fact]
    public void A_forward_that_throws_leaves_nothing_to_go_back_from()
    {
        var network = GraphBuilder.Chain(1).Affine(1).Apply(new Picky()).Build<double>();
        network.ParameterOf("affine1.weight")[0] = 1;
        var workspace = network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded);
        workspace.Input().Fill(1);
        network.Forward(workspace);
        workspace.Input().Fill(-1);
        Assert.Throws<ArgumentException>(() => network.Forward(workspace));
        Assert.Throws<InvalidOperationException>(() => network.Backward(workspace));
    }

    [Fact]
    public void What_is_not_retained_cannot_be_read()
    {
        var (network, workspace) = Chain();
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Contains("Retain", Assert.Throws<InvalidOperationException>(() => { workspace.ValueOf("sigmoid1"); }).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => { workspace.GradientOf("sigmoid1"); });
        Assert.Throws<ArgumentException>(() => { workspace.ValueOf("nothing"); });
        var kept = network.CreateWorkspace(2, new WorkspaceOptions { Retain = Retain.Nodes("sigmoid1") }, ComputeContext.SingleThreaded);
        network.Forward(kept);
        network.Backward(kept);
        Assert.Equal(8, kept.ValueOf("sigmoid1").Length);
        Assert.Equal(8, kept.GradientOf("sigmoid1").Length);
        Assert.Throws<InvalidOperationException>(() => { kept.ValueOf("affine1"); });
        var all = network.CreateWorkspace(2, new WorkspaceOptions { Retain = Retain.All }, ComputeContext.SingleThreaded);
        network.Forward(all);
        network.Backward(all);
        Assert.Equal(8, all.GradientOf("affine1").Length);
    }

    [Fact]
    public void Retained_values_and_gradients_are_those_of_the_chain_rule()
    {
        var graph = new GraphBuilder();
        var (x, y, z) = (graph.Input("x"), graph.Input("y"), graph.Input("z"));
        graph.Output(((x + y).Named("q") * z).Named("f"));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true, Retain = Retain.Nodes("q") }, ComputeContext.SingleThreaded);
        workspace.SetInput("x", [-2]);
        workspace.SetInput("y", [5]);
        workspace.SetInput("z", [-4]);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal((3.0, -12.0), (workspace.ValueOf("q")[0], workspace.ValueOf("f")[0]));
        Assert.Equal((-4.0, 3.0, -4.0, -4.0, 1.0), (workspace.GradientOf("q")[0], workspace.GradientOf("z")[0],
            workspace.GradientOf("x")[0], workspace.GradientOf("y")[0], workspace.GradientOf("f")[0]));
    }

    [Fact]
    public void Inference_has_outputs_and_nothing_else()
    {
        var network = GraphBuilder.Chain(4).Affine(4).Sigmoid().Affine(3).SoftmaxCrossEntropy().Build<double>();
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        workspace.Input().Fill(0.5);
        Assert.Equal(double.NaN, network.Forward(workspace)); // The loss is not computed: no number could be taken for it.
        Assert.Equal(6, workspace.Output().Length);
        Assert.Equal(6, workspace.Output("affine2").Length);
        Assert.Throws<InvalidOperationException>(() => network.Backward(workspace));
        Assert.Throws<InvalidOperationException>(() => { _ = workspace.Gradients; });
        Assert.Throws<InvalidOperationException>(() => { workspace.ParameterGradientOf("affine1.weight"); });
        Assert.Throws<InvalidOperationException>(() => { workspace.GradientOf("affine2"); });
        Assert.Throws<InvalidOperationException>(() => workspace.LossOf("softmaxcrossentropy1"));
        Assert.Throws<InvalidOperationException>(() => { workspace.OutputGradient(); });
        Assert.Throws<InvalidOperationException>(() => network.Step(workspace, new Sgd<double>(network.Parameters.Length, 0.1)));
    }

    [Fact]
    public void Inference_equals_training_and_takes_less_space()
    {
        var chain = GraphBuilder.Chain(8);
        for (var i = 0; i < 6; i++)
            chain = chain.Affine(32).Relu();
        var network = chain.Affine(4).Build<float>(seed: 2);
        var training = network.CreateWorkspace(16, compute: ComputeContext.SingleThreaded);
        var inference = network.CreateWorkspace(16, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        foreach (var workspace in (Workspace<float>[])[training, inference])
        {
            Fill(workspace.Input(), 3);
            network.Forward(workspace);
        }

        Bits.AssertEqual(training.Output(), inference.Output(), "output");
        Assert.True(2 * inference.Bytes < training.Bytes, $"{inference.Bytes} bytes in inference, {training.Bytes} in training.");

        // Two hidden layers live at once, each written over by its activation; the output is apart.
        Assert.True(inference.Bytes < sizeof(float) * 16 * (8 + 2 * 32 + 4) + 4096, $"{inference.Bytes} bytes.");
    }

    [Fact]
    public void A_shorter_batch_equals_one_of_its_own_size()
    {
        var node = GraphBuilder.Chain(5).Affine(7).Tanh().Affine(3).SoftmaxCrossEntropy();
        var network = node.Build<double>(seed: 4);
        var (large, exact) = (network.CreateWorkspace(9, WithInputs, ComputeContext.SingleThreaded),
            network.CreateWorkspace(4, WithInputs, ComputeContext.SingleThreaded));
        Fill(large.Input(), 1);
        network.Forward(large);
        network.Backward(large); // Leaves numbers of nine rows everywhere.
        large.Rows = 4;
        foreach (var workspace in (Workspace<double>[])[large, exact])
        {
            Fill(workspace.Input(), 2);
            workspace.SetIndexInput("labels", [0, 2, 1, 1]);
            network.Forward(workspace);
            network.Backward(workspace);
        }

        Assert.Equal(exact.Loss, large.Loss);
        Bits.AssertEqual(exact.Output(), large.Output(), "output");
        Bits.AssertEqual<double>(exact.Gradients, large.Gradients, "gradients");
        Bits.AssertEqual(exact.GradientOf("x"), large.GradientOf("x"), "input gradient");
    }

    [Fact]
    public void A_bound_input_is_read_where_it_lies()
    {
        var (network, workspace) = Chain();
        var memory = new double[10];
        Fill(memory, 5);
        workspace.SetInput("x", memory.AsSpan(2, 8));
        network.Forward(workspace);
        var expected = workspace.Output().ToArray();
        workspace.Input().Clear();
        workspace.BindInput("x", memory.AsMemory(2));
        network.Forward(workspace);
        Bits.AssertEqual(expected, workspace.Output(), "bound");
        Bits.AssertEqual<double>(memory.AsSpan(2, 8), workspace.ValueOf("x"), "value");
        memory[2] += 1; // The caller's memory, not a copy.
        network.Forward(workspace);
        Assert.NotEqual(expected, workspace.Output().ToArray());
        workspace.Input(); // Ends the binding: the buffer of zeros is read again.
        network.Forward(workspace);
        Assert.Equal(workspace.Output()[..3].ToArray(), workspace.Output()[3..].ToArray());
    }

    [Fact]
    public void A_bound_input_must_be_long_enough_also_when_rows_grow()
    {
        var (network, workspace) = Chain();
        Assert.Contains("takes 8 elements", Assert.Throws<ArgumentException>(() => workspace.BindInput("x", new double[7])).Message, StringComparison.Ordinal);
        workspace.Rows = 1;
        workspace.BindInput("x", new double[4]);
        network.Forward(workspace);
        workspace.Rows = 2;
        Assert.Contains("the memory has 4", Assert.Throws<ArgumentException>(() => network.Forward(workspace)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => workspace.BindInput("affine1", new double[8]));
        Assert.Throws<ArgumentException>(() => workspace.BindIndexInput("x", new int[8]));
    }

    [Fact]
    public void Bound_labels_are_read_where_they_lie()
    {
        var network = GraphBuilder.Chain(3).SoftmaxCrossEntropy().Build<double>();
        var workspace = network.CreateWorkspace(2, compute: ComputeContext.SingleThreaded);
        workspace.SetInput("x", [1, 2, 3, 1, 2, 3]);
        int[] labels = [2, 2];
        workspace.BindIndexInput("labels", labels);
        Assert.Equal(0.4076059644443804, network.Forward(workspace), 1e-15);
        labels[1] = 1;
        Assert.Equal(0.9076059644443804, network.Forward(workspace), 1e-15);
        workspace.SetIndexInput("labels", [2, 2]);
        Assert.Equal(0.4076059644443804, network.Forward(workspace), 1e-15);
        Assert.Throws<ArgumentException>(() => workspace.BindIndexInput("labels", new int[1]));
        Assert.Throws<ArgumentException>(() => workspace.SetIndexInput("labels", new int[3]));
        Assert.Throws<ArgumentException>(() => workspace.SetIndexInput("x", new int[2]));
        Assert.Throws<ArgumentException>(() => { workspace.ValueOf("labels"); });
        Assert.Throws<ArgumentException>(() => { workspace.Input("labels"); });
        Assert.Equal(2, workspace.IndexInput().Length);
    }

    [Fact]
    public void Inputs_of_another_length_or_name_are_refused()
    {
        var (_, workspace) = Chain();
        Assert.Contains("takes 8 elements for the current rows; got 7",
            Assert.Throws<ArgumentException>(() => workspace.SetInput("x", new double[7])).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => workspace.SetInput("y", new double[8]));
        Assert.Contains("x (values [4])", Assert.Throws<ArgumentException>(() => workspace.SetInput("affine1", new double[8])).Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => { workspace.IndexInput(); });
    }

    [Fact]
    public void Output_gradients_are_where_backward_starts()
    {
        var (network, workspace) = Chain(WithInputs);
        network.Forward(workspace);
        network.Backward(workspace);
        var ones = workspace.GradientOf("x").ToArray();
        workspace.OutputGradient().Fill(3);
        network.Backward(workspace);
        for (var i = 0; i < ones.Length; i++)
            Assert.Equal(3 * ones[i], workspace.GradientOf("x")[i], 1e-14);
        workspace.OutputGradient("affine2").Clear();
        network.Backward(workspace);
        Assert.All(workspace.Gradients.ToArray(), g => Assert.Equal(0, g));
        Assert.Throws<ArgumentException>(() => { workspace.OutputGradient("x"); });
        Assert.Throws<ArgumentException>(() => { workspace.OutputGradient("y"); });
    }

    [Fact]
    public void With_a_loss_output_gradients_are_opt_in_and_join_it()
    {
        var network = GraphBuilder.Chain(3).Affine(2).MeanSquaredError().Build<double>(seed: 1);
        var without = network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded);
        Assert.Contains("OutputGradients", Assert.Throws<InvalidOperationException>(() => { without.OutputGradient(); }).Message, StringComparison.Ordinal);
        var with = network.CreateWorkspace(1, new WorkspaceOptions { OutputGradients = true }, ComputeContext.SingleThreaded);
        foreach (var workspace in (Workspace<double>[])[without, with])
        {
            Fill(workspace.Input(), 1);
            network.Forward(workspace);
            network.Backward(workspace);
        }

        Bits.AssertEqual<double>(without.Gradients, with.Gradients, "starts at zero");
        with.OutputGradient().Fill(1);
        network.Backward(with);
        Span<double> expected = without.ParameterGradientOf("affine1.bias"), actual = with.ParameterGradientOf("affine1.bias");
        for (var i = 0; i < 2; i++)
            Assert.Equal(expected[i] + 1, actual[i], 1e-15);
    }

    [Fact]
    public void A_workspace_of_another_network_is_refused()
    {
        var (network, _) = Chain();
        var (other, workspace) = Chain();
        Assert.Throws<ArgumentException>(() => network.Forward(workspace));
        Assert.Throws<ArgumentException>(() => network.Backward(workspace));
        Assert.Throws<ArgumentException>(() => network.Update(workspace, new Sgd<double>(1, 0.1)));
        Assert.Throws<ArgumentException>(() => other.Step(workspace, new Sgd<double>(1, 0.1)));
        Assert.Throws<ArgumentNullException>(() => network.Forward(null!));
    }

    [Fact]
    public void A_node_that_is_not_computed_here_says_so()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 2);
        var loss = x.Affine(2).Apply(new MeanSquaredError(), graph.Input("t", 2));
        graph.Output(x.Affine(1));
        graph.Loss(loss);
        var network = graph.Build().CreateNetwork<float>();
        var inference = network.CreateWorkspace(1, WorkspaceOptions.Inference with { Retain = Retain.All }, ComputeContext.SingleThreaded);
        network.Forward(inference);
        Assert.Throws<InvalidOperationException>(() => { inference.ValueOf("meansquarederror1"); });
        Assert.Equal(2, inference.ValueOf("affine1").Length);
    }

    [Fact]
    public void An_input_may_be_an_output()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 2);
        graph.Output(x);
        graph.Output(x * x);
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, WithInputs, ComputeContext.SingleThreaded);
        workspace.SetInput("x", [3, 4]);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal([3.0, 4], workspace.Output().ToArray());
        Assert.Equal([7.0, 9], workspace.GradientOf("x").ToArray());
    }

    private static (Network<double> Network, Workspace<double> Workspace) Chain(WorkspaceOptions? options = null)
    {
        var network = GraphBuilder.Chain(4).Affine(4).Sigmoid().Affine(3).Build<double>(seed: 1);
        return (network, network.CreateWorkspace(2, options, ComputeContext.SingleThreaded));
    }

    private static void Fill<T>(Span<T> values, ulong seed) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var random = new TestRandom(seed);
        foreach (ref var value in values)
            value = random.Signed<T>();
    }
}
