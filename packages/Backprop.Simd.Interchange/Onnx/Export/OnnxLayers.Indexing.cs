using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Interchange;

/// <content>Tables, and elements by their indices.</content>
internal static partial class OnnxLayers
{
    private static void AddIndexing()
    {
        Register<Embedding>((w, _) => w.Last(w.Do("Gather", w.Parameter(0), w.Input.Last)));
        Register<EmbeddingBag>((w, l) => Bag(w, l));
        Register<Gather>((w, l) => Gathered(w, l.Axis));
        Register<GatherElements>((w, l) => ElementsGathered(w, l.Axis));
        Register<ScatterAdd>((w, l) => Scattered(w, l.Axis, l.Size, w.Inputs[1].Last));
        Register<SegmentSum>((w, l) => Scattered(w, l.Axis, l.Segments, SpreadIndices(w, l.Axis)));
    }

    private static OnnxEdge Bag(OnnxLayerWriter w, EmbeddingBag l)
    {
        var hasLengths = w.Inputs.Count > 1 && w.Inputs[1].Type.Kind == EdgeKind.Indices;
        var weights = w.Inputs.Count > (hasLengths ? 2 : 1) ? w.Inputs[^1].Last : null;
        var indices = w.Input.Last;
        string? counts = null;
        if (hasLengths)
        {
            counts = BeforeEnd(w, w.Inputs[1], w.Input);
            indices = w.Do("Where", counts, indices, w.Graph.Whole(OnnxType.Int32, [0]));
        }

        if (l.PaddingIndex is { } padding)
        {
            var isReal = w.Do("Not", w.Do("Equal", w.Input.Last, w.Graph.Whole(OnnxType.Int32, [padding])));
            counts = counts is null ? isReal : w.Do("And", counts, isReal);
        }

        var rows = w.Do("Gather", w.Parameter(0), indices);
        if (l.Mode == BagMode.Max)
            return Largest(w, rows, counts);
        var mask = counts is null ? null : w.Graph.Cast(counts, w.Graph.Numbers);
        if (counts is not null)
            rows = w.Do("Where", w.Graph.Unsqueezed(counts, 2), rows, w.Number(0));
        if (weights is not null)
            rows = w.Mul(rows, w.Graph.Unsqueezed(counts is null ? weights : w.Do("Where", counts, weights, w.Number(0)), 2));
        if (l.Mode == BagMode.Sum)
            return w.Last(w.Graph.Reduce("ReduceSum", rows, [1], false));
        if (mask is null)
            return w.Last(w.Graph.Reduce("ReduceMean", rows, [1], false));
        var count = w.Do("Max", w.Graph.Reduce("ReduceSum", mask, [1], true), w.Number(1));
        return w.Last(w.Div(w.Graph.Reduce("ReduceSum", rows, [1], false), count));
    }

    /// <summary>The largest rows of a bag; an empty bag gives 0.</summary>
    private static OnnxEdge Largest(OnnxLayerWriter w, string rows, string? counts)
    {
        if (counts is null)
            return w.Last(w.Graph.Reduce("ReduceMax", rows, [1], false));
        rows = w.Do("Where", w.Graph.Unsqueezed(counts, 2), rows, w.Number(double.NegativeInfinity));
        var largest = w.Graph.Reduce("ReduceMax", rows, [1], false);
        var count = w.Graph.Reduce("ReduceSum", w.Graph.Cast(counts, w.Graph.Numbers), [1], true);
        return w.Last(w.Do("Where", w.Do("Greater", count, w.Number(0)), largest, w.Number(0)));
    }

    /// <summary>[outer, L, inner] by indices [k] of each row gives [outer, k, inner].</summary>
    private static OnnxEdge Gathered(OnnxLayerWriter w, int axis)
    {
        var (x, indices) = (w.Input, w.Inputs[1]);
        axis += axis < 0 ? x.Rank : 0;
        if (x.Type.IsShared)
        {
            // [outer, batch, k, inner]: the batch goes to the front.
            var made = w.Graph.Node("Gather", [x.Last, indices.Last], OnnxAttributes.Whole("axis", axis));
            int[] all = [.. Enumerable.Range(0, x.Rank + indices.Rank)];
            return w.Last(w.Graph.Transposed(made, [axis, .. all.Where(d => d != axis)]));
        }

        // The dimension goes to the front, behind the batch; its elements are taken for each row, [batch, k, outer, inner].
        var front = w.Graph.Transposed(x.Last, [0, axis + 1, .. Enumerable.Range(1, x.Rank).Where(d => d != axis + 1)]);
        var places = w.Graph.Unsqueezed(w.Graph.Cast(indices.Last, OnnxType.Int64), indices.Rank + 1);
        var taken = w.Graph.Node("GatherND", [front, places], OnnxAttributes.Whole("batch_dims", 1));
        int[] outer = [.. Enumerable.Range(1 + indices.Rank, axis)], inner = [.. Enumerable.Range(1 + indices.Rank + axis, x.Rank - 1 - axis)];
        return w.Last(w.Graph.Transposed(taken, [0, .. outer, .. Enumerable.Range(1, indices.Rank), .. inner]));
    }

    private static OnnxEdge ElementsGathered(OnnxLayerWriter w, int axis)
    {
        var x = w.Input.Last;
        var indices = w.Inputs[1].Last;
        if (w.Input.Type.IsShared)
            x = w.Do("Expand", w.Graph.Unsqueezed(x, 0), w.Graph.Sizes([w.Graph.SizesOf(indices, 0, 1), .. Numbers(w.Input.Shape)]));
        return w.Last(w.Graph.Node("GatherElements", [x, indices], OnnxAttributes.Whole("axis", w.Inputs[1].AxisIn(false, axis))));
    }

    /// <summary>An index for each element of a dimension becomes an index for each element of a row.</summary>
    private static string SpreadIndices(OnnxLayerWriter w, int axis)
    {
        var at = w.Input.AxisIn(false, axis);
        var indices = w.Graph.Unsqueezed(w.Inputs[1].Last, [.. Enumerable.Range(1, w.Input.Rank).Where(d => d != at)]);
        return w.Do("Expand", indices, w.Graph.SizesOf(w.Input.Last, 0));
    }

    private static OnnxEdge Scattered(OnnxLayerWriter w, int axis, int size, string indices)
    {
        var (x, at) = (w.Input.Last, w.Input.AxisIn(false, axis));
        List<OnnxSize> sizes = [w.Graph.SizesOf(x, 0, at), size];
        if (at < w.Input.Rank)
            sizes.Add(w.Graph.SizesOf(x, at + 1));
        var zeros = w.Do("Expand", w.Number(0), w.Graph.Sizes([.. sizes]));
        return w.Last(w.Graph.Node("ScatterElements", [zeros, indices, x], OnnxAttributes.Whole("axis", at), OnnxAttributes.Text("reduction", "add")));
    }
}
