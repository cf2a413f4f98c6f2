using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Steps: updates, frozen parameters, state, conversion.</summary>
public sealed class TrainingTests
{
    [Fact]
    public void A_step_is_forward_backward_and_update()
    {
        var (network, workspace) = Regression();
        var (twin, other) = Regression();
        var (sgd, twinSgd) = (new Sgd<double>(network.Parameters.Length, 0.1, 0.9), new Sgd<double>(network.Parameters.Length, 0.1, 0.9));
        for (var step = 0; step < 5; step++)
        {
            var loss = network.Step(workspace, sgd);
            Assert.Equal(loss, twin.Forward(other));
            twin.Backward(other);
            twin.Update(other, twinSgd);
            Bits.AssertEqual<double>(network.Parameters, twin.Parameters, $"step {step}");
        }

        Assert.Equal((5L, 5L), (workspace.StepNumber, sgd.Steps));
    }

    [Fact]
    public void Training_fits_a_function()
    {
        var (network, workspace) = Regression();
        var sgd = new Sgd<double>(network.Parameters.Length, 0.2, 0.9);
        var first = network.Step(workspace, sgd);
        for (var step = 0; step < 500; step++)
            network.Step(workspace, sgd);
        Assert.True(network.Forward(workspace) < first / 100);
    }

    [Fact]
    public void Micro_batches_accumulate_to_the_gradient_of_their_sum()
    {
        var (network, workspace) = Regression();
        network.Forward(workspace);
        network.Backward(workspace);
        var whole = workspace.Gradients.ToArray();
        var (x, t) = (workspace.Input("x").ToArray(), workspace.Input("targets").ToArray());
        var part = network.CreateWorkspace(3, compute: ComputeContext.SingleThreaded);
        for (var i = 0; i < 2; i++)
        {
            part.SetInput("x", x.AsSpan(i * 6, 6));
            part.SetInput("targets", t.AsSpan(i * 3, 3));
            network.Forward(part);
            network.Backward(part, accumulate: i > 0);
        }

        for (var i = 0; i < whole.Length; i++)
            Assert.Equal(2 * whole[i], part.Gradients[i], 1e-14);
    }

    [Theory, InlineData("affine1.weight"), InlineData("affine1.bias"), InlineData("affine2.weight"), InlineData("affine2.bias")]
    public void A_frozen_parameter_has_no_gradient_and_keeps_its_bits(string frozen)
    {
        var (network, workspace) = Regression();
        network.Forward(workspace);
        network.Backward(workspace); // Its gradient is not zero before.
        var free = workspace.Gradients.ToArray();
        network.Freeze(frozen);
        network.Freeze(frozen);
        Assert.True(network.IsFrozen(frozen));
        var before = network.Parameters.ToArray();
        var range = network.Definition.Parameters[frozen].Range;

        network.Forward(workspace);
        network.Backward(workspace);
        for (var i = 0; i < free.Length; i++)
            Assert.Equal(range.Start <= i && i < range.End ? 0 : free[i], workspace.Gradients[i]);
        network.Backward(workspace, accumulate: true);
        Assert.All(workspace.ParameterGradientOf(frozen).ToArray(), g => Assert.Equal(0, g));

        var sgd = new Sgd<double>(before.Length, 0.1, 0.9, weightDecay: 0.1);
        for (var step = 0; step < 3; step++)
            network.Step(workspace, sgd);
        foreach (var parameter in network.Definition.Parameters.Entries)
        {
            var kept = Bits.Equal<double>(before.AsSpan(parameter.Range.Start, parameter.Range.Length), network.ParameterOf(parameter.Name));
            Assert.Equal(parameter.Name == frozen, kept);
        }

        network.Unfreeze(frozen);
        network.Step(workspace, sgd);
        Assert.False(Bits.Equal<double>(before.AsSpan(range.Start, range.Length), network.ParameterOf(frozen)));
        Assert.Equal(0, network.TrainableRanges[0].Start);
        Assert.Equal(before.Length, network.TrainableRanges[0].Length);
    }

    [Fact]
    public void Trainable_ranges_leave_out_what_is_frozen()
    {
        var (network, _) = Regression();
        network.Freeze("affine2.weight");
        network.Freeze("affine1.weight");
        foreach (var name in (string[])["affine1.weight", "affine2.weight"])
        {
            var frozen = network.Definition.Parameters[name].Range;
            foreach (var range in network.TrainableRanges)
                Assert.True(range.End <= frozen.Start || frozen.End <= range.Start);
        }

        foreach (var name in (string[])["affine1.bias", "affine2.bias"])
        {
            var free = network.Definition.Parameters[name].Range;
            Assert.Contains(network.TrainableRanges.ToArray(), r => r.Start <= free.Start && free.End <= r.End);
        }
    }

    [Fact]
    public void A_frozen_tied_parameter_has_no_gradient()
    {
        var graph = new GraphBuilder();
        var (w, x) = (graph.Parameter("w", new Shape(2, 2)), graph.Input("x", 2));
        graph.Output(Node.MatrixProduct(Node.MatrixProduct(x, w).Tanh(), w));
        var network = graph.Build().CreateNetwork<double>();
        network.Freeze("w");
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        workspace.SetInput("x", [1, 2]);
        var report = GradientCheck.Run(network, workspace);
        Assert.Equal("x", Assert.Single(report.Entries).Name);
        Assert.True(report.Passes(1e-7), report.ToString());
        Assert.Equal([0.0, 0, 0, 0], workspace.ParameterGradientOf("w").ToArray());
    }

    [Fact]
    public void State_is_committed_once_per_step_and_by_nothing_else()
    {
        var node = GraphBuilder.Chain(2).Affine(2).Apply(new Counter());
        var network = node.Build<double>(seed: 1);
        var workspace = network.CreateWorkspace(2, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        Assert.Equal(10, network.StateOf("counter1.count")[0]);
        workspace.Input().Fill(1);
        for (var i = 0; i < 3; i++)
        {
            network.Forward(workspace);
            network.Backward(workspace);
        }

        Assert.Equal(10, network.StateOf("counter1.count")[0]);
        Assert.True(GradientCheck.Run(network, workspace).Passes(1e-7));
        Assert.Equal(10, network.StateOf("counter1.count")[0]);

        var sgd = new Sgd<double>(network.Parameters.Length, 0.1);
        for (var step = 1; step <= 3; step++)
        {
            network.Forward(workspace);
            network.Backward(workspace);
            network.Update(workspace, sgd);
            Assert.Equal(10 + step, network.StateOf("counter1.count")[0]);
        }

        var inference = network.CreateWorkspace(2, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        network.Forward(inference);
        Assert.Equal(13, network.State[0]);
        Assert.Equal(13, network.ConvertTo<float>().StateOf("counter1.count")[0]);
    }

    [Fact]
    public void State_is_no_parameter()
    {
        var network = GraphBuilder.Chain(2).Affine(2).Apply(new Counter()).Build<double>();
        Assert.Equal("counter1.count", Assert.Single(network.Definition.State.Entries).Name);
        Assert.DoesNotContain("counter1.count", network.Definition.Parameters.Entries.Select(p => p.Name));
    }

    [Fact]
    public void A_failed_update_commits_no_state()
    {
        var network = GraphBuilder.Chain(2).Affine(2).Apply(new Counter()).Build<double>();
        var workspace = network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded);
        network.Forward(workspace);
        network.Backward(workspace);
        var error = Assert.Throws<ArgumentException>(() => network.Update(workspace, new Sgd<double>(1, 0.1)));
        Assert.Equal("optimizer", error.ParamName);
        Assert.Equal(10, network.State[0]);
    }

    [Fact]
    public void Conversion_keeps_graph_numbers_seed_and_freezing()
    {
        var network = GraphBuilder.Chain(3).Affine(4).Relu().Affine(2).Build<float>(seed: 6);
        network.Freeze("affine2.weight");
        var wide = network.ConvertTo<double>();
        Assert.Same(network.Definition, wide.Definition);
        Assert.Equal(network.Seed, wide.Seed);
        Assert.True(wide.IsFrozen("affine2.weight"));
        for (var i = 0; i < network.Parameters.Length; i++)
            Assert.Equal((double)network.Parameters[i], wide.Parameters[i]);
        Bits.AssertEqual<float>(network.Parameters, wide.ConvertTo<float>().Parameters, "there and back");
        wide.Parameters.Fill(1);
        Assert.NotEqual(1, network.Parameters[0]);
    }

    [Fact]
    public void A_workspace_sees_what_the_network_becomes()
    {
        var network = GraphBuilder.Chain(1).Affine(1).Build<double>();
        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        workspace.Input().Fill(2);
        network.ParameterOf("affine1.weight")[0] = 10;
        network.ParameterOf("affine1.bias")[0] = 1;
        network.Forward(workspace);
        Assert.Equal(21, workspace.Output()[0]);
    }

    private static (Network<double> Network, Workspace<double> Workspace) Regression()
    {
        var network = GraphBuilder.Chain(2).Affine(8).Tanh().Affine(1).MeanSquaredError().Build<double>(seed: 3);
        var workspace = network.CreateWorkspace(6, compute: ComputeContext.SingleThreaded);
        var random = new TestRandom(8);
        Span<double> x = workspace.Input("x"), t = workspace.Input("targets");
        for (var row = 0; row < 6; row++)
        {
            (x[2 * row], x[2 * row + 1]) = (random.Signed<double>(), random.Signed<double>());
            t[row] = Math.Sin(2 * x[2 * row]) * x[2 * row + 1];
        }

        return (network, workspace);
    }
}
