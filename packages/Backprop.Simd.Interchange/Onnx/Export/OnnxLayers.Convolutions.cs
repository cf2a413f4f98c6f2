using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Interchange;

/// <content>Convolutions, and sizes of images.</content>
internal static partial class OnnxLayers
{
    private static void AddConvolutions()
    {
        Register<Convolution1D>((w, l) => Convolved(w, "Conv", l.Kernel, l.HasBias,
            new() { Stride = l.Stride, Dilation = l.Dilation, Padding = l.Padding, Groups = l.Groups, Rank = 1 }));
        Register<Convolution2D>((w, l) => Convolved(w, "Conv", l.Kernel, l.HasBias,
            new() { Stride = l.Stride, Dilation = l.Dilation, Padding = l.Padding, Groups = l.Groups, Rank = 2 }));
        Register<ConvolutionTranspose1D>((w, l) => Convolved(w, "ConvTranspose", l.Kernel, l.HasBias,
            new() { Stride = l.Stride, Dilation = l.Dilation, Padding = l.Padding, Groups = l.Groups, Rank = 1, More = l.OutputPadding }));
        Register<ConvolutionTranspose2D>((w, l) => Convolved(w, "ConvTranspose", l.Kernel, l.HasBias,
            new() { Stride = l.Stride, Dilation = l.Dilation, Padding = l.Padding, Groups = l.Groups, Rank = 2, More = l.OutputPadding }));
        Register<FunctionalConvolution>((w, l) => Convolved(w, l));
        Register<Upsample>((w, l) => Resized(w, l));
        Register<PixelShuffle>((w, l) => w.First(w.Graph.Node("DepthToSpace", [w.Input.First], OnnxAttributes.Whole("blocksize", l.Factor),
            OnnxAttributes.Text("mode", l.BlocksFirst ? "DCR" : "CRD"))));
        Register<PixelUnshuffle>((w, l) => Unshuffled(w, l));
    }

    private static OnnxEdge Convolved(OnnxLayerWriter w, string kind, Extent kernel, bool bias, Sliding sliding)
    {
        var filters = w.Graph.Transposed(w.Parameter(0), FiltersOrder(sliding.Rank));
        string[] inputs = bias ? [w.Input.First, filters, w.Parameter(1)] : [w.Input.First, filters];
        return w.First(w.Graph.Node(kind, inputs, sliding.Attributes(kernel)));
    }

    private static OnnxEdge Convolved(OnnxLayerWriter w, FunctionalConvolution l)
    {
        var rank = w.Input.Rank - 1;
        var shape = w.Inputs[1].Shape;
        var sliding = new Sliding { Stride = l.Stride, Dilation = l.Dilation, Padding = l.Padding, Groups = l.Groups, Rank = rank };
        var filters = w.Graph.Transposed(w.Inputs[1].Last, FiltersOrder(rank));
        string[] inputs = w.Inputs.Count > 2 ? [w.Input.First, filters, w.Inputs[2].Last] : [w.Input.First, filters];
        return w.First(w.Graph.Node("Conv", inputs, sliding.Attributes(rank == 1 ? new(1, shape[0]) : new(shape[0], shape[1]))));
    }

    /// <summary>From [kh, kw, C / groups, F] to [F, C / groups, kh, kw].</summary>
    private static int[] FiltersOrder(int rank) => rank == 1 ? [2, 1, 0] : [3, 2, 0, 1];

    private static OnnxEdge Resized(OnnxLayerWriter w, Upsample l)
    {
        var x = w.Input.First;
        var rank = w.Input.Rank - 1;
        var scales = "";
        var sizes = "";
        if (l.Scale is { } scale)
            scales = w.Graph.Constant(OnnxType.Float, rank == 1 ? [1, 1, scale.Width] : [1, 1, scale.Height, scale.Width], rank + 2);
        else if (l.Outputs is { } outputs)
            sizes = rank == 1 ? w.Graph.Sizes(w.Graph.SizesOf(x, 0, 2), outputs.Width) : w.Graph.Sizes(w.Graph.SizesOf(x, 0, 2), outputs.Height, outputs.Width);
        var isLinear = l.Mode == ResizeMode.Bilinear;
        var mode = l.AlignCorners ? "align_corners" : l.Mode == ResizeMode.Nearest ? "asymmetric" : "half_pixel";
        return w.First(w.Graph.Node("Resize", sizes.Length > 0 ? [x, "", "", sizes] : [x, "", scales],
            OnnxAttributes.Text("mode", isLinear ? "linear" : "nearest"), OnnxAttributes.Text("coordinate_transformation_mode", mode),
            OnnxAttributes.Text("nearest_mode", l.Mode == ResizeMode.NearestExact ? "round_prefer_ceil" : "floor")));
    }

    /// <summary>The operator puts blocks before channels, as TensorFlow does; PyTorch's order takes the channels in another order behind it.</summary>
    private static OnnxEdge Unshuffled(OnnxLayerWriter w, PixelUnshuffle l)
    {
        var y = w.Graph.Node("SpaceToDepth", [w.Input.First], OnnxAttributes.Whole("blocksize", l.Factor));
        if (l.BlocksFirst)
            return w.First(y);
        var (channels, cells) = (w.Input.Shape.Last, l.Factor * l.Factor);
        long[] order = [.. Enumerable.Range(0, channels * cells).Select(i => (long)(i % cells * channels + i / cells))];
        return w.First(w.Graph.Node("Gather", [y, w.Graph.Whole(OnnxType.Int64, order, order.Length)], OnnxAttributes.Whole("axis", 1)));
    }

    /// <summary>How a filter slides over images, or over sequences, which take the widths.</summary>
    private readonly struct Sliding()
    {
        public required Extent Stride { get; init; }

        public required Extent Dilation { get; init; }

        public required Padding Padding { get; init; }

        public required int Groups { get; init; }

        /// <summary>1 for sequences, 2 for images.</summary>
        public required int Rank { get; init; }

        /// <summary>The extra cells of a transposed convolution.</summary>
        public Extent? More { get; init; }

        public OnnxAttribute[] Attributes(Extent kernel)
        {
            var rank = Rank;
            OnnxAttribute[] all =
            [
                OnnxAttributes.Whole("kernel_shape", Sizes(kernel)), OnnxAttributes.Whole("strides", Sizes(Stride)),
                OnnxAttributes.Whole("dilations", Sizes(Dilation)), OnnxAttributes.Whole("group", Groups),
                OnnxAttributes.Whole("pads", rank == 1 ? [Padding.Left, Padding.Right] : [Padding.Top, Padding.Left, Padding.Bottom, Padding.Right]),
            ];
            return More is { } more ? [.. all, OnnxAttributes.Whole("output_padding", Sizes(more))] : all;

            long[] Sizes(Extent extent) => rank == 1 ? [extent.Width] : [extent.Height, extent.Width];
        }
    }
}
