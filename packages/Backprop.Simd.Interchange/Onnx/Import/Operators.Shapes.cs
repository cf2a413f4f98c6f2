using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <content>Shapes: most change nothing but the view of a node.</content>
internal static partial class Operators
{
    private static ImportValue[] SizesOf(Operation o)
    {
        var sizes = o.Input(0).Sizes();
        int start = Math.Clamp(FromEnd(o.Integer("start", 0)), 0, sizes.Length), end = Math.Clamp(FromEnd(o.Integer("end", sizes.Length)), start, sizes.Length);
        return [Folded.OfSizes(sizes.AsSpan(start, end - start))];

        int FromEnd(int place) => place < 0 ? place + sizes.Length : place;
    }

    private static ImportValue[] Flatten(Operation o)
    {
        var x = o.Value(0);
        var axis = o.Integer("axis", 1);
        axis = axis == x.Rank ? axis : Operation.Axis(axis, x.Rank);
        var sizes = x.Sizes();
        return [Views.Reshaped(x, [Product(sizes[..axis]), Product(sizes[axis..])])];
    }

    private static SymbolicSize Product(SymbolicSize[] sizes) => sizes.Aggregate(new SymbolicSize(1), (a, b) => a * b);

    private static ImportValue[] Reshape(Operation o)
    {
        var x = o.Value(0);
        var given = o.Constant(1) ?? (o.Integers("shape") is { } old ? Folded.OfSizes([.. old.Select(d => new SymbolicSize(d))])
            : throw new UnsupportedException("it has no shape"));
        if (given.Values.Length > 2 * Shape.MaxRank)
            throw new UnsupportedException($"its shape has {given.Values.Length} dimensions");
        var keepsZero = !o.Flag("allowzero");
        SymbolicSize[] shape = [.. given.Values.Select((v, i) => v == 0 && keepsZero
            ? i < x.Rank ? x.SizeOf(i) : throw new UnsupportedException("it keeps a size that is not there") : given.At(i))];
        return [Views.Reshaped(x, WithBatch(o, x, shape))];
    }

    /// <summary>A shape without -1, in which a number that stands for the rows of the batch, in a model of a fixed batch, is the batch.</summary>
    private static SymbolicSize[] WithBatch(Operation o, NodeValue x, SymbolicSize[] shape)
    {
        var total = Product(x.Sizes());
        var open = Array.FindIndex(shape, s => s == new SymbolicSize(-1));
        if (Filled(shape) is { } whole)
            return whole;
        if (x.BatchAxis >= 0 && o.Importer.FixedRows is { } rows)
        {
            // The place of the batch in the input is tried first.
            foreach (var place in Enumerable.Range(0, shape.Length).OrderBy(p => p != x.BatchAxis))
            {
                if (shape[place] == new SymbolicSize(rows) && Filled([.. shape.Select((s, i) => i == place ? SymbolicSize.Batch : s)]) is { } marked)
                    return marked;
            }
        }

        if (Filled(shape, merges: true) is { } merged)
            return merged;
        throw new UnsupportedException($"{x.Text()} has no shape [{string.Join(", ", shape)}]");

        SymbolicSize[]? Filled(SymbolicSize[] sizes, bool merges = false)
        {
            if (open < 0)
                return Product(sizes) == total ? sizes : null;
            var known = Product([.. sizes.Where((_, i) => i != open)]);
            var rest = new SymbolicSize(total.Value / known.Value, total.Power - known.Power);
            return rest.Power >= 0 && rest.Value >= 1 && rest.Value == Math.Floor(rest.Value) && !(rest.Power > 0 && rest.Value > 1
                && o.Importer.FixedRows is not null && !merges)
                ? [.. sizes.Select((s, i) => i == open ? rest : s)] : null;
        }
    }

    private static ImportValue[] Squeeze(Operation o)
    {
        var x = o.Value(0);
        int[] axes = [.. (o.IntegersOrInput("axes", 1) ?? Enumerable.Range(0, x.Rank).Where(a => x.SizeOf(a) == new SymbolicSize(1)))
            .Select(a => Operation.Axis(a, x.Rank))];
        foreach (var axis in axes)
        {
            if (x.SizeOf(axis) != new SymbolicSize(1))
                throw new UnsupportedException($"dimension {axis} of {x.Text()} is not 1");
        }

        return [new NodeValue(x.Node, [.. x.Axes.Where((_, a) => !axes.Contains(a))])];
    }

    private static ImportValue[] Unsqueeze(Operation o)
    {
        var x = o.Value(0);
        var given = o.IntegersOrInput("axes", 1) ?? throw new UnsupportedException("it has no axes");
        int[] axes = [.. given.Select(a => Operation.Axis(a, x.Rank + given.Length)).Distinct()];
        if (axes.Length != given.Length)
            throw new UnsupportedException("it adds a dimension twice");
        var own = new Queue<int[]>(x.Axes);
        return [new NodeValue(x.Node, [.. Enumerable.Range(0, x.Rank + axes.Length).Select(a => axes.Contains(a) ? [] : own.Dequeue())])];
    }

    private static ImportValue[] Transpose(Operation o)
    {
        var x = o.Value(0);
        int[] order = [.. (o.Integers("perm") ?? [.. Enumerable.Range(0, x.Rank).Reverse()]).Select(a => Operation.Axis(a, x.Rank))];
        return order.Distinct().Count() == x.Rank && order.Length == x.Rank ? [new NodeValue(x.Node, [.. order.Select(a => x.Axes[a])])]
            : throw new UnsupportedException($"it has the order [{string.Join(", ", order)}] for {x.Text()}");
    }

    /// <summary>A value whose given dimension is one dimension of the node.</summary>
    private static NodeValue Single(NodeValue x, int axis)
    {
        if (x.Axes[axis] is [var p])
            return p > 0 ? x : throw new UnsupportedException($"dimension {axis} of {x.Text()} holds the rows of the batch");
        return Views.InOrder(x) is var ordered && ordered.Axes[axis] is [> 0] ? ordered
            : throw new UnsupportedException($"dimension {axis} of {x.Text()} holds the rows of the batch");
    }

    /// <summary>The dimension of a row that a dimension is made of.</summary>
    private static int RowAxis(NodeValue x, int axis) => x.Axes[axis][0] - 1;

    private static ImportValue[] Concatenate(Operation o)
    {
        NodeValue[] parts = [.. Enumerable.Range(0, o.InputCount).Select(o.Value)];
        var rank = parts[0].Rank;
        var axis = Operation.Axis(o.Integer("axis", 1), rank);
        if (parts.Any(p => p.Rank != rank))
            throw new UnsupportedException("what is joined has different numbers of dimensions");
        if (parts.Length == 1)
            return [parts[0]];
        if (parts.Select(MergedBatch.Of).FirstOrDefault(m => m is not null) is { } merged && merged.Axis != axis)
            return [merged.Join(Joined([.. parts.Select(merged.Split)], merged.PlaceOf(axis)))];
        return [Joined(parts, axis)];
    }

    private static NodeValue Joined(NodeValue[] parts, int axis)
    {
        var rank = parts[0].Rank;

        // All lie as the first does, or, where a dimension of it is not one of its node, in ONNX's order.
        var first = parts[0];
        var batch = parts.Max(p => p.BatchAxis);
        int[] order = first.Axes.All(a => a.Length == 1) && first.Row.Length + (batch >= 0 ? 1 : 0) == rank
            ? [.. Enumerable.Range(0, rank).Where(a => a != batch).OrderBy(a => first.Axes[a][0])]
            : [.. Enumerable.Range(0, rank).Where(a => a != batch)];
        var place = Array.IndexOf(order, axis);
        if (place < 0)
            throw new UnsupportedException("it joins the rows of batches");
        Node[] nodes = [.. parts.Select(p => Views.Rows(p, order))];
        var node = nodes[0].Concatenate(place, nodes.AsSpan(1));
        return new(node, [.. Enumerable.Range(0, rank).Select(a => Views.Of(a == batch ? 0 : Array.IndexOf(order, a) + 1))]);
    }

    private static ImportValue[] Split(Operation o)
    {
        var x = o.Value(0);
        var axis = Operation.Axis(o.Integer("axis", 0), x.Rank);
        x = Single(x, axis);
        var size = x.Node.Type.Shape[RowAxis(x, axis)];
        var count = o.Integer("num_outputs", o.OutputCount);
        var part = (size + count - 1) / Math.Max(count, 1);
        var lengths = o.IntegersOrInput("split", 1) ?? [.. Enumerable.Range(0, count).Select(i => Math.Min(part, size - i * part))];
        var results = new List<ImportValue>();
        var start = 0;
        foreach (var length in lengths)
        {
            results.Add(x.With(x.Node.Slice(RowAxis(x, axis), start, length)));
            start += length;
        }

        return [.. results];
    }

    private static ImportValue[] Slice(Operation o)
    {
        var x = o.Value(0);
        foreach (var (axis, start, step, count) in Folding.Slices(o, x.Rank, a => x.SizeOf(a) is { Power: 0 } s ? (int)s.Value : int.MaxValue))
        {
            if (x.SizeOf(axis) is { Power: > 0 })
                x = start == 0 && step == 1 && count == int.MaxValue ? x : throw new UnsupportedException("it takes some of the rows of the batch");
            else
                x = Taken(x, axis, start, step, count);
        }

        return [x];
    }

    /// <summary>Places of a dimension by steps: a slice; of the cells of so many places the first; turned around where the steps are negative.</summary>
    private static NodeValue Taken(NodeValue x, int axis, int start, int step, int count)
    {
        if (count < 1)
            throw new UnsupportedException("it takes nothing");
        if (start == 0 && step == 1 && x.SizeOf(axis) == new SymbolicSize(count))
            return x;
        x = Single(x, axis);
        var (row, size, by) = (RowAxis(x, axis), x.Row[RowAxis(x, axis)], Math.Abs((long)step));
        var first = step > 0 ? start : (int)(start - (count - 1) * by);
        var length = (int)Math.Min(count * by, size - first);
        var node = x.Node.Slice(row, first, length);
        if (by > 1)
        {
            int[] sizes = x.Row, after = new int[sizes.Length];
            after[row] = checked((int)(count * by - length));
            node = after[row] > 0 ? node.Pad(new int[sizes.Length], after) : node;
            node = node.Reshape([.. sizes[..row], count, (int)by, .. sizes[(row + 1)..]]).Slice(row + 1, 0, 1).Squeeze(row + 1);
        }

        return x.With(step > 0 ? node : node.Reverse(row));
    }

    /// <summary>Some places of a dimension: by steps, or slices side by side.</summary>
    private static NodeValue Taken(NodeValue x, int axis, int[] places)
    {
        const int MostPieces = 256;
        if (places.Length == 0)
            throw new UnsupportedException("it takes nothing");
        var step = places.Length > 1 ? places[1] - places[0] : 1;
        if (step != 0 && Enumerable.Range(1, places.Length - 1).All(i => places[i] - places[i - 1] == step))
            return Taken(x, axis, places[0], step, places.Length);
        x = Single(x, axis);
        var row = RowAxis(x, axis);
        var pieces = new List<Node>();
        for (var i = 0; i < places.Length;)
        {
            var end = i + 1;
            while (end < places.Length && places[end] == places[end - 1] + 1)
                end++;
            pieces.Add(x.Node.Slice(row, places[i], end - i));
            i = end;
            if (pieces.Count > MostPieces)
                throw new UnsupportedException($"it takes more than {MostPieces} pieces");
        }

        return x.With(pieces[0].Concatenate(row, pieces.ToArray().AsSpan(1)));
    }

    /// <summary>Known places of a node; the rows of a known table; or elements of a node by a node of indices.</summary>
    private static ImportValue[] Gather(Operation o)
    {
        var rank = o.Input(0).Rank;
        var axis = Operation.Axis(o.Integer("axis", 0), rank);
        if (o.Input(1) is Folded { BatchAxis: < 0 } places && o.Input(0) is NodeValue x)
        {
            if (x.SizeOf(axis) is not { Power: 0, Value: var size })
                throw new UnsupportedException("it takes some of the rows of the batch");
            var taken = Taken(x, axis, Folding.Places(places, (int)size));
            if (places.Rank == 1)
                return [taken];
            var sizes = x.Sizes();
            return [places.Rank == 0 ? new NodeValue(taken.Node, [.. taken.Axes.Where((_, a) => a != axis)])
                : Views.Reshaped(taken, [.. sizes[..axis], .. places.Shape.Select(s => new SymbolicSize(s)), .. sizes[(axis + 1)..]])];
        }

        var indices = o.Value(1);
        if (indices.Node.Type.Kind != EdgeKind.Indices)
            throw new UnsupportedException("its indices are computed from values");
        if (axis == 0 && o.Input(0) is Folded { Rank: 2, IsFloat: true, BatchAxis: < 0 } table)
        {
            var node = indices.Node.Embedding(table.Shape[0], table.Shape[1]);
            o.Importer.Set(node, "weight", table.Values);
            return [new NodeValue(node, [.. indices.Axes, [node.Type.Shape.Rank]])];
        }

        var data = Single(o.Value(0), axis);
        var shared = data.BatchAxis < 0 && indices.BatchAxis >= 0;
        if (!shared && data.BatchAxis >= 0)
            throw new UnsupportedException("it takes elements of each row of a batch by indices of their own");
        var own = Views.InOrder(data);
        var row = RowAxis(own, axis);
        var result = own.Node.Gather(indices.Node, row);
        var count = indices.Node.Type.Shape.Rank;
        return [new NodeValue(result,
        [
            .. own.Axes[..axis], .. indices.Axes.Select(a => Array.ConvertAll(a, p => p == 0 ? 0 : p + row)),
            .. own.Axes[(axis + 1)..].Select(a => Array.ConvertAll(a, p => p + count - 1)),
        ])];
    }

    private static ImportValue[] GatherElements(Operation o)
    {
        var (x, indices) = (Views.InOrder(o.Value(0)), Views.InOrder(o.Value(1)));
        var axis = Operation.Axis(o.Integer("axis", 0), x.Rank);
        return indices.Node.Type.Kind == EdgeKind.Indices && x.Axes[axis] is [> 0]
            ? [new NodeValue(x.Node.GatherElements(indices.Node, RowAxis(x, axis)), x.Axes)]
            : throw new UnsupportedException("its indices are computed from values, or are of the rows of the batch");
    }

    private static ImportValue[] Pad(Operation o)
    {
        var x = o.Value(0);
        var pads = o.IntegersOrInput("pads", 1) ?? throw new UnsupportedException("it has no pads");
        var value = o.Constant(2)?.Scalar ?? o.Float("value", 0);
        int[] axes = o.Constant(3)?.Integers is { } some ? [.. some.Select(a => Operation.Axis(a, x.Rank))] : [.. Enumerable.Range(0, x.Rank)];
        if (pads.Length != 2 * axes.Length)
            throw new UnsupportedException($"it has {pads.Length} pads for {axes.Length} dimensions");
        var mode = o.Text("mode", "constant") switch
        {
            "constant" => PaddingMode.Constant,
            "reflect" => PaddingMode.Reflect,
            "edge" => PaddingMode.Edge,
            var other => throw new UnsupportedException($"it pads by '{Texts.Shown(other)}'"),
        };
        for (var i = 0; i < axes.Length; i++)
        {
            if ((pads[i] != 0 || pads[i + axes.Length] != 0) && x.Axes[axes[i]] is not [> 0])
                x = Single(x, axes[i]);
        }

        var (before, after) = (new int[x.Row.Length], new int[x.Row.Length]);
        for (var i = 0; i < axes.Length; i++)
        {
            if (pads[i] == 0 && pads[i + axes.Length] == 0)
                continue;
            (before[RowAxis(x, axes[i])], after[RowAxis(x, axes[i])]) = (pads[i], pads[i + axes.Length]);
        }

        // Less than 0 cuts off.
        var node = x.Node;
        for (var d = 0; d < before.Length; d++)
        {
            var (cut, end) = (Math.Max(0, -before[d]), Math.Max(0, -after[d]));
            if (cut > 0 || end > 0)
                node = node.Slice(d, cut, node.Type.Shape[d] - cut - end);
            (before[d], after[d]) = (Math.Max(0, before[d]), Math.Max(0, after[d]));
        }

        return [x.With(before.Concat(after).Any(p => p > 0) ? node.Pad(before, after, mode, value) : node)];
    }

    private static ImportValue[] Tile(Operation o)
    {
        var x = o.Value(0);
        var repeats = o.RequiredConstant(1).Integers;
        if (repeats.Length != x.Rank)
            throw new UnsupportedException($"it has {repeats.Length} repeats for {x.Text()}");
        return [Tiled(x, repeats)];
    }

    private static NodeValue Tiled(NodeValue x, int[] repeats)
    {
        for (var a = 0; a < repeats.Length; a++)
        {
            if (repeats[a] != 1)
                x = Single(x, a);
        }

        int[] rows = [.. x.Row.Select(_ => 1)];
        for (var a = 0; a < repeats.Length; a++)
        {
            if (repeats[a] != 1)
                rows[RowAxis(x, a)] = repeats[a];
        }

        return rows.All(r => r == 1) ? x : x.With(x.Node.Tile(rows));
    }

    private static ImportValue[] Expand(Operation o)
    {
        var x = o.Value(0);
        var shape = o.RequiredConstant(1);
        var rank = Math.Max(x.Rank, shape.Values.Length);
        x = new(x.Node, [.. Enumerable.Repeat(Array.Empty<int>(), rank - x.Rank), .. x.Axes]);
        var repeats = new int[rank];
        for (var a = 0; a < rank; a++)
        {
            var at = a - (rank - shape.Values.Length);
            var target = at < 0 ? new SymbolicSize(1) : shape.At(at);
            if (target == SymbolicSize.Batch && x.BatchAxis < 0 && x.SizeOf(a) == new SymbolicSize(1))
                x = o.Importer.Repeated(x, a);
            var same = target == new SymbolicSize(1) || target == x.SizeOf(a) || x.SizeOf(a).Power > 0 && target.Value == o.Importer.FixedRows;
            repeats[a] = same ? 1 : x.SizeOf(a) == new SymbolicSize(1) && target is { Power: 0, Value: >= 1 and <= int.MaxValue } ? (int)target.Value
                : throw new UnsupportedException(
                    $"{x.Text()} does not become [{string.Join(", ", Enumerable.Range(0, shape.Values.Length).Select(shape.At))}]");
        }

        return [Tiled(x, repeats)];
    }
}
