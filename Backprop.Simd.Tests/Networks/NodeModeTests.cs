using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Nodes that act as in inference while the network trains.</summary>
public sealed class NodeModeTests
{
    private const int Rows = 6;

    /// <summary>Everything that draws in training, in an encoder; a head that drops too.</summary>
    private static Network<double> Make(double p, double deviation)
    {
        var x = new GraphBuilder().Input("x", 4, 6);
        var encoded = x.SelfAttention(2, dropout: p).Named("encoder.attention").SpatialDropout(p).Named("encoder.channels")
            .GaussianNoise(deviation).Named("encoder.noise").Dropout(p).Named("encoder.dropout")
            .AlphaDropout(p).Named("encoder.alpha").GaussianDropout(p).Named("encoder.gaussian");
        return encoded.Flatten().Affine(3).Dropout(0.3).Named("head.dropout").MeanSquaredError().Build<double>(seed: 3);
    }

    private static Network<double> Normalized() => GraphBuilder.Chain(new Shape(6, 3)).Affine(4).BatchNormalization().Named("norm").Dropout(0.5).Named("drop")
        .Flatten().Affine(2).MeanSquaredError().Build<double>(seed: 4);

    private static Workspace<double> Filled(Network<double> network)
    {
        var workspace = network.CreateWorkspace(Rows, new WorkspaceOptions { InputGradients = true, KeepGradients = true });
        for (var i = 0; i < workspace.Input("x").Length; i++)
            workspace.Input("x")[i] = Math.Sin(i * 1.7);
        for (var i = 0; i < workspace.Input("targets").Length; i++)
            workspace.Input("targets")[i] = Math.Cos(i);
        return workspace;
    }

    /// <summary>Loss, gradients and parameters of some steps.</summary>
    private static double[] Train(Network<double> network, int steps = 3)
    {
        var workspace = Filled(network);
        var optimizer = new Sgd<double>(network.Parameters.Length, 0.1);
        var numbers = new List<double>();
        for (var step = 0; step < steps; step++)
        {
            numbers.Add(network.Step(workspace, optimizer));
            numbers.AddRange(workspace.Gradients);
        }

        return [.. numbers, .. network.Parameters, .. network.State];
    }

    [Fact]
    public void What_rests_draws_nothing_and_the_rest_draws_the_same()
    {
        var network = Make(0.4, 0.5);
        Assert.Equal(6, network.SetTraining(node => node.StartsWith("encoder.", StringComparison.Ordinal), false));
        Assert.Equal(0, network.SetTraining(node => node.StartsWith("encodr.", StringComparison.Ordinal), true));
        var expected = Make(0, 0);
        Assert.Equal(Train(expected), Train(network));
        Assert.NotEqual(Train(Make(0.4, 0.5)), Train(expected));
        foreach (var node in (string[])["attention", "channels", "noise", "dropout", "alpha", "gaussian"])
        {
            Assert.False(network.IsTraining("encoder." + node));
            var all = Make(0.4, 0.5);
            all.SetTraining("encoder." + node, false);
            Assert.NotEqual(Train(Make(0.4, 0.5)), Train(all));
        }

        Assert.True(network.IsTraining("head.dropout"));
    }

    [Fact]
    public void A_mode_that_is_undone_leaves_no_trace()
    {
        var network = Make(0.4, 0.5);
        network.SetTraining(_ => true, false);
        network.SetTraining(node => node != "encoder.noise", true);
        Assert.False(network.IsTraining("encoder.noise"));
        network.SetTraining("encoder.noise", true);
        Assert.Equal(Train(Make(0.4, 0.5)), Train(network));
    }

    [Fact]
    public void A_network_at_rest_trains_on_what_inference_computes()
    {
        var network = Normalized();
        Train(network);
        network.SetTraining(_ => true, false);
        var workspace = Filled(network);
        var report = GradientCheck.Run(network, workspace);
        Assert.True(report.Passes(1e-7), report.ToString());
        network.Forward(workspace);
        var inference = network.CreateWorkspace(Rows, WorkspaceOptions.Inference);
        workspace.Input("x").CopyTo(inference.Input("x"));
        network.Forward(inference);
        Assert.Equal(inference.Output().ToArray(), workspace.Output().ToArray());
    }

    [Fact]
    public void Statistics_rest_with_their_node_and_parameters_learn()
    {
        var network = Normalized();
        Train(network);
        var (state, weight) = (network.State.ToArray(), network.ParameterOf("norm.weight").ToArray());
        network.SetTraining("norm", false);
        Assert.False(network.IsFrozen("norm.runningMean"));
        Train(network);
        Assert.Equal(state, network.State.ToArray());
        Assert.NotEqual(weight, network.ParameterOf("norm.weight").ToArray());
        network.Freeze("norm.runningMean");
        network.SetTraining("norm", true);
        Train(network);
        Assert.Equal(state[..4], network.StateOf("norm.runningMean").ToArray());
        Assert.NotEqual(state, network.State.ToArray());
        var frozen = Normalized();
        frozen.Freeze(_ => false, statistics: false);
        frozen.Freeze(p => p.Name.StartsWith("norm.running", StringComparison.Ordinal), statistics: true);
        var resting = Normalized();
        resting.SetTraining("norm", false);
        Assert.Equal(Train(frozen), Train(resting));
    }

    [Fact]
    public void A_pass_in_flight_keeps_its_mode()
    {
        var (changed, expected) = (Normalized(), Normalized());
        var (workspace, other) = (Filled(changed), Filled(expected));
        changed.Forward(workspace);
        expected.Forward(other);
        changed.SetTraining(_ => true, false);
        changed.Backward(workspace);
        expected.Backward(other);
        Assert.Equal(other.Gradients.ToArray(), workspace.Gradients.ToArray());
        changed.SetTraining(_ => true, true);
        changed.Update(workspace, new Sgd<double>(changed.Parameters.Length, 0.1));
        expected.Update(other, new Sgd<double>(expected.Parameters.Length, 0.1));
        Assert.Equal(expected.State.ToArray(), changed.State.ToArray());
    }

    [Theory, InlineData(true), InlineData(false)]
    public void The_state_of_a_step_goes_by_the_mode_of_its_forward_pass(bool training)
    {
        var network = GraphBuilder.Chain(2).Apply(new Counter()).Named("count").Affine(1).MeanSquaredError().Build<double>(seed: 1);
        var (workspace, optimizer) = (Filled(network), new Sgd<double>(network.Parameters.Length, 0.1));
        network.SetTraining("count", training);
        network.Forward(workspace);
        network.Backward(workspace);
        network.SetTraining("count", !training);
        network.Update(workspace, optimizer);
        Assert.Equal(training ? 1 : 0, network.StateOf("count.steps")[0]);
        network.Forward(workspace);
        network.Backward(workspace);
        network.Freeze("count.steps");
        network.Update(workspace, optimizer);
        Assert.Equal(training ? 1 : 0, network.StateOf("count.steps")[0]);
    }

    [Fact]
    public void Micro_batches_and_the_other_precision_keep_the_modes()
    {
        var network = Normalized();
        network.SetTraining("norm", false);
        var wide = network.ConvertTo<float>();
        Assert.False(wide.IsTraining("norm"));
        Assert.True(wide.IsTraining("drop"));
        var workspace = Filled(network);
        var state = network.State.ToArray();
        var accumulator = new GradientAccumulator<double>(network, workspace);
        accumulator.Add();
        accumulator.Add();
        accumulator.Average();
        network.Update(workspace, new Sgd<double>(network.Parameters.Length, 0.1));
        Assert.Equal(state, network.State.ToArray());
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    public void A_shared_normalization_moves_if_a_place_trains(bool first, bool second)
    {
        var graph = new GraphBuilder();
        var norm = graph.Share(new BatchNormalization());
        var sum = graph.Input("x", 3).Apply(norm).Named("first") + graph.Input("z", 3).Apply(norm).Named("second");
        sum.MeanSquaredError();
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        network.SetTraining("first", first);
        network.SetTraining("second", second);
        var workspace = Filled(network);
        for (var i = 0; i < workspace.Input("z").Length; i++)
            workspace.Input("z")[i] = i % 5;
        var state = network.State.ToArray();
        network.Step(workspace, new Sgd<double>(network.Parameters.Length, 0.1));
        Assert.Equal(first || second, !state.SequenceEqual(network.State.ToArray()));
    }

    [Fact]
    public void State_rests_whatever_its_layer_proposes()
    {
        var network = GraphBuilder.Chain(2).Apply(new Counter()).Named("count").Affine(1).MeanSquaredError().Build<double>(seed: 1);
        Train(network, 2);
        Assert.Equal(2, network.StateOf("count.steps")[0]);
        network.SetTraining("count", false);
        Train(network, 2);
        Assert.Equal(2, network.StateOf("count.steps")[0]);
    }

    [Fact]
    public void An_unknown_node_is_refused()
    {
        var network = Normalized();
        foreach (var call in (Action[])[() => network.SetTraining("none", true), () => network.IsTraining("none")])
            Assert.Contains("no node 'none'", Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => network.SetTraining((string)null!, true));
        Assert.Throws<ArgumentNullException>(() => network.SetTraining((Func<string, bool>)null!, true));
    }

    /// <summary>Counts its steps in any case.</summary>
    private sealed class Counter : Layer
    {
        public override string Kind => "counter";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.RequireInputs(1);
            declaration.AddState("steps", new Shape(1));
            declaration.AddOutput(declaration.Inputs[0]);
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            context.Input(0).CopyTo(context.Output());
            if (context.Training)
                context.ProposedState(0)[0] += T.One;
        }

        public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Copy(context.OutputGradient());
    }
}
