using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Choices by a mask, and the chain forms that cut and turn shapes.</summary>
public sealed class ArrayNodeTests
{
    [Fact]
    public void A_mask_chooses_and_what_is_not_taken_does_not_matter()
    {
        // mask [B, 2, 1], x [B, 3], y shared [2, 1]: all are [B, 2, 3].
        var graph = new GraphBuilder();
        graph.Output(Node.Where(graph.Input("mask", 2, 1), graph.Input("x", 3), graph.SharedInput("y", 2, 1)));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Training with { InputGradients = true });
        workspace.SetInput("mask", [1, 0, double.NaN, -0.0]);
        workspace.SetInput("x", [1, 2, 3, 4, double.NaN, 6]);
        workspace.SetInput("y", [double.NaN, 7]);
        network.Forward(workspace);
        Assert.Equal([1, 2, 3, 7, 7, 7, 4, double.NaN, 6, 7, 7, 7], workspace.Output().ToArray());
        double[] dz = [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, 60];
        dz.CopyTo(workspace.OutputGradient());
        network.Backward(workspace);
        Assert.Equal([1, 2, 3, 10, 20, 30], workspace.GradientOf("x").ToArray());
        Assert.Equal([0, 4 + 5 + 6 + 40 + 50 + 60], workspace.GradientOf("y").ToArray());
        Assert.Equal([0, 0, 0, 0], workspace.GradientOf("mask").ToArray());
    }

    [Fact]
    public void Splits_are_slices_and_dimensions_of_one_come_and_go()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 4, 3);
        var parts = x.Split(-2, 1, 3);
        Assert.Equal([new Shape(1, 3), new Shape(3, 3)], parts.Select(p => p.Type.Shape));
        Assert.Equal(new Shape(3), parts[0].Squeeze(0).Type.Shape);
        Assert.Equal([new Shape(1, 4, 3), new Shape(4, 1, 3), new Shape(4, 3, 1)], ((int[])[0, 1, -1]).Select(a => x.Unsqueeze(a).Type.Shape));
        Assert.Equal(new Shape(3, 4), x.Transpose().Type.Shape);
        Assert.Throws<ArgumentException>(() => x.Split(0, 1, 2));
        Assert.Throws<ArgumentException>(() => x.Split(0, 5, -1));
        Assert.Throws<ArgumentException>(() => x.Split(2, 4));
        Assert.Throws<ArgumentException>(() => x.Squeeze(0));
        Assert.Throws<ArgumentException>(() => x.Unsqueeze(3));
        Assert.Throws<ArgumentException>(() => x.Transpose(0, 0));
        Assert.Throws<ArgumentException>(() => x.Sum(2));
        Assert.Throws<ArgumentException>(() => x.Sum(0, 0));
        Assert.Contains("do not broadcast", Assert.Throws<ArgumentException>(() => Node.Where(x, graph.Input("y", 5), x)).Message, StringComparison.Ordinal);
    }
}
