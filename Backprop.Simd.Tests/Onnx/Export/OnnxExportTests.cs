using Backprop.Simd.Initializers;
using Backprop.Simd.Interchange;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Networks;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Networks as ONNX models: layouts, sizes that are free, names, and shapes that are easily written wrong.</summary>
public sealed class OnnxExportTests
{
    private const double Tolerance = 1e-5;

    [Fact]
    public void A_chain_of_images_is_transposed_once_at_its_beginning_and_once_at_its_end()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 9, 8, 3);
        var y = x.Convolution2D(8, 3, padding: 1).BatchNormalization().Relu().MaxPooling2D(2);
        y = (y + y.Convolution2D(8, 3, padding: 1, groups: 2).BatchNormalization()).HardSwish() * 0.5;
        y = y.Concatenate(y.PRelu(), y.Sigmoid()).GroupNormalization(3).Dropout(0.5).AveragePooling2D(2);
        graph.Output((y / graph.Parameter("scale", new Shape(24), Initialize.Uniform(1, 2))).Softmax());
        var network = Filled(graph.Build());
        var model = OnnxModel.Parse(OnnxRun.Model(network));
        Assert.Equal(2, model.Nodes.Count(n => n.Operator == "Transpose"));
        Assert.Equal("Transpose", model.Nodes[0].Operator);
        Assert.Equal("Transpose", model.Nodes[^1].Operator);
        Equal(network);
    }

    [Fact]
    public void Values_are_used_in_both_layouts()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 6, 5, 4);
        var y = x.Convolution2D(4, 3, padding: 1);
        graph.Output(y.Flatten().Affine(3));
        graph.Output(y.Convolution2D(2, 1) + 1);
        graph.Output(y + x);
        graph.Output(y * graph.Parameter("row", new Shape(6, 5, 4)) - graph.Parameter("column", new Shape(5, 1)));
        graph.Output(y.Relu());
        graph.Output(y.GlobalAveragePooling2D().Reshape(1, 1, 4) * y);
        graph.Output(y.Mean(0) + y.Max(true, 0, 2).Squeeze(0) + y.Min(0, -1).Unsqueeze(1));
        graph.Output(y.Transpose(2, 0, 1));
        graph.Output(Node.Where(y, x, y.Max()));
        graph.Output(x.Split(-1, [1, 3])[1].Concatenate(y));
        graph.Output(y.SqueezeExcite(2).Slice(1, 1, 3).Reverse(0, 2));
        Equal(Filled(graph.Build()));
    }

    [Fact]
    public void Odd_convolutions_and_poolings()
    {
        var graph = new GraphBuilder();
        var (one, x) = (graph.Input("one", 1, 1, 2), graph.Input("x", 9, 7, 4));
        graph.Output(one.Convolution2D(3, 1).BatchNormalization().Relu().MaxPooling2D(1).Flatten());
        graph.Output(one.Convolution2D(3, 3, padding: new Padding(2, 1, 0, 1)));
        graph.Output(one.GlobalMaxPooling2D());
        graph.Output(one.Apply(new Upsample(outputs: new Extent(3, 1), mode: ResizeMode.Bilinear)));
        graph.Output(one.Apply(new Upsample(outputs: new Extent(2, 3), mode: ResizeMode.Bilinear, alignCorners: true)));
        foreach (var (kernel, stride, padding) in ((Extent, Extent, Padding)[])[(3, 2, 1), (2, 2, 0), (new(3, 2), new(2, 3), new Padding(1, 0, 1, 1)),
            (5, 4, 2), (2, 3, new Padding(1, 1, 0, 0)), (1, 2, 0)])
        {
            foreach (var ceiling in (bool[])[false, true])
            {
                graph.Output(x.MaxPooling2D(kernel, stride, padding, ceiling));
                graph.Output(x.AveragePooling2D(kernel, stride, padding, ceiling));
                graph.Output(x.AveragePooling2D(kernel, stride, padding, ceiling, includePadding: false));
            }
        }

        graph.Output(x.MaxPooling2D(3, 1, 2, dilation: 3));
        graph.Output(x.MaxPooling2D(2, 1, new Padding(3, 2, 0, 1), dilation: 4));
        graph.Output(x.PixelShuffle(1).PixelUnshuffle(1));
        graph.Output(x.MaxPooling2D(2, 2, 1, ceiling: true, dilation: new Extent(4, 1)));
        graph.Output(x.Convolution2D(8, new Extent(3, 2), stride: new Extent(2, 1), padding: new Padding(3, 0, 1, 2), dilation: new Extent(2, 3), groups: 4));
        graph.Output(x.ConvolutionTranspose2D(6, new Extent(3, 2), stride: new Extent(3, 2), padding: new Padding(1, 0, 2, 1),
            outputPadding: new Extent(2, 1), dilation: new Extent(1, 2), groups: 2));
        foreach (var bins in (Extent[])[1, new(1, 2), new(3, 7), new(4, 3), new(11, 2)])
        {
            graph.Output(x.AdaptiveAveragePooling2D(bins));
            graph.Output(x.AdaptiveMaxPooling2D(bins));
        }

        foreach (var mode in Enum.GetValues<ResizeMode>())
        {
            graph.Output(x.Apply(new Upsample(new ResizeScale(2.5, 0.7), mode: mode)));
            graph.Output(x.Apply(new Upsample(outputs: new Extent(4, 20), mode: mode)));
            graph.Output(x.Mean(0).Apply(new Upsample(3.3, mode: mode)));
        }

        foreach (var mode in Enum.GetValues<PaddingMode>())
            graph.Output(x.Convolution2D(3, 1).Pad([1, 0, 2], [0, 3, 1], mode, -1.5));
        graph.Output(x.Pad([8, 0, 0], [0, 1, 3], PaddingMode.Reflect));
        Equal(Filled(graph.Build()));
    }

    [Fact]
    public void Sequences_of_one_step_and_of_one_column()
    {
        var graph = new GraphBuilder();
        var (one, thin, lengths) = (graph.Input("one", 1, 4), graph.Input("thin", 5, 1), graph.IndexInput("lengths"));
        foreach (var x in (Node[])[one, thin])
        {
            Node? length = x == one ? null : lengths;
            graph.Output(x.BidirectionalLstm(3, length));
            graph.Output(x.BidirectionalGruLast(3, length));
            graph.Output(x.StackedRnn(2, layers: 2, length));
            graph.Output(x.Lstm(4, length, projection: 2));
            graph.Output(x.SelfAttention(1, causal: true, lengths: length));
            graph.Output(x.Convolution1D(2, 1).Relu().GlobalMaxPooling1D());
            graph.Output(x.LearnedPositions(9).SinusoidalPositions().Softmax());
            graph.Output(x.LayerNormalization(2));
        }

        var network = Filled(graph.Build());
        Equal(network, indices: _ => (1, 5));
    }

    [Fact]
    public void The_model_has_the_free_sizes_of_a_sequence()
    {
        var network = Filled(FreeSizeTests.Sequence(Dimension.Free("time", 12, smallest: 3)));
        foreach (var time in (int[])[12, 7, 3])
            Equal(network, [("time", time)], name => name == "lengths" ? (1, time) : (0, 19));
        var model = OnnxModel.Parse(OnnxRun.Model(network));
        var x = model.Inputs.Single(i => i.Name == "x");
        Assert.Equal([new(null, "batch"), new(null, "time"), new(5, null)], x.Dimensions!);
        Assert.DoesNotContain(model.Inputs, i => i.Name == "labels");
        Assert.Equal(OnnxType.Int32, model.Inputs.Single(i => i.Name == "tokens").Type);
        Assert.Throws<ArgumentException>("options", () => OnnxRun.Model(network, new OnnxSaveOptions { Batch = "time" }));
    }

    [Fact]
    public void The_model_has_the_free_sizes_of_images_and_of_views()
    {
        var network = Filled(FreeSizeTests.Image(Dimension.Free("height", 10, 2), Dimension.Free("width", 8, 2)));
        foreach (var (height, width) in ((int, int)[])[(10, 8), (4, 6), (2, 2)])
            Equal(network, [("height", height), ("width", width)]);
        network = Filled(FreeSizeTests.Views(Dimension.Free("time", 12, smallest: 3)));
        foreach (var time in (int[])[12, 5])
            Equal(network, [("time", time)]);
    }

    [Fact]
    public void Free_sizes_in_every_layer_that_takes_them()
    {
        var graph = new GraphBuilder();
        Dimension time = Dimension.Free("time", 11, 2), width = Dimension.Free("width", 9, 4);
        var (x, other, first) = (graph.Input("x", time, 8), graph.Input("other", width, 8), graph.IndexInput("first"));
        var (frames, lengths) = (graph.Input("frames", time, width, 6, 2), graph.IndexInput("lengths"));
        graph.Output(x.SelfAttention(4, causal: true, keyValueHeads: 2));
        foreach (var result in graph.ApplyAll(new MultiHeadAttention(4, causal: true, keyValueHeads: 2, rotary: new RotaryPositions(), weights: true), x, other,
            graph.Parameter("bias", new Shape(9)).CutTo(other)))
        {
            graph.Output(result);
        }

        graph.Output(x.Apply(new RotaryPositions(2, interleaved: true), first));
        graph.Output(x.Apply(new RotaryPositions(2)));
        graph.Output(x.SinusoidalPositions().Apply(new SinusoidalPositions(50), first));
        graph.Output(x.LearnedPositions(20).Apply(new LearnedPositions(30), first));
        graph.Output(x.BidirectionalGru(3, lengths));
        graph.Output(x.GlobalAveragePooling1D(lengths) + x.GlobalMaxPooling1D(lengths) + x.Variance(0.5, false, 0));
        graph.Output(x.Variance(1, false, 0, 1) + x.Flatten().LogSumExp());
        graph.Output(frames.EachStep(new Convolution2D(3, 3, padding: 1)).EachStep(new BatchNormalization()));
        graph.Output(frames.EachStep(new GlobalAveragePooling2D()).Lstm(4));
        graph.Output(frames.EachStep(new EachStep(new Affine(3))));
        graph.Output(x.LayerNormalization(2, affine: false) + x.RmsNormalization(2, affine: false));
        graph.Output(x.GroupNormalization(2).CumulativeSum(0).Sort(0).Values);
        graph.Output(x.Convolution1D(4, 3, padding: 1).GroupNormalization(2).AdaptiveMaxPooling1D(1));
        graph.Output(frames.Mean(0).Upsample(2, mode: ResizeMode.Bilinear).PixelUnshuffle(2).PixelShuffle(2));
        graph.Output(frames.Mean(0).Upsample(outputs: new Extent(5, 3)).Pad([1, 0, 0], [0, 2, 0], PaddingMode.Edge));
        graph.Output(x.Pad([1, 0], [1, 3], PaddingMode.Reflect));
        graph.Output(Node.MatrixProduct(x, other.Transpose(1, 0)).Tile(2, 1));
        graph.Output(x.Gather(graph.IndexInput("places", time)).Concatenate(0, x));
        var network = Filled(graph.Build());
        foreach (var (t, w) in ((int, int)[])[(11, 9), (5, 6), (2, 4), (11, 5)])
            Equal(network, [("time", t), ("width", w)], name => name == "places" ? (0, t - 1) : name == "lengths" ? (1, t) : (0, 7));
    }

    [Fact]
    public void A_free_size_that_a_layer_needs_as_a_number_is_refused_with_its_name()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", Dimension.Free("time", 10, 4), 4);
        graph.Output(x.Lstm(4, projection: 2).Named("narrow"));
        graph.Output(x.MaxPooling1D(2, ceiling: true).Named("rounded"));
        graph.Output(x.AdaptiveMaxPooling1D(3));
        graph.Output(x.Transpose(1, 0).SwiGlu());
        graph.Output(x.Affine(3));
        var message = Assert.Throws<ArgumentException>("network", () => OnnxRun.Model(Filled(graph.Build()))).Message;
        Assert.Contains("cannot say 4 of the layers", message, StringComparison.Ordinal);
        Assert.Contains("'narrow' (lstm): an LSTM with a projection", message, StringComparison.Ordinal);
        Assert.Contains("'rounded' (maxpooling1d): the last window of its ceiling mode depends on a size that is free", message, StringComparison.Ordinal);
        Assert.Contains("'adaptivemaxpooling1d1'", message, StringComparison.Ordinal);
        Assert.Contains("'swiglu1'", message, StringComparison.Ordinal);
        Assert.DoesNotContain("affine", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Random_graphs_of_images_in_both_layouts()
    {
        for (var seed = 0UL; seed < 200; seed++)
        {
            var random = new TestRandom(seed);
            var graph = new GraphBuilder();
            List<Node> nodes = [graph.Input("x", 4, 5, 6), graph.Input("y", 4, 5, 6)];
            for (var i = 0; i < 12; i++)
            {
                // Mostly the latest nodes, so that chains and not only bushes appear.
                Node a = nodes[^random.Integer(1, Math.Min(3, nodes.Count))], b = nodes[random.Integer(0, nodes.Count - 1)];
                nodes.Add(Place(graph, a, b, random.Integer(0, 25), $"p{i}"));
                if (random.Integer(0, 4) == 0)
                    graph.Output(nodes[^1]);
            }

            graph.Output(nodes[^1]);
            var network = Filled(graph.Build());
            using var run = OnnxRun.Of(network, new OnnxSaveOptions { Opset = random.Integer(17, 20) });
            Assert.InRange(run.Difference(network, 1 + (int)(seed % 3)), 0, Tolerance);
        }
    }

    /// <summary>A layer from [4, 5, 6] to [4, 5, 6], with bounded results.</summary>
    private static Node Place(GraphBuilder graph, Node a, Node b, int kind, string name) => kind switch
    {
        0 => a.Convolution2D(6, 3, padding: 1),
        1 => a.BatchNormalization(),
        2 => a.Relu(),
        3 => (a + b) * 0.5,
        4 => Node.Maximum(a, b),
        5 => a.Concatenate(b).Convolution2D(6, 1),
        6 => a * graph.Parameter(name, new Shape(1, 1, 6)),
        7 => a * graph.Parameter(name, new Shape(4, 1, 1)) + b.Mean(true, 0, 1),
        8 => a.Transpose(2, 0, 1).Transpose(1, 2, 0),
        9 => a.Slice(0, 1, 3).Pad([1, 0, 0], [0, 0, 0]),
        10 => a.Softmax(),
        11 => a.GroupNormalization(3),
        12 => a.LayerNormalization(),
        13 => a.Affine(6, perPosition: true),
        14 => a.Flatten().Tanh().Reshape(4, 5, 6),
        15 => a.EachStep(new Affine(6)),
        16 => a.Reverse(0, 2),
        17 => a.Upsample(2).AveragePooling2D(2),
        18 => a.SqueezeExcite(2),
        19 => a.MaxPooling2D(3, 1, 1),
        20 => Node.Where(a, b, a),
        21 => a.PRelu(),
        22 => a.Concatenate(2, b).SwiGlu(),
        23 => a.Reshape(20, 6).SelfAttention(2).Reshape(4, 5, 6),
        24 => a - a.Max(true, -1),
        _ => a.Sort(1).Values,
    };

    private static Network<float> Filled(NetworkDefinition definition) => OnnxNetworkTests.Filled(definition);

    private static void Equal(Network<float> network, (string, int)[]? sizes = null, Func<string, (int, int)>? indices = null)
    {
        foreach (var opset in (int[])[17, 20])
        {
            using var run = OnnxRun.Of(network, new OnnxSaveOptions { Opset = opset });
            foreach (var rows in (int[])[1, 4])
                Assert.InRange(run.Difference(network, rows, sizes, indices), 0, Tolerance);
        }
    }
}
