using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Interchange;

/// <content>Poolings.</content>
internal static partial class OnnxLayers
{
    private static void AddPoolings()
    {
        Register<MaxPooling1D>((w, l) => MaxPooled(w, [l.Kernel], [l.Stride], [l.Padding.Left, l.Padding.Right], [l.Dilation], l.Ceiling));
        Register<MaxPooling2D>((w, l) => MaxPooled(w, Both(l.Kernel), Both(l.Stride), Sides(l.Padding), Both(l.Dilation), l.Ceiling));
        Register<AveragePooling1D>((w, l) => AveragePooled(
            w, [l.Kernel], [l.Stride], [l.Padding.Left, l.Padding.Right], l.Ceiling, l.IncludePadding));
        Register<AveragePooling2D>((w, l) => AveragePooled(w, Both(l.Kernel), Both(l.Stride), Sides(l.Padding), l.Ceiling, l.IncludePadding));
        Register<GlobalAveragePooling1D>((w, _) => w.Inputs.Count > 1 ? MeanOfSteps(w) : Reduced(w, "ReduceMean", [0], false));
        Register<GlobalAveragePooling2D>((w, _) => Reduced(w, "ReduceMean", [0, 1], false));
        Register<GlobalMaxPooling1D>((w, _) => w.Inputs.Count > 1 ? w.Last(w.Graph.Reduce("ReduceMax", Valid(w, double.NegativeInfinity), [1], false))
            : Reduced(w, "ReduceMax", [0], false));
        Register<GlobalMaxPooling2D>((w, _) => Reduced(w, "ReduceMax", [0, 1], false));
        Register<AdaptiveAveragePooling2D>((w, l) => BinMeans(w, Both(l.Outputs)));
        Register<AdaptiveMaxPooling1D>((w, l) => BinMaxima(w, [l.Outputs]));
        Register<AdaptiveMaxPooling2D>((w, l) => BinMaxima(w, Both(l.Outputs)));
    }

    private static int[] Both(Extent extent) => [extent.Height, extent.Width];

    /// <summary>In ONNX's order: before each dimension, then behind each.</summary>
    private static int[] Sides(Padding padding) => [padding.Top, padding.Left, padding.Bottom, padding.Right];

    private static OnnxEdge MaxPooled(OnnxLayerWriter w, int[] kernel, int[] stride, int[] pads, int[] dilation, bool ceiling)
    {
        var rank = kernel.Length;
        int[] sides = [.. pads];
        for (var d = 0; d < rank && ceiling; d++)
            sides[rank + d] = Behind(w, d, stride[d], (kernel[d] - 1) * dilation[d] + 1, pads[d]);
        var x = w.Input.First;
        if (Enumerable.Range(0, 2 * rank).Any(i => sides[i] >= kernel[i % rank]))
        {
            x = Padded(w, x, sides, double.NegativeInfinity);
            sides = new int[2 * rank];
        }

        return w.First(w.Graph.Node("MaxPool", [x], Windows(kernel, stride, sides, OnnxAttributes.Whole("dilations", Long(dilation)))));
    }

    /// <summary>In the ceiling mode cells beyond the padding never count: they are the operator's padding, and what counts is padded before.</summary>
    private static OnnxEdge AveragePooled(OnnxLayerWriter w, int[] kernel, int[] stride, int[] pads, bool ceiling, bool includePadding)
    {
        var rank = kernel.Length;
        var x = w.Input.First;
        if (!ceiling)
            return w.First(w.Graph.Node("AveragePool", [x], Windows(kernel, stride, pads, OnnxAttributes.Whole("count_include_pad", includePadding ? 1 : 0))));
        var sides = includePadding ? new int[2 * rank] : [.. pads];
        for (var d = 0; d < rank; d++)
        {
            var behind = Behind(w, d, stride[d], kernel[d], pads[d]);
            sides[rank + d] = includePadding ? Math.Max(0, behind - pads[rank + d]) : behind;
        }

        if (includePadding)
            x = Padded(w, x, pads, 0);
        return w.First(w.Graph.Node("AveragePool", [x], Windows(kernel, stride, sides, OnnxAttributes.Whole("count_include_pad", 0))));
    }

    /// <summary>The cells behind an image that its last window reaches.</summary>
    private static int Behind(OnnxLayerWriter w, int axis, int stride, int reach, int before)
    {
        var (input, outputs) = (w.Input.Fixed(axis, "the last window of its ceiling mode"), w.Output.Shape[axis]);
        return Math.Max(0, (outputs - 1) * stride + reach - input - before);
    }

    /// <summary>A constant around the positions of [batch, C, ..].</summary>
    private static string Padded(OnnxLayerWriter w, string x, int[] sides, double value)
    {
        var rank = sides.Length / 2;
        if (Array.TrueForAll(sides, s => s == 0))
            return x;
        return w.Do("Pad", x, w.Graph.Integers([0, 0, .. Long(sides[..rank]), 0, 0, .. Long(sides[rank..])]), w.Number(value));
    }

    private static OnnxAttribute[] Windows(int[] kernel, int[] stride, int[] sides, OnnxAttribute more) =>
        [OnnxAttributes.Whole("kernel_shape", Long(kernel)), OnnxAttributes.Whole("strides", Long(stride)), OnnxAttributes.Whole("pads", Long(sides)), more];

    private static long[] Long(int[] values) => Array.ConvertAll(values, v => (long)v);

    /// <summary>The numbers of the steps of a sequence, [1, T].</summary>
    private static string StepsOf(OnnxLayerWriter w, OnnxEdge sequence) => w.CutTo(
        w.Graph.Whole(OnnxType.Int32, [.. Enumerable.Range(0, sequence.Shape[0])], 1, sequence.Shape[0]), 1, sequence, 0);

    /// <summary>Whether a step of each row is before its end: [batch, T].</summary>
    private static string BeforeEnd(OnnxLayerWriter w, OnnxEdge lengths, OnnxEdge sequence) =>
        w.Do("Less", StepsOf(w, sequence), w.Graph.Unsqueezed(lengths.Last, 1));

    /// <summary>A sequence with a number in place of the steps behind its end.</summary>
    private static string Valid(OnnxLayerWriter w, double other) =>
        w.Do("Where", w.Graph.Unsqueezed(BeforeEnd(w, w.Inputs[1], w.Input), 2), w.Input.Last, w.Number(other));

    private static OnnxEdge MeanOfSteps(OnnxLayerWriter w)
    {
        var count = w.Graph.Unsqueezed(w.Graph.Cast(w.Inputs[1].Last, w.Graph.Numbers), 1);
        return w.Last(w.Div(w.Graph.Reduce("ReduceSum", Valid(w, 0), [1], false), count));
    }

    private static OnnxEdge BinMeans(OnnxLayerWriter w, int[] bins)
    {
        if (Array.TrueForAll(bins, b => b == 1))
            return Reduced(w, "ReduceMean", [0, 1], true);
        int height = w.Input.Fixed(0, "its bins"), width = w.Input.Fixed(1, "its bins");
        if (height % bins[0] == 0 && width % bins[1] == 0)
            return AveragePooled(w, [height / bins[0], width / bins[1]], [height / bins[0], width / bins[1]], [0, 0, 0, 0], false, true);

        // A mean of bins is a product with the shares of the cells, from the right along the width and from the left along the height.
        var across = w.Graph.Transposed(w.Graph.Constant(Shares(width, bins[1]), bins[1], width), 1, 0);
        return w.First(w.Do("MatMul", w.Graph.Constant(Shares(height, bins[0]), bins[0], height), w.Do("MatMul", w.Input.First, across)));
    }

    private static double[] Shares(int size, int bins)
    {
        var shares = new double[bins * size];
        for (var bin = 0; bin < bins; bin++)
        {
            var (start, end) = Bin(size, bins, bin);
            for (var i = start; i < end; i++)
                shares[bin * size + i] = 1.0 / (end - start);
        }

        return shares;
    }

    private static (int Start, int End) Bin(int size, int bins, int bin) =>
        ((int)((long)bin * size / bins), (int)(((bin + 1L) * size + bins - 1) / bins));

    /// <summary>Along each dimension the cells of all bins are gathered, [bins, most cells of a bin], where short bins have their last cell again.</summary>
    private static OnnxEdge BinMaxima(OnnxLayerWriter w, int[] bins)
    {
        var sizes = new int[bins.Length];
        var isOne = Array.TrueForAll(bins, b => b == 1);
        if (isOne)
            return Reduced(w, "ReduceMax", [.. Enumerable.Range(0, bins.Length)], true);
        for (var d = 0; d < bins.Length; d++)
            sizes[d] = w.Input.Fixed(d, "its bins");
        if (sizes.Zip(bins).All(s => s.First % s.Second == 0))
        {
            int[] cells = [.. sizes.Zip(bins, (s, b) => s / b)];
            return MaxPooled(w, cells, cells, new int[2 * bins.Length], [.. bins.Select(_ => 1)], false);
        }

        var x = w.Input.First;
        for (var d = 0; d < bins.Length; d++)
        {
            var ranges = Enumerable.Range(0, bins[d]).Select(b => Bin(sizes[d], bins[d], b)).ToArray();
            var most = ranges.Max(r => r.End - r.Start);
            long[] places = [.. ranges.SelectMany(r => Enumerable.Range(0, most).Select(i => (long)Math.Min(r.Start + i, r.End - 1)))];
            x = w.Graph.Node("Gather", [x, w.Graph.Whole(OnnxType.Int64, places, bins[d], most)], OnnxAttributes.Whole("axis", 2 + d));
            x = w.Graph.Reduce("ReduceMax", x, [3 + d], false);
        }

        return w.First(x);
    }
}
