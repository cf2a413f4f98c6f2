using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Shapes, options and errors of the convolution layers.</summary>
public sealed class ConvolutionLayerTests
{
    [Fact]
    public void Output_shapes_follow_the_formulas()
    {
        Assert.Equal(new Shape(24, 24, 30), Output(new Convolution2D(30, 5), 28, 28, 1));
        Assert.Equal(new Shape(14, 14, 64), Output(new Convolution2D(64, 3, padding: 1), 14, 14, 32));
        Assert.Equal(new Shape(4, 3, 8), Output(new Convolution2D(8, 3, stride: new Extent(2, 3), padding: 1), 7, 9, 3));
        Assert.Equal(new Shape(3, 5, 8), Output(new Convolution2D(8, 3, dilation: new Extent(2, 1)), 7, 7, 3));
        Assert.Equal(new Shape(7, 8, 5), Output(new Convolution2D(5, new Extent(3, 4), padding: Padding.Same(new Extent(3, 4))), 7, 8, 3));
        Assert.Equal(new Shape(9, 4), Output(new Convolution1D(4, 3, padding: Padding.Sides(2, 0)), 9, 6));
        Assert.Equal(new Shape(4, 4), Output(new Convolution1D(4, 3, stride: 2), 9, 6));
        Assert.Equal(new Shape(28, 28, 3), Output(new ConvolutionTranspose2D(3, 3, stride: 2, padding: 1, outputPadding: 1), 14, 14, 8));
        Assert.Equal(new Shape(5, 7, 2), Output(new ConvolutionTranspose2D(2, 3), 3, 5, 4));
    }

    [Fact]
    public void Parameters_have_channels_last_and_a_bias_only_if_asked_for()
    {
        var network = new GraphBuilder().Input("x", 6, 6, 4).Apply(new Convolution2D(6, new Extent(3, 2), groups: 2)).Build<float>();
        Assert.Equal(["convolution2d1.weight", "convolution2d1.bias"], network.Definition.Parameters.Entries.Select(e => e.Name));
        Assert.Equal(new Shape(3, 2, 2, 6), network.Definition.Parameters["convolution2d1.weight"].Shape);
        network = new GraphBuilder().Input("x", 6, 4).Apply(new Convolution1D(5, 3, bias: false)).Build<float>();
        Assert.Equal(new Shape(3, 4, 5), Assert.Single(network.Definition.Parameters.Entries).Shape);
        network = new GraphBuilder().Input("x", 6, 6, 4).Apply(new ConvolutionTranspose2D(6, 3, groups: 2)).Build<float>();
        Assert.Equal(new Shape(3, 3, 3, 4), network.Definition.Parameters["convolutiontranspose2d1.weight"].Shape);
        Assert.Equal(new Shape(6), network.Definition.Parameters["convolutiontranspose2d1.bias"].Shape);
    }

    [Fact]
    public void A_transposed_convolution_is_the_transpose()
    {
        // <y, conv x> = <convT y, x> for the same filters.
        var convolution = new GraphBuilder().Input("x", 7, 6, 3).Apply(new Convolution2D(4, 3, stride: 2, padding: 1, bias: false)).Build<double>(seed: 1);
        var transpose = new GraphBuilder().Input("x", 4, 3, 4)
            .Apply(new ConvolutionTranspose2D(3, 3, stride: 2, padding: 1, outputPadding: new Extent(0, 1), bias: false)).Build<double>();
        convolution.Parameters.CopyTo(transpose.Parameters);
        double[] x = [.. Enumerable.Range(0, 126).Select(i => Math.Sin(i))], y = [.. Enumerable.Range(0, 48).Select(i => Math.Cos(3 * i))];
        double left = Run(convolution, x).Zip(y, (a, b) => a * b).Sum(), right = Run(transpose, y).Zip(x, (a, b) => a * b).Sum();
        Assert.Equal(left, right, 1e-12);

        static double[] Run(Network<double> network, double[] input)
        {
            var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference);
            workspace.SetInput("x", input);
            network.Forward(workspace);
            return workspace.Output().ToArray();
        }
    }

    [Fact]
    public void Layers_and_inputs_that_do_not_fit_are_refused_with_their_sizes()
    {
        Assert.Contains("[4, 4, 2]", Assert.ThrowsAny<ArgumentException>(() => Output(new Convolution2D(3, 5), 4, 4, 2)).Message);
        Assert.Contains("[4, 4]", Assert.ThrowsAny<ArgumentException>(() => Output(new Convolution2D(3, 3), 4, 4)).Message);
        Assert.Contains("3", Assert.ThrowsAny<ArgumentException>(() => Output(new Convolution2D(4, 3, groups: 2), 4, 4, 3)).Message);
        Assert.Contains("[1, 1, 2]", Assert.ThrowsAny<ArgumentException>(() => Output(new ConvolutionTranspose2D(4, 2, padding: 1), 1, 1, 2)).Message);
        Assert.ThrowsAny<ArgumentException>(() => new Convolution2D(0, 3));
        Assert.ThrowsAny<ArgumentException>(() => new Convolution2D(3, 3, groups: 2));
        Assert.ThrowsAny<ArgumentException>(() => new Convolution2D(3, 3, stride: 0));
        Assert.ThrowsAny<ArgumentException>(() => new Convolution1D(3, 0));
        Assert.Equal("outputPadding", Assert.ThrowsAny<ArgumentException>(() => new ConvolutionTranspose2D(3, 3, stride: 2, outputPadding: 2)).ParamName);
    }

    private static Shape Output(Layer layer, params int[] input) => new GraphBuilder().Input("x", input).Apply(layer).Type.Shape;
}
