using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Networks;

/// <summary>One set of parameters at several places.</summary>
public sealed class ShareTests
{
    [Fact]
    public void Places_of_a_shared_layer_have_one_set_of_parameters_whose_gradients_add_up()
    {
        var definition = Siamese(share: true).Build();
        Assert.Equal(["affine1.weight", "affine1.bias", "affine3.weight", "affine3.bias"], definition.Parameters.Entries.Select(p => p.Name));
        var network = definition.CreateNetwork<double>(seed: 1);
        var apart = Siamese(share: false).Build().CreateNetwork<double>(seed: 1);
        network.ParameterOf("affine1.weight").CopyTo(apart.ParameterOf("affine1.weight"));
        network.ParameterOf("affine1.weight").CopyTo(apart.ParameterOf("affine2.weight"));
        network.ParameterOf("affine3.weight").CopyTo(apart.ParameterOf("affine3.weight"));

        Workspace<double> one = network.CreateWorkspace(3), two = apart.CreateWorkspace(3);
        foreach (var workspace in (Workspace<double>[])[one, two])
            Fill(workspace);
        Assert.Equal(apart.Forward(two), network.Forward(one));
        apart.Backward(two);
        for (var pass = 0; pass < 2; pass++)
        {
            network.Backward(one);
            foreach (var name in (string[])["weight", "bias"])
            {
                ReadOnlySpan<double> a = two.ParameterGradientOf("affine1." + name), b = two.ParameterGradientOf("affine2." + name);
                for (var i = 0; i < a.Length; i++)
                    Assert.Equal(a[i] + b[i], one.ParameterGradientOf("affine1." + name)[i], 1e-14);
            }
        }

        Assert.True(GradientCheck.Run(network, one).Passes(1e-6, 1e-9));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_step_updates_shared_parameters_once(int rows)
    {
        var network = Siamese(share: true).Build().CreateNetwork<double>(seed: 1);
        var kept = network.Definition.CreateNetwork<double>(seed: 1);
        var workspace = network.CreateWorkspace(rows);
        var parts = kept.CreateWorkspace(rows, WorkspaceOptions.Training with { KeepGradients = true });
        Sgd<double> sgd = new(network, 0.1), other = new(kept, 0.1);
        for (var step = 0; step < 3; step++)
        {
            Fill(workspace);
            Fill(parts);
            Assert.Equal(kept.Forward(parts), network.Step(workspace, sgd));
            kept.Backward(parts);
            kept.Update(parts, other);
        }

        for (var i = 0; i < network.Parameters.Length; i++)
            Assert.Equal(kept.Parameters[i], network.Parameters[i], 1e-15);
    }

    [Fact]
    public void A_layer_may_be_applied_to_its_own_output()
    {
        var graph = new GraphBuilder();
        var cell = graph.Share(new Affine(4));
        var x = graph.Input("x", 4);
        for (var i = 0; i < 3; i++)
            x = x.Apply(cell).Tanh();
        graph.Loss(x.SquaredNorm());
        var network = graph.Build().CreateNetwork<double>(seed: 2);
        Assert.Equal(20, network.Definition.Parameters.Entries.Sum(p => p.Range.Length));
        Assert.Contains("20", network.Summary(), StringComparison.Ordinal);
        var workspace = network.CreateWorkspace(2);
        workspace.SetInput("x", [0.1, -0.2, 0.3, 0.4, 1, 0.5, -0.5, 0.2]);
        Assert.True(GradientCheck.Run(network, workspace).Passes(1e-6, 1e-9));
    }

    [Fact]
    public void Running_statistics_move_once_for_each_place()
    {
        var graph = new GraphBuilder();
        var normalization = graph.Share(new BatchNormalization(momentum: 0.5));
        var (a, b) = (graph.Input("a", 1), graph.Input("b", 1));
        graph.Loss((a.Apply(normalization) * b.Apply(normalization)).Sum());
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        var workspace = network.CreateWorkspace(2);
        workspace.SetInput("a", [1, 3]);
        workspace.SetInput("b", [10, 30]);
        network.Step(workspace, new Sgd<double>(network, 0));
        Assert.Equal(0.5 * (0.5 * 0 + 0.5 * 2) + 0.5 * 20, network.StateOf("batchnormalization1.runningMean")[0], 1e-14);
    }

    [Fact]
    public void A_place_that_no_loss_reaches_adds_nothing()
    {
        var graph = new GraphBuilder();
        var affine = graph.Share(new Affine(2));
        var x = graph.Input("x", 2);
        graph.Loss(x.Apply(affine).SquaredNorm());
        x.Apply(affine); // Nobody reads it.
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        var workspace = network.CreateWorkspace(1);
        workspace.SetInput("x", [1, -2]);
        Assert.True(GradientCheck.Run(network, workspace).Passes(1e-6, 1e-9));
    }

    [Fact]
    public void A_layer_with_parameters_is_placed_once_unless_it_is_shared()
    {
        var graph = new GraphBuilder();
        var affine = new Affine(3);
        var x = graph.Input("x", 2);
        x.Apply(affine);
        var error = Assert.Throws<ArgumentException>(() => x.Apply(affine));
        Assert.Contains("placed already, as 'affine1'", error.Message, StringComparison.Ordinal);
        Assert.Contains("Share", error.Message, StringComparison.Ordinal);
        graph.Share(affine);
        x.Apply(affine);
        error = Assert.Throws<ArgumentException>(() => graph.Input("y", 5).Apply(affine));
        Assert.Contains("values [5]", error.Message, StringComparison.Ordinal);
        Assert.Contains("values [2]", error.Message, StringComparison.Ordinal);

        // Without parameters there is nothing to share, and another graph is another network.
        var relu = new Activation<Backprop.Simd.Activations.Relu>(default);
        x.Apply(relu).Apply(relu);
        new GraphBuilder().Input("x", 2).Apply(affine);
    }

    private static GraphBuilder Siamese(bool share)
    {
        var graph = new GraphBuilder();
        var (first, second) = (new Affine(3), new Affine(3));
        if (share)
            second = graph.Share(first);
        var a = graph.Input("a", 2).Apply(first).Tanh();
        var b = graph.Input("b", 2).Apply(second).Tanh();
        graph.Loss((a - b).Apply(new Affine(1)).Named("affine3").SquaredNorm());
        return graph;
    }

    private static void Fill(Workspace<double> workspace)
    {
        foreach (var (name, shift) in (IEnumerable<(string, int)>)[("a", 0), ("b", 5)])
        {
            var values = workspace.Input(name);
            for (var i = 0; i < values.Length; i++)
                values[i] = Math.Sin(3 * i + shift);
        }
    }
}
