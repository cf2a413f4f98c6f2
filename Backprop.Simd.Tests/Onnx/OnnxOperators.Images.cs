using Backprop.Simd.Interchange;
using Backprop.Simd.Kernels;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Convolutions and pooling: images [N, C, H, W] become rows [H, W, C], lines [N, C, L] rows [1, L, C].</summary>
internal static partial class OnnxOperators
{
    /// <summary>Where windows lie, in two dimensions.</summary>
    private sealed record Windows(Extent Kernel, Extent Stride, Extent Dilation, Padding Padding);

    private static OnnxTensor?[] Convolution(OnnxCase c)
    {
        OnnxTensor x = c.Input(0), w = c.Input(1);
        var windows = WindowsOf(c, x, w);
        var (isLine, filters, groups) = (x.Rank == 3, w.Shape[0], c.Integer("group", 1));
        var bias = c.Optional(2);
        var image = isLine ? x.ChannelsLast() : Images(x);
        var network = new OperatorNetwork(x.Type, x.Shape[0]);
        var input = network.Input(image.Shape[1..], image.Numbers);
        var node = isLine
            ? input.Convolution1D(filters, windows.Kernel.Width, windows.Stride.Width, windows.Padding, windows.Dilation.Width, groups, bias: bias is not null)
            : input.Convolution2D(filters, windows.Kernel, windows.Stride, windows.Padding, windows.Dilation, groups, bias: bias is not null);

        // [F, C / g, kh, kw] to [kh, kw, C / g, F].
        network.Parameter(node, "weight", (isLine ? w.Transposed(2, 1, 0) : w.Transposed(2, 3, 1, 0)).Numbers);
        if (bias is not null)
            network.Parameter(node, "bias", bias.Numbers);
        return [Result(x, node, network.Run(node)[0])];
    }

    private static OnnxTensor?[] ConvolutionTranspose(OnnxCase c)
    {
        OnnxTensor x = c.Input(0), w = c.Input(1);
        var groups = c.Integer("group", 1);
        var windows = WindowsOf(c, x, w, isTransposed: true);
        var isLine = x.Rank == 3;
        var bias = c.Optional(2);
        int[] size = isLine ? [1, x.Shape[2]] : x.Shape[2..];
        var extra = Pair(c.Integers("output_padding", 0, 0), 0);
        var target = c.Integers("output_shape");
        var upper = c.Text("auto_pad", "NOTSET");
        if (upper is "SAME_UPPER" or "SAME_LOWER")
            target = [size[0] * windows.Stride.Height, size[1] * windows.Stride.Width];

        // A size of the output that is given decides how much is cut off, or, where it is larger, what is added at the end.
        var padding = windows.Padding;
        if (target.Length > 0)
        {
            var rows = (size[0] - 1) * windows.Stride.Height + extra.Height + (windows.Kernel.Height - 1) * windows.Dilation.Height + 1 - target[^2];
            var columns = (size[1] - 1) * windows.Stride.Width + extra.Width + (windows.Kernel.Width - 1) * windows.Dilation.Width + 1 - target[^1];
            extra = new(extra.Height + Math.Max(0, -rows), extra.Width + Math.Max(0, -columns));
            (rows, columns) = (Math.Max(0, rows), Math.Max(0, columns));
            padding = upper == "SAME_UPPER"
                ? new(rows / 2, columns / 2, rows - rows / 2, columns - columns / 2)
                : new(rows - rows / 2, columns - columns / 2, rows / 2, columns / 2);
        }

        var image = Images(x);
        var network = new OperatorNetwork(x.Type, x.Shape[0]);
        var node = network.Input(image.Shape[1..], image.Numbers).ConvolutionTranspose2D(
            w.Shape[1] * groups, windows.Kernel, windows.Stride, padding, extra, windows.Dilation, groups, bias: bias is not null);

        // [C, F / g, kh, kw] to [kh, kw, F / g, C].
        network.Parameter(node, "weight", (isLine ? w.Transposed(2, 1, 0) : w.Transposed(2, 3, 1, 0)).Numbers);
        if (bias is not null)
            network.Parameter(node, "bias", bias.Numbers);
        return [Result(x, node, network.Run(node)[0])];
    }

    /// <summary>The largest values; where they come from, as the gradient tells it.</summary>
    private static OnnxTensor?[] MaxPooling(OnnxCase c)
    {
        var x = c.Input(0);
        var ceiling = c.Integer("ceil_mode", 0) == 1;
        var byColumns = c.Integer("storage_order", 0) == 1;
        var windows = WindowsOf(c, x);
        var image = Images(x);
        var (network, node) = Build();
        var y = Result(x, node, network.Run(node)[0]);
        if (c.Node.Outputs.Count == 1)
            return [y];

        var sources = new double[y.Size];
        for (var i = 0; i < sources.Length; i++)
        {
            (network, node) = Build();
            var at = i;
            var dx = OnnxTensor.Of(x.Type, image.Shape, network.Gradients(node, o => o == at ? 1 : 0)[0]);
            sources[i] = Array.IndexOf((byColumns ? dx.ChannelsFirst().Transposed(0, 1, 3, 2) : dx.ChannelsFirst()).Numbers, 1);
        }

        return [y, OnnxTensor.OfIntegers(OnnxType.Int64, y.Shape, [.. Result(x, node, sources).Numbers.Select(s => (long)s)])];

        (OperatorNetwork, Node) Build()
        {
            var network = new OperatorNetwork(x.Type, x.Shape[0]);
            var input = network.Input(image.Shape[1..], image.Numbers);
            return (network, input.MaxPooling2D(windows.Kernel, windows.Stride, windows.Padding, ceiling, windows.Dilation));
        }
    }

    private static OnnxTensor?[] AveragePooling(OnnxCase c)
    {
        var x = c.Input(0);
        bool ceiling = c.Integer("ceil_mode", 0) == 1, includePadding = c.Integer("count_include_pad", 0) == 1;
        var windows = WindowsOf(c, x);
        if (windows.Dilation != 1)
            throw new LeftOutException("pooling with dilation");
        var image = Images(x);
        var network = new OperatorNetwork(x.Type, x.Shape[0]);
        var node = network.Input(image.Shape[1..], image.Numbers).AveragePooling2D(windows.Kernel, windows.Stride, windows.Padding, ceiling, includePadding);
        return [Result(x, node, network.Run(node)[0])];
    }

    private static OnnxTensor?[] GlobalPooling(OnnxCase c, Func<Node, Node> pooling)
    {
        var x = c.Input(0);
        var image = Images(x);
        var network = new OperatorNetwork(x.Type, x.Shape[0]);
        var y = network.Run(pooling(network.Input(image.Shape[1..], image.Numbers)))[0];
        return [OnnxTensor.Of(x.Type, [x.Shape[0], x.Shape[1], .. Enumerable.Repeat(1, x.Rank - 2)], y)];
    }

    private static OnnxTensor?[] DepthToSpace(OnnxCase c) =>
        Pixels(c, (x, size) => x.PixelShuffle(size, blocksFirst: c.Text("mode", "DCR") == "DCR"));

    private static OnnxTensor?[] SpaceToDepth(OnnxCase c) => Pixels(c, (x, size) => x.PixelUnshuffle(size, blocksFirst: true));

    private static OnnxTensor?[] Pixels(OnnxCase c, Func<Node, int, Node> function)
    {
        var x = c.Input(0);
        var image = Images(x);
        var network = new OperatorNetwork(x.Type, x.Shape[0]);
        var node = function(network.Input(image.Shape[1..], image.Numbers), c.Integer("blocksize", 1));
        return [Result(x, node, network.Run(node)[0])];
    }

    /// <summary>The operator of versions 7 to 9: nearest cells at floor(o / scale), or bilinear from the same places.</summary>
    private static OnnxTensor?[] Upsample(OnnxCase c)
    {
        if (c.Text("mode", "nearest") != "nearest")
            throw new LeftOutException("bilinear cells at o / scale");
        return Resized(c, c.Input(1), null, ResizeMode.Nearest, false);
    }

    /// <summary>Inputs are x, a region, scales, sizes. The library holds places within the image, as the default does.</summary>
    private static OnnxTensor?[] Resize(OnnxCase c)
    {
        if (c.InputCount == 2)
            throw new LeftOutException("resizing of version 10");
        c.Ignore("extrapolation_value"); // of regions that are cut out
        c.Ignore("cubic_coeff_a");
        c.Ignore("exclude_outside"); // of cubic ones
        var (places, rounding) = (c.Text("coordinate_transformation_mode", "half_pixel"), c.Text("nearest_mode", "round_prefer_floor"));
        var kind = c.Text("mode", "nearest");
        var (mode, alignCorners) = (kind, places, rounding) switch
        {
            ("linear", "half_pixel", _) => (ResizeMode.Bilinear, false),
            ("linear", "align_corners", _) => (ResizeMode.Bilinear, true),
            ("nearest", "asymmetric", "floor") => (ResizeMode.Nearest, false),
            ("nearest", "half_pixel", "round_prefer_ceil") => (ResizeMode.NearestExact, false),
            ("nearest", "half_pixel", "round_prefer_floor") => (ResizeMode.NearestExact, false),
            _ => throw new LeftOutException($"resizing: {kind}{(kind == "nearest" ? $" by {rounding}" : "")}, places {places}"),
        };
        OnnxTensor? scales = c.Optional(2) is { Size: > 0 } given ? given : null, sizes = scales is null ? c.Optional(3) : null;
        return Resized(c, scales, sizes, mode, alignCorners, isTieLow: rounding == "round_prefer_floor");
    }

    private static OnnxTensor?[] Resized(OnnxCase c, OnnxTensor? scales, OnnxTensor? sizes, ResizeMode mode, bool alignCorners, bool isTieLow = false)
    {
        var x = c.Input(0);
        if (x.Rank is not (3 or 4))
            throw new LeftOutException("resizing of other than images");
        if (scales?.Numbers[0] is not (null or 1) || scales?.Numbers[1] is not (null or 1))
            throw new LeftOutException("resizing of batch or channels");
        var image = Images(x);
        ResizeScale? scale = scales is null ? null : new(x.Rank == 3 ? 1 : scales.Numbers[2], scales.Numbers[^1]);
        var outputs = scale is { } by ? ResizeShape.OutputsOf(image.Shape[1], image.Shape[2], by)
            : new Extent(x.Rank == 3 ? 1 : (int)sizes!.Integers[2], (int)sizes!.Integers[^1]);

        if (alignCorners && scale is { } factors && (image.Shape[1] * factors.Height % 1 != 0 || image.Shape[2] * factors.Width % 1 != 0))
            throw new LeftOutException("resizing: corners aligned with those of a size that is no integer");

        // A place halfway between two cells goes to the upper one here.
        var hasTie = HasTie(image.Shape[1], outputs.Height, scale?.Height) || HasTie(image.Shape[2], outputs.Width, scale?.Width);
        if (mode == ResizeMode.NearestExact && isTieLow && hasTie)
            throw new LeftOutException("resizing: places halfway between two cells that go to the lower one");
        var network = new OperatorNetwork(x.Type, x.Shape[0]);
        var node = network.Input(image.Shape[1..], image.Numbers).Upsample(scale, scale is null ? outputs : null, mode, alignCorners);
        return [Result(x, node, network.Run(node)[0])];
    }

    private static bool HasTie(int size, int outputs, double? scale)
    {
        var by = scale ?? (double)outputs / size;
        return Enumerable.Range(0, outputs).Any(o => (o + 0.5) / by is var place && place == Math.Floor(place));
    }

    /// <summary>Reads the attributes of windows; padding that keeps the size is worked out.</summary>
    private static Windows WindowsOf(OnnxCase c, OnnxTensor x, OnnxTensor? w = null, bool isTransposed = false)
    {
        if (x.Rank is < 3 or > 4)
            throw new LeftOutException("windows in three dimensions");
        int[] one = [.. Enumerable.Repeat(1, x.Rank - 2)], none = new int[2 * one.Length];
        var kernel = Pair(c.Integers("kernel_shape", w?.Shape[2..] ?? []), 1);
        var stride = Pair(c.Integers("strides", one), 1);
        var dilation = Pair(c.Integers("dilations", one), 1);
        var pads = c.Integers("pads", none);
        var padding = pads.Length == 2 ? new Padding(0, pads[0], 0, pads[1]) : new Padding(pads[0], pads[1], pads[2], pads[3]);
        var auto = c.Text("auto_pad", "NOTSET");
        if (auto is "SAME_UPPER" or "SAME_LOWER" && !isTransposed)
        {
            var rows = x.Rank == 3 ? 0 : Missing(x.Shape[2], kernel.Height, stride.Height, dilation.Height);
            var columns = Missing(x.Shape[^1], kernel.Width, stride.Width, dilation.Width);
            padding = auto == "SAME_UPPER"
                ? new(rows / 2, columns / 2, rows - rows / 2, columns - columns / 2)
                : new(rows - rows / 2, columns - columns / 2, rows / 2, columns / 2);
        }
        else if (auto is not ("NOTSET" or "VALID" or "SAME_UPPER" or "SAME_LOWER"))
        {
            throw new InvalidDataException($"There is no auto_pad {auto}.");
        }

        return new(kernel, stride, dilation, padding);
    }

    /// <summary>The padding for ceil(size / stride) windows.</summary>
    private static int Missing(int size, int kernel, int stride, int dilation) =>
        Math.Max(0, ((size + stride - 1) / stride - 1) * stride + (kernel - 1) * dilation + 1 - size);

    private static Extent Pair(int[] sizes, int otherwise) => sizes.Length == 1 ? new(otherwise, sizes[0]) : new(sizes[0], sizes[1]);

    /// <summary>[N, C, H, W] as [N, H, W, C]; [N, C, L] as [N, 1, L, C].</summary>
    private static OnnxTensor Images(OnnxTensor x)
    {
        if (x.Rank is < 3 or > 4)
            throw new LeftOutException("windows in three dimensions");
        return (x.Rank == 3 ? x.As(x.Shape[0], x.Shape[1], 1, x.Shape[2]) : x).ChannelsLast();
    }

    /// <summary>The rows [H, W, C] of a node as ONNX's [N, C, H, W], or [N, C, L] where the input is that.</summary>
    private static OnnxTensor Result(OnnxTensor x, Node node, double[] values)
    {
        var shape = node.Type.Shape;
        int[] dimensions = [x.Shape[0], .. Enumerable.Range(0, shape.Rank).Select(d => shape[d])];
        var y = OnnxTensor.Of(x.Type, dimensions, values).ChannelsFirst();
        return x.Rank == 3 ? y.As(y.Shape[0], y.Shape[1], y.Shape[^1]) : y;
    }
}
