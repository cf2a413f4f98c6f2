using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Interchange;

/// <content>Shapes, the affine layer, and layers at each step of time.</content>
internal static partial class OnnxLayers
{
    private static void AddShapes()
    {
        Register<Affine>((w, l) => Mapped(w, l));
        Register<Concatenate>((w, l) => Joined(w, l.Axis));
        Register<CutTo>((w, l) => w.Same(w.Graph.Slice(w.Input.Home, w.Input.HomeAxis(l.Axis), 0, w.SizeOf(w.Inputs[1], l.Axis))));
        RegisterAll<EachStep>(AtEachStep);
        Register<Flatten>((w, _) => Flattened(w));
        Register<Pad>((w, l) => Padded(w, l));
        Register<Reshape>((w, l) => Reshaped(w, l.Dimensions));
        Register<Reverse>((w, l) => Reversed(w, l.Axes));
        Register<Slice>((w, l) => w.Same(w.Graph.Slice(w.Input.Home, w.Input.HomeAxis(l.Axis), l.Start, l.Start + l.Length)));
        Register<Squeeze>((w, l) => w.Last(w.Graph.Squeezed(w.Input.Last, w.Input.AxisIn(false, l.Axis))));
        Register<Unsqueeze>((w, l) => w.Last(w.Graph.Unsqueezed(w.Input.Last, RowsOf(w.Input) + (l.Axis < 0 ? l.Axis + w.Output.Rank : l.Axis))));
        Register<Tile>((w, l) => l.Repeats.All(r => r == 1) ? w.Unchanged() : w.Last(w.Do("Tile", w.Input.Last, w.Graph.Integers(
            [.. Enumerable.Repeat(1L, RowsOf(w.Input)), .. l.Repeats.Select(r => (long)r)]))));
        Register<Transpose>((w, l) => Transposed(w, l.Axes));
    }

    /// <summary>1 where the batch is the first dimension, 0 where all rows share the value.</summary>
    private static int RowsOf(OnnxEdge edge) => edge.Type.IsShared ? 0 : 1;

    private static OnnxEdge Mapped(OnnxLayerWriter w, Affine l)
    {
        var x = w.Input.Rank == 0 ? w.Graph.Unsqueezed(w.Input.Last, 1) : w.Input.Last;
        if (w.Input.Rank < 2 && l.HasBias)
            return w.Last(w.Do("Gemm", x, w.Parameter(0), w.Parameter(1)));
        var y = w.Do("MatMul", x, w.Parameter(0));
        return w.Last(l.HasBias ? w.Add(y, w.Parameter(1)) : y);
    }

    private static OnnxEdge Joined(OnnxLayerWriter w, int axis)
    {
        OnnxEdge[] parts = [.. w.Inputs];
        var first = w.IsFirst(parts);
        return new(w.Graph, w.Output, w.Concat(w.Input.AxisIn(first, axis), Array.ConvertAll(parts, p => p.In(first))), first);
    }

    private static OnnxEdge Flattened(OnnxLayerWriter w)
    {
        if (w.Input.Type.IsShared)
            return w.Last(w.Graph.Reshaped(w.Input.Last, w.Input.Shape.Size));
        return w.Input.Rank == 1 ? w.Unchanged() : w.Last(w.Graph.Node("Flatten", [w.Input.Last], OnnxAttributes.Whole("axis", 1)));
    }

    private static OnnxEdge Reshaped(OnnxLayerWriter w, IReadOnlyList<int> dimensions)
    {
        var sizes = new OnnxSize[RowsOf(w.Input) + dimensions.Count];
        for (var d = 0; d < dimensions.Count; d++)
        {
            // A free size is kept where it stands, or follows from the others: the layer says no more.
            var size = !w.Output.Free[d] ? w.Output.Shape[d] : dimensions[d] == 0 ? 0 : -1;
            sizes[RowsOf(w.Input) + d] = size;
        }

        return w.Last(w.Graph.Reshaped(w.Input.Last, sizes));
    }

    private static OnnxEdge Reversed(OnnxLayerWriter w, IReadOnlyList<int> axes)
    {
        var x = w.Input.Home;
        foreach (var axis in axes.Count > 0 ? axes : [.. Enumerable.Range(0, w.Input.Rank)])
            x = w.Graph.Slice(x, w.Input.HomeAxis(axis), -1, long.MinValue, -1);
        return w.Same(x);
    }

    private static OnnxEdge Transposed(OnnxLayerWriter w, IReadOnlyList<int> axes)
    {
        IEnumerable<int> order = axes.Count > 0 ? axes : Enumerable.Range(0, w.Input.Rank).Reverse();
        return w.Last(w.Graph.Transposed(w.Input.Home, [.. Enumerable.Range(0, RowsOf(w.Input)), .. order.Select(w.Input.HomeAxis)]));
    }

    private static OnnxEdge Padded(OnnxLayerWriter w, Pad l)
    {
        if (l.Before.All(b => b == 0) && l.After.All(a => a == 0))
            return w.Unchanged();
        var places = new long[2 * (RowsOf(w.Input) + w.Input.Rank)];
        for (var d = 0; d < w.Input.Rank; d++)
        {
            places[w.Input.HomeAxis(d)] = l.Before[d];
            places[places.Length / 2 + w.Input.HomeAxis(d)] = l.After[d];
        }

        string[] inputs = [w.Input.Home, w.Graph.Integers(places)];
        var mode = l.Mode switch { PaddingMode.Constant => "constant", PaddingMode.Edge => "edge", _ => "reflect" };
        return w.Same(w.Graph.Node("Pad", l.Mode == PaddingMode.Constant ? [.. inputs, w.Number(l.Value)] : inputs, OnnxAttributes.Text("mode", mode)));
    }

    /// <summary>The steps of all rows are rows of the layer inside.</summary>
    private static OnnxEdge[] AtEachStep(OnnxLayerWriter w, EachStep l)
    {
        var source = w.Inputs.First(i => !i.Type.IsShared);
        OnnxEdge[] inputs = [.. w.Inputs.Select(i => i.Type.IsShared ? i : new OnnxEdge(w.Graph, i.Type.OfStep(), Folded(i)))];
        var inner = Write(w.With(inputs, [.. w.Outputs.Select(o => o.OfStep())]), l.Layer);
        return [.. inner.Select((y, i) => w.Last(Unfolded(y), i))];

        string Folded(OnnxEdge edge) => w.Graph.Reshaped(edge.Last, edge.Type.OfStep().HasFree ? [-1, w.Graph.SizesOf(edge.Last, 2)]
            : [-1, .. Numbers(edge.Type.OfStep().Shape)]);

        string Unfolded(OnnxEdge edge) => w.Graph.Reshaped(edge.Last, edge.Type.HasFree || source.Type.Free[0]
            ? [w.Graph.SizesOf(source.Last, 0, 2), w.Graph.SizesOf(edge.Last, 1)] : [-1, source.Shape[0], .. Numbers(edge.Shape)]);
    }

    private static OnnxSize[] Numbers(Shape shape) => [.. Enumerable.Range(0, shape.Rank).Select(d => (OnnxSize)shape[d])];
}
