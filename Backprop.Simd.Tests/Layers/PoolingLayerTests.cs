using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Shapes, options and errors of the pooling layers.</summary>
public sealed class PoolingLayerTests
{
    [Fact]
    public void Output_shapes_follow_the_formulas()
    {
        Assert.Equal(new Shape(12, 12, 30), Output(new MaxPooling2D(2), 24, 24, 30));
        Assert.Equal(new Shape(3, 4, 2), Output(new MaxPooling2D(2), 7, 9, 2));
        Assert.Equal(new Shape(4, 5, 2), Output(new MaxPooling2D(2, ceiling: true), 7, 9, 2));
        Assert.Equal(new Shape(56, 56, 64), Output(new MaxPooling2D(3, stride: 2, padding: 1), 112, 112, 64));
        Assert.Equal(new Shape(3, 2, 5), Output(new AveragePooling2D(new Extent(2, 3), stride: new Extent(2, 1)), 6, 4, 5));
        Assert.Equal(new Shape(5), Output(new GlobalAveragePooling2D(), 7, 3, 5));
        Assert.Equal(new Shape(2, 4, 5), Output(new AdaptiveAveragePooling2D(new Extent(2, 4)), 7, 3, 5));

        // PyTorch: a third window would start at 4, behind the image of 3 and its padding of 1 before.
        Assert.Equal(new Shape(2, 2, 1), Output(new MaxPooling2D(2, stride: 2, padding: 1, ceiling: true), 3, 3, 1));
        Assert.Equal(new Shape(1, 1, 1), Output(new MaxPooling2D(3, stride: 2, ceiling: true), 2, 2, 1));
    }

    [Fact]
    public void Padding_counts_in_the_mean_unless_told_otherwise_and_never_beyond_it()
    {
        double[] x = [1, 2, 3, 4, 5, 6, 7, 8, 9];
        Assert.Equal([0.25, 1.25, 2.75, 7.0], Run(new AveragePooling2D(2, padding: new Padding(1, 1, 0, 0)), x, 3, 3, 1));
        Assert.Equal([1, 2.5, 5.5, 7.0], Run(new AveragePooling2D(2, padding: new Padding(1, 1, 0, 0), includePadding: false), x, 3, 3, 1));

        // In the ceiling mode the last windows have 2, 2 and 1 cells.
        Assert.Equal([3, 4.5, 7.5, 9], Run(new AveragePooling2D(2, ceiling: true), x, 3, 3, 1));
        Assert.Equal([5.0], Run(new GlobalAveragePooling2D(), x, 3, 3, 1));
        Assert.Equal([3, 4, 6, 7.0], Run(new AdaptiveAveragePooling2D(2), x, 3, 3, 1));
        Assert.Equal([5, 6, 8, 9.0], Run(new AdaptiveMaxPooling2D(2), x, 3, 3, 1));
        Assert.Equal([2, 4, 6, 8, 9.0], Run(new AdaptiveMaxPooling1D(5), x, 9, 1));
    }

    [Fact]
    public void Layers_and_inputs_that_do_not_fit_are_refused_with_options_and_type()
    {
        var message = Assert.ThrowsAny<ArgumentException>(() => Output(new MaxPooling2D(5, stride: 2), 4, 4, 2)).Message;
        Assert.Contains("windows 5 x 5, stride 2 x 2", message);
        Assert.Contains("values [4, 4, 2]", message);
        Assert.Contains("[4, 4]", Assert.ThrowsAny<ArgumentException>(() => Output(new MaxPooling2D(2), 4, 4)).Message);
        Assert.Contains("wholly in padding",
            Assert.ThrowsAny<ArgumentException>(() => Output(new AveragePooling2D(2, padding: new Padding(0, 0, 2, 0)), 4, 4, 2)).Message);
        Assert.Equal("padding", Assert.ThrowsAny<ArgumentException>(() => new MaxPooling2D(2, padding: 2)).ParamName);
        Assert.Equal("padding", Assert.ThrowsAny<ArgumentException>(() => new MaxPooling2D(2, padding: -1)).ParamName);
        Assert.Equal("kernel", Assert.ThrowsAny<ArgumentException>(() => new AveragePooling2D(0)).ParamName);
        Assert.Equal("stride", Assert.ThrowsAny<ArgumentException>(() => new AveragePooling2D(2, stride: new Extent(1, 0))).ParamName);
        Assert.Equal("outputs", Assert.ThrowsAny<ArgumentException>(() => new AdaptiveAveragePooling2D(0)).ParamName);
        Assert.Equal("outputs", Assert.ThrowsAny<ArgumentException>(() => new AdaptiveMaxPooling2D(0)).ParamName);
        Assert.Equal("outputs", Assert.ThrowsAny<ArgumentException>(() => new AdaptiveMaxPooling1D(0)).ParamName);
        Assert.Contains("[4]", Assert.ThrowsAny<ArgumentException>(() => Output(new GlobalAveragePooling2D(), 4)).Message);
    }

    [Fact]
    public void Chain_forms_make_the_layers()
    {
        var x = new GraphBuilder().Input("x", 8, 8, 3);
        Assert.Equal(new Shape(4, 4, 3), x.MaxPooling2D(2).Type.Shape);
        Assert.Equal(new Shape(4, 4, 3), x.AveragePooling2D(3, stride: 2, padding: 1).Type.Shape);
        Assert.Equal(new Shape(3, 2, 3), x.AdaptiveAveragePooling2D(new Extent(3, 2)).Type.Shape);
        Assert.Equal(new Shape(3), x.GlobalAveragePooling2D().Type.Shape);
    }

    private static double[] Run(Layer layer, double[] x, params int[] input)
    {
        var network = new GraphBuilder().Input("x", input).Apply(layer).Build<double>();
        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference);
        workspace.SetInput("x", x);
        network.Forward(workspace);
        return workspace.Output().ToArray();
    }

    private static Shape Output(Layer layer, params int[] input) => new GraphBuilder().Input("x", input).Apply(layer).Type.Shape;
}
