using Backprop.Simd.Kernels;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <content>Convolutions, pooling and sizes of images: [N, C, H, W] lies as rows [H, W, C], [N, C, L] as rows [L, C].</content>
internal static partial class Operators
{
    /// <summary>The largest side of an image that is made larger.</summary>
    private const int LargestSide = 1 << 20;

    /// <summary>Where windows lie, in one or two dimensions.</summary>
    private sealed record Windows(bool IsLine, Extent Kernel, Extent Stride, Extent Dilation, Padding Padding);

    /// <summary>The rows of an image or line with its channels last; how the dimensions lie in a result of the same kind.</summary>
    private static (Node Node, int[][] Axes, int[] Sizes) Image(NodeValue x)
    {
        if (x.Rank is < 3 or > 4 || x.BatchAxis > 0)
            throw new UnsupportedException($"it needs an image [N, C, H, W] or a line [N, C, L]; it has {x.Text()}");
        if (x.BatchAxis < 0 && x.SizeOf(0) != new SymbolicSize(1))
            throw new UnsupportedException($"dimension 0 of {x.Text()} is not the batch");
        var node = x.Rank == 3 ? Views.Rows(x, 2, 1) : Views.Rows(x, 2, 3, 1);
        int[] batch = x.BatchAxis == 0 ? [0] : [];
        int[] sizes = [.. Enumerable.Range(0, x.Rank - 1).Select(d => node.Type.Shape[d])];
        return (node, x.Rank == 3 ? [batch, [2], [1]] : [batch, [3], [1], [2]], sizes);
    }

    private static ImportValue[] Convolution(Operation o)
    {
        var w = Filters(o);
        var (image, axes, sizes) = Image(o.Value(0));
        var windows = WindowsOf(o, w.Rank - 2, sizes, w.Shape[2..]);
        var (filters, groups) = (w.Shape[0], o.Integer("group", 1));
        var bias = o.Constant(2)?.Values ?? o.Importer.TakeBias(o, filters, w.Rank, w.Rank - 2);
        if (sizes.Length != w.Rank - 1 || groups < 1 || sizes[^1] != (long)w.Shape[1] * groups)
            throw new UnsupportedException($"it has the filters {w.Text()} in {groups} groups for {o.Input(0).Text()}");
        var node = windows.IsLine
            ? image.Convolution1D(filters, windows.Kernel.Width, windows.Stride.Width, windows.Padding, windows.Dilation.Width, groups, bias: bias is not null)
            : image.Convolution2D(filters, windows.Kernel, windows.Stride, windows.Padding, windows.Dilation, groups, bias: bias is not null);

        // [F, C / g, kh, kw] to [kh, kw, C / g, F].
        o.Importer.Set(node, "weight", (windows.IsLine ? w.Transposed(2, 1, 0) : w.Transposed(2, 3, 1, 0)).Values);
        if (bias is not null)
            o.Importer.Set(node, "bias", bias);
        return [new NodeValue(node, axes)];
    }

    private static Folded Filters(Operation o) => o.RequiredConstant(1) is { Rank: 3 or 4, IsFloat: true } w ? w
        : throw new UnsupportedException($"it has the filters {o.Input(1).Text()}; here they have one or two dimensions of space");

    private static ImportValue[] ConvolutionTranspose(Operation o)
    {
        var w = Filters(o);
        var (image, axes, sizes) = Image(o.Value(0));
        var groups = o.Integer("group", 1);
        var windows = WindowsOf(o, w.Rank - 2, sizes, w.Shape[2..], isTransposed: true);
        if (sizes.Length != w.Rank - 1 || groups < 1 || sizes[^1] != w.Shape[0])
            throw new UnsupportedException($"it has the filters {w.Text()} in {groups} groups for {o.Input(0).Text()}");
        var filters = checked(w.Shape[1] * groups);
        var extra = Pair(o.Integers("output_padding") ?? [0, 0], 0);
        var target = o.Integers("output_shape") ?? [];
        var upper = o.Text("auto_pad", "NOTSET");
        int[] size = windows.IsLine ? [1, sizes[0]] : [sizes[0], sizes[1]];
        if (upper is "SAME_UPPER" or "SAME_LOWER")
            target = [size[0] * windows.Stride.Height, size[1] * windows.Stride.Width];

        // A size of the output that is given decides how much is cut off, or, where it is larger, what is added at the end.
        var padding = windows.Padding;
        if (target.Length > 0)
        {
            var rows = target.Length < 2 || windows.IsLine ? 0
                : (size[0] - 1) * windows.Stride.Height + extra.Height + (windows.Kernel.Height - 1) * windows.Dilation.Height + 1 - target[^2];
            var columns = (size[1] - 1) * windows.Stride.Width + extra.Width + (windows.Kernel.Width - 1) * windows.Dilation.Width + 1 - target[^1];
            extra = new(extra.Height + Math.Max(0, -rows), extra.Width + Math.Max(0, -columns));
            (rows, columns) = (Math.Max(0, rows), Math.Max(0, columns));
            padding = upper == "SAME_UPPER"
                ? new(rows / 2, columns / 2, rows - rows / 2, columns - columns / 2)
                : new(rows - rows / 2, columns - columns / 2, rows / 2, columns / 2);
        }

        var bias = o.Constant(2)?.Values ?? o.Importer.TakeBias(o, filters, w.Rank, w.Rank - 2);
        var node = windows.IsLine
            ? image.ConvolutionTranspose1D(filters, windows.Kernel.Width, windows.Stride.Width, padding, extra.Width, windows.Dilation.Width, groups,
                bias: bias is not null)
            : image.ConvolutionTranspose2D(filters, windows.Kernel, windows.Stride, padding, extra, windows.Dilation, groups, bias: bias is not null);

        // [C, F / g, kh, kw] to [kh, kw, F / g, C].
        o.Importer.Set(node, "weight", (windows.IsLine ? w.Transposed(2, 1, 0) : w.Transposed(2, 3, 1, 0)).Values);
        if (bias is not null)
            o.Importer.Set(node, "bias", bias);
        return [new NodeValue(node, axes)];
    }

    private static ImportValue[] MaxPooling(Operation o)
    {
        o.Ignore("storage_order"); // of the indices, which are not given
        var (image, axes, sizes) = Image(o.Value(0));
        var windows = WindowsOf(o, sizes.Length - 1, sizes, null);
        var ceiling = o.Flag("ceil_mode");
        var node = windows.IsLine
            ? image.MaxPooling1D(windows.Kernel.Width, windows.Stride.Width, windows.Padding, ceiling, windows.Dilation.Width)
            : image.MaxPooling2D(windows.Kernel, windows.Stride, windows.Padding, ceiling, windows.Dilation);
        return [new NodeValue(node, axes)];
    }

    private static ImportValue[] AveragePooling(Operation o)
    {
        var (image, axes, sizes) = Image(o.Value(0));
        var windows = WindowsOf(o, sizes.Length - 1, sizes, null);
        if (windows.Dilation != 1)
            throw new UnsupportedException("it has dilation");
        bool ceiling = o.Flag("ceil_mode"), includePadding = o.Flag("count_include_pad");
        var node = windows.IsLine
            ? image.AveragePooling1D(windows.Kernel.Width, windows.Stride.Width, windows.Padding, ceiling, includePadding)
            : image.AveragePooling2D(windows.Kernel, windows.Stride, windows.Padding, ceiling, includePadding);
        return [new NodeValue(node, axes)];
    }

    private static ImportValue[] GlobalPooling(Operation o, bool isMax)
    {
        var x = o.Value(0);
        if (x.Rank == 4)
        {
            var (image, axes, _) = Image(x);
            return [new NodeValue(isMax ? image.GlobalMaxPooling2D() : image.GlobalAveragePooling2D(), [axes[0], [1], [], []])];
        }

        // A line, or more dimensions: all of space as one dimension.
        if (x.Rank < 3 || x.BatchAxis > 0)
            throw new UnsupportedException($"it pools {x.Text()}");
        var sizes = x.Sizes();
        var flat = Views.Last(Views.Reshaped(x, [sizes[0], sizes[1], sizes[2..].Aggregate((a, b) => a * b)]), 2);
        var last = flat.Node.Type.Shape.Rank - 1;
        var node = isMax ? flat.Node.Max(true, last) : flat.Node.Mean(true, last);
        return [new NodeValue(node, [flat.Axes[0], flat.Axes[1], .. sizes[2..].Select(_ => Array.Empty<int>())])];
    }

    private static ImportValue[] Pixels(Operation o, Func<Node, int, Node> function)
    {
        var (image, axes, sizes) = Image(o.Value(0));
        return sizes.Length == 3 ? [new NodeValue(function(image, o.Integer("blocksize", 1)), axes)] : throw new UnsupportedException("it needs an image");
    }

    /// <summary>The operator of versions 7 to 9: nearest cells at floor(o / scale).</summary>
    private static ImportValue[] Upsample(Operation o)
    {
        if (o.Text("mode", "nearest") != "nearest")
            throw new UnsupportedException("it takes bilinear cells at o / scale");
        var scales = o.Constant(1)?.Values ?? [.. o.Floats("scales").Select(s => (double)s)];
        return [Resized(o, scales, null, ResizeMode.Nearest, false)];
    }

    /// <summary>Inputs are x, a region, scales, sizes; in version 10 x and scales. The library holds places within the image, as the default does.</summary>
    private static ImportValue[] Resize(Operation o)
    {
        o.Ignore("extrapolation_value", "cubic_coeff_a", "exclude_outside"); // of regions that are cut out, and of cubic cells
        if (o.Flag("antialias") || o.Text("keep_aspect_ratio_policy", "stretch") != "stretch" || o.Integers("axes") is not null)
            throw new UnsupportedException("it has antialiasing, a ratio to keep, or axes");
        var old = o.Opset < 11;
        var places = o.Text("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
        var rounding = o.Text("nearest_mode", old ? "floor" : "round_prefer_floor");
        var kind = o.Text("mode", "nearest");
        var scales = o.Constant(old ? 1 : 2)?.Values is { Length: > 0 } given ? given : null;
        var targets = scales is null ? o.Constant(3) : null;
        var (mode, alignCorners) = (kind, places, rounding) switch
        {
            ("linear", "half_pixel" or "pytorch_half_pixel", _) => (ResizeMode.Bilinear, false),
            ("linear", "align_corners", _) => (ResizeMode.Bilinear, true),
            ("nearest", "asymmetric", "floor") => (ResizeMode.Nearest, false),
            ("nearest", "half_pixel" or "pytorch_half_pixel", "round_prefer_ceil" or "round_prefer_floor") => (ResizeMode.NearestExact, false),

            // At whole factors all these take the cell that a place lies in.
            ("nearest", "asymmetric", _) when IsWhole(scales) && rounding is "floor" => (ResizeMode.Nearest, false),
            _ => throw new UnsupportedException($"it resizes: {kind}{(kind == "nearest" ? $" by {rounding}" : "")}, places {places}"),
        };
        return [Resized(o, scales, targets, mode, alignCorners, isTieLow: rounding == "round_prefer_floor")];

        static bool IsWhole(double[]? scales) => scales is not null && scales.All(s => s == Math.Floor(s));
    }

    private static NodeValue Resized(Operation o, double[]? scales, Folded? given, ResizeMode mode, bool alignCorners, bool isTieLow = false)
    {
        var x = o.Value(0);
        var (image, axes, sizes) = Image(x);
        var isLine = x.Rank == 3;
        if ((scales?.Length ?? given?.Values.Length) != x.Rank)
            throw new UnsupportedException("its scales and sizes are missing or of another number than the dimensions");
        var targets = given is null ? null : given.Pick([.. Enumerable.Range(1, x.Rank - 1)], x.Rank - 1).Integers;
        if (scales is not null && (scales[0] != 1 || scales[1] != 1) || targets is not null && (targets[0] != sizes[^1] || !IsBatch(given!.At(0))))
            throw new UnsupportedException("it resizes the batch or channels");
        if (isLine)
            image = image.Unsqueeze(0);
        int height = isLine ? 1 : sizes[0], width = isLine ? sizes[0] : sizes[1];
        ResizeScale? scale = scales is null ? null : new(isLine ? 1 : scales[2], scales[^1]);
        var outputs = scale is { } by ? ResizeShape.OutputsOf(height, width, by) : new Extent(isLine ? 1 : targets![1], targets![^1]);
        if (alignCorners && scale is { } factors && (height * factors.Height % 1 != 0 || width * factors.Width % 1 != 0))
            throw new UnsupportedException("it aligns corners with those of a size that is no integer");

        if (outputs.Height > LargestSide || outputs.Width > LargestSide)
            throw new UnsupportedException($"it makes images of {outputs.Height} x {outputs.Width}");

        // A place halfway between two cells goes to the upper one here.
        var hasTie = HasTie(height, outputs.Height, scale?.Height) || HasTie(width, outputs.Width, scale?.Width);
        if (mode == ResizeMode.NearestExact && isTieLow && hasTie)
            throw new UnsupportedException("it takes the lower of two cells where a place lies halfway between them");
        if (o.Text("coordinate_transformation_mode", "") == "pytorch_half_pixel" && (outputs.Height == 1 && height > 1 || outputs.Width == 1 && width > 1))
            throw new UnsupportedException("it makes one cell, from the place 0");
        var node = image.Upsample(scale, scale is null ? outputs : null, mode, alignCorners);
        return new(isLine ? node.Squeeze(0) : node, axes);

        bool IsBatch(SymbolicSize size) => size == x.SizeOf(0) || x.BatchAxis == 0 && size == new SymbolicSize(o.Importer.FixedRows ?? 0);
    }

    private static bool HasTie(int size, int outputs, double? scale)
    {
        var by = scale ?? (double)outputs / size;
        return Enumerable.Range(0, outputs).Any(o => (o + 0.5) / by is var place && place == Math.Floor(place));
    }

    /// <summary>Reads the attributes of windows; padding that keeps the size is worked out.</summary>
    private static Windows WindowsOf(Operation o, int space, int[] sizes, int[]? filter, bool isTransposed = false)
    {
        if (space is < 1 or > 2 || sizes.Length != space + 1)
            throw new UnsupportedException("it has windows in other than one or two dimensions");
        var kernel = Pair(o.Integers("kernel_shape") ?? filter ?? throw new UnsupportedException("its kernel_shape is missing"), 1);
        var stride = Pair(o.Integers("strides") ?? [1, 1], 1);
        var dilation = Pair(o.Integers("dilations") ?? [1, 1], 1);
        var pads = o.Integers("pads") ?? new int[2 * space];
        if (pads.Length != 2 * space)
            throw new UnsupportedException($"it has {pads.Length} pads");
        var padding = space == 1 ? new Padding(0, pads[0], 0, pads[1]) : new Padding(pads[0], pads[1], pads[2], pads[3]);
        var rule = o.Text("auto_pad", "NOTSET");
        if (rule is "SAME_UPPER" or "SAME_LOWER" && !isTransposed)
        {
            var rows = space == 1 ? 0 : Missing(sizes[0], kernel.Height, stride.Height, dilation.Height);
            var columns = Missing(sizes[^2], kernel.Width, stride.Width, dilation.Width);
            padding = rule == "SAME_UPPER"
                ? new(rows / 2, columns / 2, rows - rows / 2, columns - columns / 2)
                : new(rows - rows / 2, columns - columns / 2, rows / 2, columns / 2);
        }
        else if (rule == "VALID")
        {
            padding = default;
        }

        return new(space == 1, kernel, stride, dilation, padding);

        // What is missing for ceil(size / stride) windows.
        static int Missing(int size, int kernel, int stride, int dilation) =>
            stride < 1 ? 0 : Math.Max(0, ((size + stride - 1) / stride - 1) * stride + (kernel - 1) * dilation + 1 - size);
    }

    private static Extent Pair(int[] numbers, int height) => numbers.Length switch
    {
        1 => new(height, numbers[0]),
        2 => new(numbers[0], numbers[1]),
        _ => throw new UnsupportedException("it has windows in other than one or two dimensions"),
    };
}
