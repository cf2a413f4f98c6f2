using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Extensibility.Tests;

/// <summary>A layer and an activation written by a user, without access to internals: checked, converted, trained.</summary>
public sealed class UserLayerTests
{
    private static readonly EdgeType[] GatedInputs = [new(EdgeKind.Values, new Shape(5)), new(EdgeKind.Values, new Shape(3))];

    public static TheoryData<GradientCheckMode> Modes => [GradientCheckMode.Full, GradientCheckMode.RandomDirections];

    [Fact]
    public void This_project_sees_no_internals()
    {
        var granted = typeof(Layer).Assembly.GetCustomAttributes(typeof(System.Runtime.CompilerServices.InternalsVisibleToAttribute), false)
            .Cast<System.Runtime.CompilerServices.InternalsVisibleToAttribute>().Select(a => a.AssemblyName.Split(',')[0]).ToArray();
        Assert.NotEmpty(granted);
        Assert.DoesNotContain(typeof(UserLayerTests).Assembly.GetName().Name, granted);
    }

    [Theory, MemberData(nameof(Modes))]
    public void A_users_layer_passes_the_check(GradientCheckMode mode)
    {
        var report = GradientCheck.Layer(new GatedSum(), GatedInputs, 4, new GradientCheckOptions { Mode = mode });
        Assert.True(report.Passes(1e-7), report.ToString());
        Assert.Equal(["gatedsum1.weight", "gatedsum1.rest", "input0", "input1"], report.Entries.Select(e => e.Name));
    }

    [Theory, MemberData(nameof(Modes))]
    public void A_wrong_one_is_caught(GradientCheckMode mode)
    {
        var report = GradientCheck.Layer(new GatedSum(error: 0.001), GatedInputs, 4, new GradientCheckOptions { Mode = mode });
        Assert.False(report.Passes());
        Assert.Equal("gatedsum1.rest", report.Worst!.Name);
        Assert.All(report.Entries, e => Assert.Equal(e.Name != "gatedsum1.rest", e.Passes(1e-6)));
    }

    [Theory]
    [InlineData(1), InlineData(3), InlineData(33)]
    public void A_users_activation_passes_the_check(int size)
    {
        foreach (var type in (EdgeType[])[new(EdgeKind.Values, new Shape(size)), new(EdgeKind.Shared, new Shape(size))])
        {
            var report = GradientCheck.Layer(new Activation<Swish>(new Swish(1.5)), [type], 3);
            Assert.True(report.Passes(1e-7), report.ToString());
        }
    }

    [Theory, MemberData(nameof(Modes))]
    public void A_wrong_activation_is_caught(GradientCheckMode mode) => Assert.False(GradientCheck.Layer(
        new Activation<WrongSwish>(default), [new(EdgeKind.Values, new Shape(9))], 3, new GradientCheckOptions { Mode = mode }).Passes());

    [Fact]
    public void They_work_with_fan_out_in_any_place_of_a_graph()
    {
        var network = Build<double>();
        var workspace = Workspace(network);
        var report = GradientCheck.Run(network, workspace);
        Assert.True(report.Passes(1e-6), report.ToString());
        Assert.Contains("gate.rest", report.Entries.Select(e => e.Name));
    }

    [Fact]
    public void Float_agrees_with_double()
    {
        var single = Build<float>();
        var twice = single.ConvertTo<double>();
        var (narrow, wide) = (Workspace(single), Workspace(twice));
        Assert.Equal(twice.Forward(wide), single.Forward(narrow), 1e-6);
        twice.Backward(wide);
        single.Backward(narrow);
        var largest = 0.0;
        foreach (var gradient in wide.Gradients)
            largest = Math.Max(largest, Math.Abs(gradient));
        for (var i = 0; i < wide.Gradients.Length; i++)
            Assert.Equal(wide.Gradients[i], narrow.Gradients[i], 1e-5 * largest);
    }

    [Fact]
    public void They_train()
    {
        var network = Build<float>();
        var workspace = Workspace(network);
        var sgd = new Sgd<float>(network.Parameters.Length, 0.1, 0.9);
        var first = network.Step(workspace, sgd);
        for (var step = 0; step < 400; step++)
            network.Step(workspace, sgd);
        Assert.True(network.Forward(workspace) < first / 20, $"{first} became {network.Forward(workspace)}.");

        // Inference, where the layer keeps no cache, computes the same outputs.
        var inference = network.CreateWorkspace(workspace.Rows, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        inference.SetInput("x", workspace.ValueOf("x"));
        network.Forward(inference);
        Assert.Equal(workspace.Output().ToArray(), inference.Output().ToArray());
    }

    [Fact]
    public void A_users_activation_chooses_the_initializer_of_the_layer_before()
    {
        double[] Weights(Func<Node, Node> next) => next(GraphBuilder.Chain(6).Affine(4)).Build<double>(seed: 2).ParameterOf("affine1.weight").ToArray();
        Assert.Equal(Weights(x => x.Relu()), Weights(x => x.Activation(new Swish(1))));
        Assert.NotEqual(Weights(x => x.Sigmoid()), Weights(x => x.Activation(new Swish(1))));
    }

    [Fact]
    public void Errors_of_a_users_layer_name_it()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 5);
        Assert.Contains("gatedsum takes 2 input(s); it got 1", Assert.Throws<ArgumentException>(() => x.Apply(new GatedSum())).Message,
            StringComparison.Ordinal);
        Assert.Contains("Input 1 of gatedsum", Assert.Throws<ArgumentException>(() => x.Apply(new GatedSum(), graph.Input("cube", 2, 2))).Message,
            StringComparison.Ordinal);
    }

    private static Network<T> Build<T>() where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var x = GraphBuilder.Chain(2);
        var h = x.Affine(8).Activation(new Swish(1.2));
        var gated = h.Apply(new GatedSum(), h.Affine(6)).Named("gate") + h.Affine(6);
        return gated.Activation(new Swish(1)).Affine(1).MeanSquaredError().Build<T>(seed: 3);
    }

    private static Workspace<T> Workspace<T>(Network<T> network) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        const int Rows = 20;
        var workspace = network.CreateWorkspace(Rows, compute: ComputeContext.SingleThreaded);
        Span<T> x = workspace.Input("x"), t = workspace.Input("targets");
        for (var row = 0; row < Rows; row++)
        {
            var (u, v) = (row % 5 / 2.0 - 1, row / 5 / 1.5 - 1);
            (x[2 * row], x[2 * row + 1], t[row]) = (T.CreateTruncating((float)u), T.CreateTruncating((float)v), T.CreateTruncating((float)(u * v)));
        }

        return workspace;
    }
}
