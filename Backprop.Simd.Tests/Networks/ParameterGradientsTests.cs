using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Networks that gradients only pass through, and what a pass reads.</summary>
public sealed class ParameterGradientsTests
{
    private static Network<double> Make()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 5);
        var y = (x * graph.Parameter("scale", new Shape(5)).Apply(new Repeat(), x)).Affine(4).Tanh().Affine(3);
        graph.Output(y);
        return graph.Build().CreateNetwork<double>(seed: 2);
    }

    [Fact]
    public void Without_them_the_gradients_of_inputs_are_the_same_and_there_is_less_memory()
    {
        var network = Make();
        var with = network.CreateWorkspace(6, new WorkspaceOptions { InputGradients = true });
        var without = network.CreateWorkspace(6, new WorkspaceOptions { InputGradients = true, ParameterGradients = false });
        foreach (var workspace in new[] { with, without })
        {
            for (var i = 0; i < workspace.Input().Length; i++)
                workspace.Input()[i] = Math.Sin(i);
            network.Forward(workspace);
            network.Backward(workspace);
        }

        Assert.Equal(with.GradientOf("x").ToArray(), without.GradientOf("x").ToArray());
        Assert.True(without.Bytes < with.Bytes);
    }

    [Fact]
    public void What_needs_them_throws_and_says_so()
    {
        var network = GraphBuilder.Chain(3).Affine(2).SoftmaxCrossEntropy().Build<float>();
        var workspace = network.CreateWorkspace(2, new WorkspaceOptions { InputGradients = true, ParameterGradients = false });
        var optimizer = new Sgd<float>(network.Parameters.Length, 0.1);
        var before = network.Parameters.ToArray();
        void Throws(Action act) => Assert.Contains("ParameterGradients", Assert.Throws<InvalidOperationException>(act).Message, StringComparison.Ordinal);
        Throws(() => network.Step(workspace, optimizer));
        network.Forward(workspace);
        network.Backward(workspace);
        Throws(() => network.Update(workspace, optimizer));
        Throws(() => _ = workspace.Gradients);
        Throws(() => new GradientAccumulator<float>(network, workspace).Add());
        Assert.Equal(before, network.Parameters.ToArray());
    }

    [Fact]
    public void A_definition_tells_which_inputs_a_pass_reads()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 4);
        var h = x.Affine(3).Named("h");
        _ = graph.Input("unused", 2);
        graph.Output(h);
        graph.Loss(h.Apply(new Backprop.Simd.Losses.MeanSquaredError(), graph.Input("t", 3), graph.Input("w")));
        var side = graph.Input("s", 3).Relu().Named("side");
        graph.Output(side + h);
        var definition = graph.Build();
        Assert.Equal(["x", "t", "w", "s"], definition.RequiredInputs());
        Assert.Equal(["x", "s"], definition.RequiredInputs(WorkspaceOptions.Inference));
        Assert.Equal(["x", "t", "w", "s"], definition.RequiredInputs(WorkspaceOptions.Inference with { Losses = true }));
    }

    /// <summary>A shared vector for each row of another input.</summary>
    private sealed class Repeat : Layer
    {
        public override string Kind => "repeat";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.RequireInputs(2);
            declaration.AddOutput(declaration.Inputs[1]);
            declaration.Traits = LayerTraits.None;
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            for (var row = 0; row < context.Rows; row++)
                context.Input(0).CopyTo(context.Output()[(row * context.Input(0).Length)..]);
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            context.InputGradient(0).ColumnSums(context.OutputGradientMatrix());
            context.InputGradient(1).Zero();
        }
    }
}
