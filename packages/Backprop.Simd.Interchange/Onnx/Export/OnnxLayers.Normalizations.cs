using Backprop.Simd.Layers;

namespace Backprop.Simd.Interchange;

/// <content>Normalizations.</content>
internal static partial class OnnxLayers
{
    /// <summary>What is lost of an offset in float matters only if it is more than this in the units of the result.</summary>
    private const double LeastRest = 1e-8;

    private static void AddNormalizations()
    {
        Register<Normalize>((w, l) => Normalized(w, [.. l.Offsets], [.. l.Factors]));
        Register<Denormalize>((w, l) => Denormalized(w, [.. l.Offsets], [.. l.Factors]));
        Register<BatchNormalization>((w, l) => BatchNormalized(w, l));
        Register<LayerNormalization>((w, l) => LayerNormalized(w, l));
        Register<RmsNormalization>((w, l) => RmsNormalized(w, l));
        Register<GroupNormalization>((w, l) => GroupNormalized(w, l));
    }

    /// <summary>(x - offset) factor. The part of an offset that a float does not hold follows behind the product.</summary>
    private static OnnxEdge Normalized(OnnxLayerWriter w, double[] offsets, double[] factors)
    {
        var y = w.Gate("Mul", w.Gate("Sub", w.Input, w.Pattern(offsets)), w.Pattern(factors));
        double[] rests = [.. offsets.Select((o, i) => -Rest(w, o) * factors[i])];
        return rests.Max(Math.Abs) > LeastRest ? w.Gate("Add", y, w.Pattern(rests)) : y;
    }

    private static OnnxEdge Denormalized(OnnxLayerWriter w, double[] offsets, double[] factors)
    {
        var y = w.Gate("Mul", w.Input, w.Pattern([.. factors.Select(f => 1 / f)]));
        double[] rests = [.. offsets.Select(o => Rest(w, o))];
        if (rests.Where((r, i) => Math.Abs(r * factors[i]) > LeastRest).Any())
            y = w.Gate("Add", y, w.Pattern(rests));
        return w.Gate("Add", y, w.Pattern(offsets));
    }

    private static double Rest(OnnxLayerWriter w, double offset) => w.Graph.Numbers == OnnxType.Double ? 0 : offset - (float)offset;

    /// <summary>The operator takes channels first; where an input has its channels last, three operations do without a transposition.</summary>
    private static OnnxEdge BatchNormalized(OnnxLayerWriter w, BatchNormalization l)
    {
        double[] mean = w.StateNumbers(0), variance = w.StateNumbers(1);
        var channels = mean.Length;
        if (w.Input.Rank > 1 && !w.Input.IsChannelsFirst)
        {
            var scales = variance.Select(v => 1 / Math.Sqrt(v + l.Epsilon));
            if (l.IsAffine)
                scales = scales.Zip(w.ParameterNumbers(0), (s, weight) => s * weight);
            var y = w.Gate("Mul", w.Gate("Sub", w.Input, w.Vector(w.State(0), channels)), w.Pattern([.. scales]));
            return l.IsAffine ? w.Gate("Add", y, w.Vector(w.Parameter(1), channels)) : y;
        }

        var weight = l.IsAffine ? w.Parameter(0) : w.Graph.Constant([.. Enumerable.Repeat(1.0, channels)], channels);
        var bias = l.IsAffine ? w.Parameter(1) : w.Graph.Constant(new double[channels], channels);
        return w.First(w.Graph.Node("BatchNormalization", [w.Input.First, weight, bias, w.State(0), w.State(1)],
            OnnxAttributes.Number("epsilon", l.Epsilon)));
    }

    /// <summary>The operator has a weight; where that would have a free size, the parts do without.</summary>
    private static OnnxEdge LayerNormalized(OnnxLayerWriter w, LayerNormalization l)
    {
        var x = w.Input.Last;
        var first = w.Input.Rank - l.Dimensions;
        if (w.Input.Type.Free.AsSpan(first).Contains(true))
        {
            var axes = w.AxesOf([.. Enumerable.Range(first, l.Dimensions)], false);
            return w.Last(OverRoot(w, w.Sub(x, w.Graph.Reduce("ReduceMean", x, axes, true)), axes, l.Epsilon));
        }

        int[] shape = [.. Enumerable.Range(first, l.Dimensions).Select(d => w.Input.Shape[d])];
        var weight = l.IsAffine ? w.Parameter(0) : w.Graph.Constant([.. Enumerable.Repeat(1.0, OnnxTensor.Product(shape))], shape);
        return w.Last(w.Graph.Node("LayerNormalization", l.HasBias ? [x, weight, w.Parameter(1)] : [x, weight],
            OnnxAttributes.Whole("axis", -l.Dimensions), OnnxAttributes.Number("epsilon", l.Epsilon)));
    }

    private static OnnxEdge RmsNormalized(OnnxLayerWriter w, RmsNormalization l)
    {
        var axes = w.AxesOf([.. Enumerable.Range(w.Input.Rank - l.Dimensions, l.Dimensions)], false);
        var y = OverRoot(w, w.Input.Last, axes, l.Epsilon);
        return w.Last(l.IsAffine ? w.Mul(y, w.Parameter(0)) : y);
    }

    /// <summary>x / sqrt(mean(x^2) + epsilon).</summary>
    private static string OverRoot(OnnxLayerWriter w, string x, int[] axes, double epsilon) =>
        w.Div(x, w.Do("Sqrt", w.Add(w.Graph.Reduce("ReduceMean", w.Mul(x, x), axes, true), w.Number(epsilon))));

    /// <summary>As instance normalization of the groups: the operator of groups has weights of its own kind before version 21.</summary>
    private static OnnxEdge GroupNormalized(OnnxLayerWriter w, GroupNormalization l)
    {
        var channels = w.Input.Shape.Last;
        var x = w.Input.First;
        var isInstances = l.Groups == channels;
        string[] scales = isInstances && l.IsAffine ? [w.Parameter(0), w.Parameter(1)]
            : [w.Graph.Constant([.. Enumerable.Repeat(1.0, l.Groups)], l.Groups), w.Graph.Constant(new double[l.Groups], l.Groups)];
        var positions = w.Input.Type.HasFree ? -1 : w.Input.Shape.Size / l.Groups;
        var groups = isInstances ? x : w.Graph.Reshaped(x, 0, l.Groups, positions);
        var y = w.Graph.Node("InstanceNormalization", [groups, .. scales], OnnxAttributes.Number("epsilon", l.Epsilon));
        if (isInstances)
            return w.First(y);
        List<OnnxSize> sizes = [0, channels];
        for (var d = 0; d < w.Input.Rank - 1; d++)
            sizes.Add(w.SizeOf(w.Input, d));
        var edge = w.First(w.Graph.Reshaped(y, [.. sizes]));
        return !l.IsAffine ? edge : w.Gate("Add", w.Gate("Mul", edge, w.Vector(w.Parameter(0), channels)), w.Vector(w.Parameter(1), channels));
    }
}
