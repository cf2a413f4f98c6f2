using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Networks;

/// <summary>What leads to a StopGradient alone does not learn, and does not run backward.</summary>
public sealed class StopGradientTests
{
    private static readonly WorkspaceOptions Gradients = new() { InputGradients = true, OutputGradients = true, Retain = Retain.All };

    [Fact]
    public void It_is_a_view_and_no_gradient_leaves_it()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 3);
        graph.Output((x.StopGradient().Named("s") * x).Named("y")); // y = s x with s constant: dx = dy x.
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(2, Gradients);
        double[] values = [1, -2, 3, 0.5, 4, -1], seeds = [1, 2, 3, 4, 5, 6];
        workspace.SetInput("x", values);
        seeds.CopyTo(workspace.OutputGradient("y"));
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal(values.Select(v => v * v), workspace.ValueOf("y").ToArray());
        Assert.Equal(values.Zip(seeds, (v, s) => v * s), workspace.GradientOf("x").ToArray());
        Assert.True(workspace.ValueOf("s").Overlaps(workspace.Input("x"), out var offset) && offset == 0);
    }

    [Fact]
    public void What_leads_to_it_alone_does_not_run_backward_and_has_zero_gradient()
    {
        var counting = new CountingLayer();
        var graph = new GraphBuilder();
        var x = graph.Input("x", 4);
        var target = x.Affine(3).Named("teacher").Apply(counting).StopGradient();
        graph.Output((x.Affine(3).Named("student") - target).Named("y"));
        var network = graph.Build().CreateNetwork<double>(seed: 3);
        var workspace = network.CreateWorkspace(2, Gradients);
        workspace.SetInput("x", [1, 2, 3, 4, 5, 6, 7, 8]);
        workspace.OutputGradient("y").Fill(1);
        workspace.Gradients.Fill(double.NaN);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Equal((1, 0), (counting.Forwards, counting.Backwards));
        Assert.All(workspace.ParameterGradientOf("teacher.weight").ToArray(), g => Assert.Equal(0, g));
        Assert.All(workspace.ParameterGradientOf("teacher.bias").ToArray(), g => Assert.Equal(0, g));
        Assert.Equal([6.0, 6, 6, 8, 8, 8, 10, 10, 10, 12, 12, 12], workspace.ParameterGradientOf("student.weight").ToArray());
    }

    [Fact]
    public void A_planned_workspace_gives_the_bits_of_one_that_keeps_everything_and_steps_leave_the_stopped_part()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 4);
        var h = x.Affine(5).Named("first").Tanh();
        var y = (h.StopGradient().Affine(3).Named("second").Relu() + h.Sigmoid().Affine(3).Named("third") * x.Affine(3).Named("fourth").StopGradient()).Tanh();
        graph.Output(y.Named("y"));
        var network = graph.Build().CreateNetwork<float>(seed: 5);
        float[][] gradients = new float[2][];
        for (var k = 0; k < 2; k++)
        {
            var workspace = network.CreateWorkspace(3, Gradients with { Retain = k == 0 ? Retain.All : Retain.None });
            var random = new TestRandom(4);
            foreach (ref var v in workspace.Input("x"))
                v = (float)random.Signed<double>();
            workspace.OutputGradient("y").Fill(1);
            network.Forward(workspace);
            network.Backward(workspace);
            gradients[k] = workspace.Gradients.ToArray();
        }

        Assert.Equal(gradients[0], gradients[1]);
        Assert.Contains(gradients[0], g => g != 0);
    }

    private sealed class CountingLayer : Layer
    {
        public int Forwards { get; private set; }

        public int Backwards { get; private set; }

        public override string Kind => "counting";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.RequireInputs(1);
            declaration.AddOutput(declaration.RequireNumbers(0));
            declaration.Traits = LayerTraits.None;
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            Forwards++;
            context.Input(0).CopyTo(context.Output());
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            Backwards++;
            context.InputGradient(0).Copy(context.OutputGradient());
        }
    }
}
