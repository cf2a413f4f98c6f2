using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Onnx;

/// <content>Convolution, pooling and normalization.</content>
internal static partial class OnnxOperators
{
    /// <summary>Images [N, H, W, C] of [N, C, H, W], or [N, 1, L, C] of [N, C, L].</summary>
    private static OnnxTensor Images(OnnxTensor x)
    {
        var last = x.Rank is 3 or 4 ? x.ChannelsLast() : throw new LeftOutException("three-dimensional");
        return x.Rank == 3 ? last.Reshape(last[0], 1, last[1], last[2]) : last;
    }

    /// <summary>The way back.</summary>
    private static OnnxTensor?[] FromImages(double[] values, int height, int width, int channels, OnnxTensor like)
    {
        int[] positions = like.Rank == 3 ? [width] : [height, width];
        return [new OnnxTensor([like[0], .. positions, channels], values, like.Type).ChannelsFirst()];
    }

    /// <summary>An attribute of two numbers; of one where there is no height.</summary>
    private static Extent Pair(OnnxNode node, string name, int rank)
    {
        var values = node.Integers(name, rank == 3 ? [1] : [1, 1]);
        return rank == 3 ? new(1, values[0]) : new(values[0], values[1]);
    }

    /// <summary>Padding as given, or as SAME asks for.</summary>
    private static Padding Pads(OnnxNode node, OnnxTensor image, Extent kernel, Extent stride, Extent dilation, int rank)
    {
        var auto = node.Text("auto_pad", "NOTSET");
        if (auto is "NOTSET")
        {
            var pads = node.Integers("pads", rank == 3 ? [0, 0] : [0, 0, 0, 0]);
            return rank == 3 ? new(0, pads[0], 0, pads[1]) : new(pads[0], pads[1], pads[2], pads[3]);
        }

        if (auto is "VALID")
            return 0;
        var (top, bottom) = Same(image[1], kernel.Height, stride.Height, dilation.Height);
        var (left, right) = Same(image[2], kernel.Width, stride.Width, dilation.Width);
        return new(top, left, bottom, right);

        (int, int) Same(int size, int k, int s, int d)
        {
            var total = Math.Max(0, ((size + s - 1) / s - 1) * s + (k - 1) * d + 1 - size);
            return auto == "SAME_UPPER" ? (total / 2, total - total / 2) : (total - total / 2, total / 2);
        }
    }

    private static OnnxTensor?[] Conv(OnnxCase test)
    {
        var (given, w) = (Number(test.Inputs[0]), Number(test.Inputs[1]));
        var x = Images(given);
        w = w.Rank == 3 ? w.Reshape(w[0], w[1], 1, w[2]) : w;
        Extent kernel = new(w[2], w[3]), stride = Pair(test.Node, "strides", given.Rank), dilation = Pair(test.Node, "dilations", given.Rank);
        var bias = test.Inputs.Length > 2 ? test.Inputs[2] : null;
        var layer = new Convolution2D(w[0], kernel, stride, Pads(test.Node, x, kernel, stride, dilation, given.Rank), dilation, test.Node.Integer("group", 1), bias: bias is not null);
        var run = Run(x, x[0]).Values(x.Values, x.Dimensions.AsSpan(1)).Parameter("weight", w.Transpose(2, 3, 1, 0).Values);
        if (bias is not null)
            run.Parameter("bias", bias.Values);
        var shape = layer.ShapeOf(new Shape(x.Dimensions.AsSpan(1)));
        return FromImages(run.Outputs(layer)[0], shape.OutputHeight, shape.OutputWidth, w[0], given);
    }

    private static OnnxTensor?[] ConvTranspose(OnnxCase test)
    {
        var (given, w) = (Number(test.Inputs[0]), Number(test.Inputs[1]));
        var x = Images(given);
        w = w.Rank == 3 ? w.Reshape(w[0], w[1], 1, w[2]) : w;
        var (node, rank, groups) = (test.Node, given.Rank, test.Node.Integer("group", 1));
        Extent kernel = new(w[2], w[3]), stride = Pair(node, "strides", rank), dilation = Pair(node, "dilations", rank);
        var extra = node.Integers("output_padding", rank == 3 ? [0] : [0, 0]);
        Extent outputPadding = rank == 3 ? new(0, extra[0]) : new(extra[0], extra[1]);
        var target = test.Outputs[0]!;
        int height = rank == 3 ? 1 : target[2], width = target[-1];
        Padding padding;
        if (node.Text("auto_pad", "NOTSET") == "NOTSET" && !node.Attributes.ContainsKey("output_shape"))
        {
            padding = Pads(node, x, kernel, stride, dilation, rank);
        }
        else
        {
            // The output's size is given; what is too much is cut off, more of it at the end unless SAME_LOWER.
            var (top, bottom) = Cut(x[1], height, kernel.Height, stride.Height, dilation.Height, outputPadding.Height);
            var (left, right) = Cut(x[2], width, kernel.Width, stride.Width, dilation.Width, outputPadding.Width);
            padding = new(top, left, bottom, right);
        }

        var filters = w[1] * groups;
        var layer = new ConvolutionTranspose2D(filters, kernel, stride, padding, outputPadding, dilation, groups, bias: false);
        var run = Run(x, x[0]).Values(x.Values, x.Dimensions.AsSpan(1)).Parameter("weight", w.Transpose(2, 3, 1, 0).Values);
        return FromImages(run.Outputs(layer)[0], height, width, filters, given);

        (int, int) Cut(int size, int output, int k, int s, int d, int more)
        {
            var total = s * (size - 1) + more + (k - 1) * d + 1 - output;
            if (total < 0)
                throw new LeftOutException("an output larger than the filters reach");
            return node.Text("auto_pad", "NOTSET") == "SAME_UPPER" ? (total / 2, total - total / 2) : (total - total / 2, total / 2);
        }
    }

    private static (OnnxTensor X, Extent Kernel, Extent Stride, Padding Padding, bool Ceiling) Pooling(OnnxCase test)
    {
        var given = Number(test.Inputs[0]);
        var x = Images(given);
        if (test.Node.Integers("dilations", 1, 1).Any(d => d != 1))
            throw new LeftOutException("dilation");
        Extent kernel = Pair(test.Node, "kernel_shape", given.Rank), stride = Pair(test.Node, "strides", given.Rank);
        return (x, kernel, stride, Pads(test.Node, x, kernel, stride, 1, given.Rank), test.Node.Integer("ceil_mode", 0) == 1);
    }

    private static OnnxTensor?[] MaxPool(OnnxCase test)
    {
        var (x, kernel, stride, padding, ceiling) = Pooling(test);
        var y = Pooled(test, x, new MaxPooling2D(kernel, stride, padding, ceiling));
        return [y, .. test.Outputs[1..].Select(_ => (OnnxTensor?)null)];
    }

    private static OnnxTensor?[] AveragePool(OnnxCase test)
    {
        var (x, kernel, stride, padding, ceiling) = Pooling(test);
        return [Pooled(test, x, new AveragePooling2D(kernel, stride, padding, ceiling, test.Node.Integer("count_include_pad", 0) == 1))];
    }

    private static OnnxTensor Pooled(OnnxCase test, OnnxTensor x, Layer layer)
    {
        var given = test.Inputs[0]!;
        var target = test.Outputs[0]!;
        return FromImages(Run(x, x[0]).Values(x.Values, x.Dimensions.AsSpan(1)).Outputs(layer)[0], given.Rank == 3 ? 1 : target[2], target[-1], x[-1], given)[0]!;
    }

    private static OnnxTensor?[] GlobalAveragePool(OnnxCase test)
    {
        var x = Images(Number(test.Inputs[0]));
        return One(Run(x, x[0]).Values(x.Values, x.Dimensions.AsSpan(1)).Outputs(new GlobalAveragePooling2D())[0], x, test.Outputs[0]!.Dimensions);
    }

    private static OnnxTensor?[] BatchNormalization(OnnxCase test)
    {
        var x = Number(test.Inputs[0]).ChannelsLast();
        var trains = test.Node.Integer("training_mode", 0) == 1;
        var layer = new BatchNormalization(1 - test.Node.Float("momentum", 0.9f), test.Node.Float("epsilon", 1e-5f));
        var run = new LayerRun { Rows = x[0], IsDouble = x.IsDouble, Training = trains }.Values(x.Values, x.Dimensions.AsSpan(1))
            .Parameter("weight", test.Inputs[1]!.Values).Parameter("bias", test.Inputs[2]!.Values)
            .State("runningMean", test.Inputs[3]!.Values).State("runningVariance", test.Inputs[4]!.Values);
        var y = new OnnxTensor(x.Dimensions, run.Outputs(layer)[0], x.Type).ChannelsFirst();
        if (!trains)
            return [y];

        // The running variance of ONNX is of the biased variance, the library's and PyTorch's of the unbiased one.
        return [y, new OnnxTensor([x[-1]], run.NewStates["runningMean"], x.Type), null];
    }

    private static OnnxTensor?[] InstanceNormalization(OnnxCase test)
    {
        var x = Number(test.Inputs[0]).ChannelsLast();
        var run = Run(x, x[0]).Values(x.Values, x.Dimensions.AsSpan(1)).Parameter("weight", test.Inputs[1]!.Values).Parameter("bias", test.Inputs[2]!.Values);
        return [new OnnxTensor(x.Dimensions, run.Outputs(new GroupNormalization(x[-1], test.Node.Float("epsilon", 1e-5f)))[0], x.Type).ChannelsFirst()];
    }

    private static OnnxTensor?[] LayerNormalization(OnnxCase test)
    {
        var x = Number(test.Inputs[0]);
        var axis = test.Node.Integer("axis", -1);
        axis = axis < 0 ? axis + x.Rank : axis;
        var run = Run(x, x.Size(0, axis)).Values(x.Values, x.Dimensions.AsSpan(axis)).Parameter("weight", test.Inputs[1]!.Values).Parameter("bias", test.Inputs[2]!.Values);
        var y = run.Outputs(new LayerNormalization(x.Rank - axis, test.Node.Float("epsilon", 1e-5f)))[0];
        return [new(x.Dimensions, y, x.Type), .. test.Outputs[1..].Select(_ => (OnnxTensor?)null)];
    }
}
