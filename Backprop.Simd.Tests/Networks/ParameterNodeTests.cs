using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Networks;

/// <summary>A layer's parameter as a node: its value, the sum of its gradients, and steps that do not store gradients.</summary>
public sealed class ParameterNodeTests
{
    /// <summary>A language model whose embedding is its output table too, with a penalty on another weight.</summary>
    private static NetworkDefinition Tied()
    {
        var graph = new GraphBuilder();
        var e = graph.IndexInput("token").Embedding(9, 6);
        var h = e.Affine(5);
        var y = h.Tanh().Affine(6);
        graph.Loss(h.ParameterOf("weight").Abs().Sum(), 0.1);
        Node.MatrixProduct(y, e.ParameterOf("weight").Transpose(1, 0)).SoftmaxCrossEntropy();
        graph.Loss(h.ParameterOf("weight").SquaredNorm(), 0.01);
        return graph.Build();
    }

    [Fact]
    public void Gradients_of_all_uses_add_up()
    {
        var network = Tied().CreateNetwork<double>(seed: 1);
        Assert.Equal(5, network.Definition.Parameters.Entries.Count);
        var workspace = network.CreateWorkspace(4);
        Fill(workspace);
        var report = GradientCheck.Run(network, workspace);
        Assert.True(report.Passes(), report.ToString());
        Assert.NotEqual(0, workspace.ParameterGradientOf("embedding1.weight")[8 * 6]); // a token that is in no row: from the output alone
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4)]
    public void A_step_without_stored_gradients_is_the_step_with_them(int rows)
    {
        Assert.Equal(Train(false), Train(true));

        float[] Train(bool keep)
        {
            var network = Tied().CreateNetwork<float>(seed: 1);
            var workspace = network.CreateWorkspace(rows, new WorkspaceOptions { KeepGradients = keep });
            var sgd = new Sgd<float>(network, 0.1);
            for (var step = 0; step < 3; step++)
            {
                Fill(workspace);
                network.Step(workspace, sgd);
            }

            return network.Parameters.ToArray();
        }
    }

    [Fact]
    public void Micro_batches_add_and_frozen_parameters_stay()
    {
        var network = Tied().CreateNetwork<double>(seed: 1);
        var workspace = network.CreateWorkspace(4);
        Fill(workspace);
        network.Forward(workspace);
        network.Backward(workspace);
        double[] once = [.. workspace.Gradients];
        network.Forward(workspace);
        network.Backward(workspace, accumulate: true);
        Assert.All(Enumerable.Range(0, once.Length), i => Assert.Equal(2 * once[i], workspace.Gradients[i], 12));
        network.Freeze("embedding1.weight");
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.All(workspace.ParameterGradientOf("embedding1.weight").ToArray(), g => Assert.Equal(0, g));
        Assert.Equal(once[^8..], workspace.Gradients[^8..].ToArray());
    }

    [Fact]
    public void A_shared_layer_has_one_parameter_at_all_its_places()
    {
        var graph = new GraphBuilder();
        var layer = graph.Share(new Affine(3));
        var first = graph.Input("x", 3).Apply(layer).Tanh();
        var second = first.Apply(layer);
        graph.Loss(second.ParameterOf("weight").SquaredNorm());
        graph.Loss((second.Tanh().Apply(layer) + second.ParameterOf("bias").ParameterOf("value")).SquaredNorm());
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        Assert.Equal(2, network.Definition.Parameters.Entries.Count);
        var workspace = network.CreateWorkspace(2);
        workspace.SetInput("x", [1, 2, 3, -1, 0.5, 0.25]);
        var report = GradientCheck.Run(network, workspace);
        Assert.True(report.Passes(), report.ToString());
    }

    [Fact]
    public void A_parameter_that_is_not_there_is_named()
    {
        var y = GraphBuilder.Chain(4).Affine(3);
        Assert.Contains("no parameter 'w'; it has 'weight' [4, 3], 'bias' [3]", Assert.Throws<ArgumentException>(() => y.ParameterOf("w")).Message,
            StringComparison.Ordinal);
        Assert.Contains("it has none", Assert.Throws<ArgumentException>(() => y.Relu().ParameterOf("weight")).Message, StringComparison.Ordinal);
        Assert.Contains("it has none", Assert.Throws<ArgumentException>(() => GraphBuilder.Chain(4).ParameterOf("weight")).Message, StringComparison.Ordinal);
    }

    private static void Fill<T>(Workspace<T> workspace) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        for (var row = 0; row < workspace.Rows; row++)
            (workspace.IndexInput("token")[row], workspace.IndexInput("labels")[row]) = (row * 3 % 8, row * 5 % 8);
    }
}
