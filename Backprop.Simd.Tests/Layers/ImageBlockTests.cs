using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Pixels and channels, blocks of layers, sizes, and what is refused.</summary>
public sealed class ImageBlockTests
{
    [Theory]
    [InlineData(2, 3, 2, 3, false)]
    [InlineData(1, 2, 5, 2, true)]
    [InlineData(3, 1, 17, 2, false)]
    [InlineData(2, 2, 3, 1, false)]
    public void Pixels_come_from_their_channels_and_go_back(int height, int width, int depth, int factor, bool blocksFirst)
    {
        var channels = depth * factor * factor;
        double[] x = [.. Enumerable.Range(0, 2 * height * width * channels).Select(i => (double)i)], expected = new double[x.Length];
        for (var o = 0; o < x.Length; o++)
        {
            // Output o is pixel (h r + i, w r + j) and channel c of an image.
            var (image, line, column, c) = (o / (x.Length / 2), o / (width * factor * depth) % (height * factor), o / depth % (width * factor), o % depth);
            var (i, j) = (line % factor, column % factor);
            var channel = blocksFirst ? (i * factor + j) * depth + c : (c * factor + i) * factor + j;
            expected[o] = x[((image * height + line / factor) * width + column / factor) * channels + channel];
        }

        var shuffle = new LayerRun<double>(new PixelShuffle(factor, blocksFirst), new Shape(height, width, channels), x, expected);
        Assert.Equal(expected, shuffle.Y);
        Assert.Equal(x, shuffle.Dx);
        var back = new LayerRun<double>(new PixelUnshuffle(factor, blocksFirst), new Shape(height * factor, width * factor, depth), expected, x);
        Assert.Equal(x, back.Y);
        Assert.Equal(expected, back.Dx);
    }

    [Fact]
    public void Sizes_follow_the_formulas()
    {
        var graph = new GraphBuilder();
        Node image = graph.Input("image", 6, 9, 8), line = graph.Input("line", 7, 4);
        Assert.Equal(new Shape(12, 18, 2), image.PixelShuffle(2).Type.Shape);
        Assert.Equal(new Shape(2, 3, 72), image.PixelUnshuffle(3).Type.Shape);
        Assert.Equal(new Shape(9, 22, 8), image.Upsample(new ResizeScale(1.5, 2.5)).Type.Shape);
        Assert.Equal(new Shape(3, 5, 8), image.Upsample(outputs: new Extent(3, 5)).Type.Shape);
        Assert.Equal(new Shape(14, 4), line.Upsample(2).Type.Shape);
        Assert.Equal(new Shape(3, 4), line.Upsample(outputs: 3).Type.Shape);
        Assert.Equal(new Shape(3, 4), line.MaxPooling1D(2).Type.Shape);
        Assert.Equal(new Shape(4, 4), line.AveragePooling1D(2, ceiling: true).Type.Shape);
        Assert.Equal(new Shape(15, 3), line.ConvolutionTranspose1D(3, 3, stride: 2).Type.Shape);
        Assert.Equal(new Shape(3, 5, 10), image.SeparableConvolution2D(10, 3, stride: 2, padding: 1, multiplier: 2).Type.Shape);
        Assert.Equal(new Shape(6, 9, 8), image.SqueezeExcite().Type.Shape);
        Assert.Equal(new Shape(5), line.GlobalMaxPooling1D().WeightNormalizedAffine("map", 5, bias: false).Type.Shape);
        Assert.Equal(new Shape(3, 5, 10), image.WeightNormalizedConvolution2D("c2", 10, 3, stride: 2, padding: 1, groups: 2).Type.Shape);
        Assert.Equal(new Shape(3, 6), line.WeightNormalizedConvolution1D("c1", 6, 2, stride: 2, bias: false).Type.Shape);
        Assert.Equal(new Shape(7, 4), line.InstanceNormalization().Type.Shape);
    }

    [Fact]
    public void What_does_not_fit_is_refused_with_both_shapes()
    {
        var graph = new GraphBuilder();
        Node image = graph.Input("image", 6, 9, 8), line = graph.Input("line", 7, 4);
        Refused("multiple of 9 channels", "[6, 9, 8]", () => image.PixelShuffle(3));
        Refused("multiples of 2", "[6, 9, 8]", () => image.PixelUnshuffle(2));
        Refused("[H, W, C]", "[7, 4]", () => line.SqueezeExcite());
        Refused("[H, W, C]", "[7, 4]", () => line.SeparableConvolution2D(3, 3));
        Refused("[6, 9, 3]", "[6, 9, 8]", () => image.Residual(b => b.Convolution2D(3, 1)));
        Refused("scale or outputs", "", () => image.Upsample());
        Refused("scale or outputs", "", () => image.Upsample(2, 3));
        Refused("windows 1 x 9", "values [7, 4]", () => line.MaxPooling1D(9));
        Refused("dilation 1 x 4", "values [7, 4]", () => line.MaxPooling1D(3, dilation: 4));
        Refused("would turn", "[1, 0, 3]", () => graph.Input("one", 1, 2).ConvolutionTranspose1D(3, 2, padding: 1));
        Refused("[in] or [T, in]", "[6, 9, 8]", () => image.WeightNormalizedAffine("map", 3));
        Refused("WeightNormalizedConvolution2D", "[7, 4]", () => line.WeightNormalizedConvolution2D("none", 3, 3));
        Refused("WeightNormalizedConvolution1D", "[6, 9, 8]", () => image.WeightNormalizedConvolution1D("none", 3, 3));
        var filters = graph.Parameter("filters", new Shape(3, 3, 4, 6));
        Refused("groups 1", "[6, 9, 8]", () => image.FunctionalConvolution(filters));
        Refused("bias [6]", "[5]", () => image.FunctionalConvolution(filters, graph.Parameter("bias", new Shape(5)), groups: 2));
        Refused("rank 3", "[3, 3, 4, 6]", () => line.FunctionalConvolution(filters));
        Refused("shared", "values [6, 9, 8]", () => image.FunctionalConvolution(image));
        Refused("lengths", "", () => line.Apply(new GlobalMaxPooling1D(), graph.Input("lengths", 1)), "inputs");

        // A convolution that is refused makes no parameter: its name is free.
        graph.Parameter("none.bias", new Shape(1));
        Refused("'none.bias'", "", () => line.WeightNormalizedConvolution1D("none", 3, 3));
        Refused("'none.bias'", "", () => image.WeightNormalizedConvolution2D("none", 3, 3));
        Refused("'none.bias'", "", () => line.WeightNormalizedAffine("none", 3));
        Assert.Equal(new Shape(5, 3), line.WeightNormalizedConvolution1D("none", 3, 3, bias: false).Type.Shape);

        void Refused(string first, string second, Action action, string? instead = null)
        {
            var message = Assert.ThrowsAny<ArgumentException>(action).Message;
            Assert.Contains(instead is null ? first : "indices", message, StringComparison.Ordinal);
            Assert.Contains(second, message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_direction_of_zeros_is_NaN()
    {
        var network = new GraphBuilder().Input("x", 2, 2, 1).WeightNormalizedConvolution2D("c", 2, 2).Build<double>();
        var direction = network.ParameterOf("c.direction");
        for (var i = 0; i < direction.Length; i++)
            direction[i] = i % 2 == 0 ? 0 : 0.5;
        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference);
        workspace.Input().Fill(1);
        network.Forward(workspace);
        Assert.Equal([double.NaN, 2], workspace.Output().ToArray());
    }

    [Fact]
    public void Lengths_out_of_range_are_refused_before_anything_is_written()
    {
        var graph = new GraphBuilder();
        var lengths = graph.IndexInput("lengths");
        var network = graph.Input("x", 3, 2).GlobalMaxPooling1D(lengths).Build<float>();
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);
        foreach (var length in (int[])[0, 4, -1])
        {
            workspace.SetIndexInput("lengths", [3, length]);
            var error = Assert.ThrowsAny<ArgumentException>(() => network.Forward(workspace));
            Assert.Contains($"row 1 has {length}", error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>A dilated pooling behind a convolution runs on its own, with the outputs of both.</summary>
    [Fact]
    public void A_dilated_pooling_is_not_fused_with_the_convolution_before_it()
    {
        double[] Run(Func<Node, Node> pooling)
        {
            var network = pooling(new GraphBuilder().Input("x", 6, 6, 2).Convolution2D(17, 3, padding: 1).Relu()).Build<double>(seed: 3);
            var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference);
            for (var i = 0; i < workspace.Input().Length; i++)
                workspace.Input()[i] = Math.Sin(i * i);
            network.Forward(workspace);
            return workspace.Output().ToArray();
        }

        // The second cells of windows that do not overlap: a dilation of 2 reads cells 0 and 2.
        var all = Run(x => x);
        var pooled = Run(x => x.MaxPooling2D(2, stride: 3, dilation: 2));
        for (var i = 0; i < pooled.Length; i++)
        {
            int oy = i / (2 * 17), ox = i / 17 % 2, c = i % 17;
            int[] lines = [3 * oy, 3 * oy + 2], columns = [3 * ox, 3 * ox + 2];
            Assert.Equal(lines.SelectMany(y => columns.Select(x => all[(y * 6 + x) * 17 + c])).Max(), pooled[i]);
        }
    }
}
