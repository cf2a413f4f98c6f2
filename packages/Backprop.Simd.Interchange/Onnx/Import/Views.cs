using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <summary>Brings the dimensions of nodes into the order that a layer needs, and looks at a node in another shape. Layers are placed only where
/// numbers have to move.</summary>
internal static class Views
{
    /// <summary>A dimension that is made of one.</summary>
    public static int[] Of(int dimension) => [dimension];

    /// <summary>A node whose rows have these dimensions, as ONNX counts them, in this order; each other dimension is the batch or has size 1.</summary>
    public static Node Rows(NodeValue value, params ReadOnlySpan<int> order)
    {
        var row = value.Row;
        List<int> wanted = [], sizes = [];
        foreach (var axis in order)
        {
            var size = 1;
            foreach (var p in value.Axes[axis])
            {
                if (p == 0)
                    throw new UnsupportedException($"dimension {axis} of {value.Text()} holds the rows of the batch");
                wanted.Add(p - 1);
                size *= row[p - 1];
            }

            sizes.Add(size);
        }

        for (var p = 0; p < row.Length; p++)
        {
            if (wanted.Contains(p))
                continue;
            if (row[p] != 1)
                throw new UnsupportedException($"dimension {Array.FindIndex(value.Axes, a => a.Contains(p + 1))} of {value.Text()} is not the batch");
            wanted.Add(p);
        }

        return Shaped(Moved(value.Node, [.. wanted]), [.. sizes]);
    }

    /// <summary>All dimensions but that of the batch, in ONNX's order.</summary>
    public static NodeValue InOrder(NodeValue value)
    {
        if (MergedBatch.Of(value) is { } merged)
            return merged.Join(InOrder(merged.Split(value)));
        var batch = value.BatchAxis;
        int[] order = [.. Enumerable.Range(0, value.Rank).Where(a => a != batch)];
        var next = 1;
        return new(Rows(value, order), [.. Enumerable.Range(0, value.Rank).Select(a => Of(a == batch ? 0 : next++))]);
    }

    /// <summary>One dimension, as ONNX counts, last in the rows; the others stay as they lie.</summary>
    public static NodeValue Last(NodeValue value, int axis)
    {
        var last = value.Axes[axis];
        if (last.Contains(0))
            throw new UnsupportedException($"dimension {axis} of {value.Text()} holds the rows of the batch");
        var row = value.Row;
        int[] others = [.. Enumerable.Range(1, row.Length).Except(last)];
        var node = Moved(value.Node, [.. others.Concat(last).Select(p => p - 1)]);
        node = Shaped(node, [.. others.Select(p => row[p - 1]), last.Aggregate(1, (size, p) => size * row[p - 1])]);
        return new(node, [.. value.Axes.Select((a, i) => i == axis ? new[] { others.Length + 1 }
            : Array.ConvertAll(a, p => p == 0 ? 0 : Array.IndexOf(others, p) + 1))]);
    }

    /// <summary>One dimension last in the rows, for a product with weights that are known: its elements may lie in another order than ONNX's.</summary>
    /// <returns>The value; the place in ONNX's order of each element, null where the order is the same.</returns>
    public static (NodeValue Value, int[]? Order) LastForWeights(NodeValue value, int axis)
    {
        var own = value.Axes[axis];
        var row = value.Row;
        var first = row.Length + 1 - own.Length;
        if (own.Length < 2 || own.Contains(0) || own.Any(p => p < first) || IsAscending(own))
            return (Last(value, axis), null);
        var places = OnnxTensor.OfIntegers(OnnxType.Int64, [.. own.Select(p => row[p - 1])],
            [.. Enumerable.Range(0, (int)value.SizeOf(axis).Value).Select(i => (long)i)]);
        var order = places.Transposed([.. Enumerable.Range(first, own.Length).Select(p => Array.IndexOf(own, p))]).Integers;
        var node = Shaped(value.Node, [.. row[..(first - 1)], order.Length]);
        return (new(node, [.. value.Axes.Select((a, i) => i == axis ? [first] : a)]), [.. order.Select(o => (int)o)]);
    }

    /// <summary>A look at a value in another shape.</summary>
    public static NodeValue Reshaped(NodeValue value, SymbolicSize[] sizes) =>
        Regrouped(value, sizes) ?? Regrouped(Flat(value), sizes) ?? throw new UnsupportedException(
            $"{value.Text()} has no shape [{string.Join(", ", sizes)}] that leaves the rows of the batch apart");

    /// <summary>Values with dimensions that broadcast, as nodes that do so; and the dimensions of the result.</summary>
    public static (Node[] Nodes, int[][] Axes) Aligned(params NodeValue[] values)
    {
        var rank = values.Max(v => v.Rank);
        values = [.. values.Select(v => Padded(v, rank))];
        var first = values[0];
        if (values.Skip(1).All(v => v.Row.AsSpan().SequenceEqual(first.Row)
            && v.Axes.Zip(first.Axes).All(pair => pair.First.AsSpan().SequenceEqual(pair.Second))))
            return ([.. values.Select(v => v.Node)], first.Axes);
        if (values.Select(MergedBatch.Of).FirstOrDefault(m => m is not null) is { } merged)
        {
            var (nodes, apart) = Aligned([.. values.Select(merged.Split)]);
            return (nodes, merged.Join(apart));
        }

        if (Array.FindIndex(values, v => values.All(other => Fits(other, v))) is var at and >= 0)
        {
            // One has the size of the result: the others lie as it does.
            var large = Contiguous(values[at]);
            return ([.. values.Select((v, i) => i == at ? large.Node : Into(large, v))], large.Axes);
        }

        // Each is larger somewhere: all in ONNX's order.
        var batch = values.Max(v => v.BatchAxis);
        int[] order = [.. Enumerable.Range(0, rank).Where(a => a != batch)];
        var next = 1;
        return ([.. values.Select(v => Rows(v, order))], [.. Enumerable.Range(0, rank).Select(a => Of(a == batch ? 0 : next++))]);
    }

    /// <summary>The dimensions of known numbers, in the order and shape in which they broadcast into the rows of a value.</summary>
    /// <returns>The value, its dimensions perhaps put in order first, and the numbers; null if the numbers have dimensions that the value does not.</returns>
    public static (NodeValue Value, Folded Numbers)? Placed(NodeValue value, Folded numbers)
    {
        var rank = Math.Max(value.Rank, numbers.Rank);
        value = Padded(value, rank);
        var shape = numbers.As([.. Enumerable.Repeat(1, rank - numbers.Rank), .. numbers.Shape]);
        for (var a = 0; a < rank; a++)
        {
            if (shape.Shape[a] != 1 && value.SizeOf(a) != new SymbolicSize(shape.Shape[a]))
                return null;
        }

        value = Contiguous(value);
        var (order, sizes) = Pattern(value, a => shape.Shape[a] != 1);
        return (value, shape.Transposed([.. order, .. Enumerable.Range(0, rank).Except(order)]).As([.. sizes.SkipWhile(s => s == 1)]));
    }

    /// <summary>The dimensions of a node in another order; the node itself where nothing moves.</summary>
    private static Node Moved(Node node, int[] order)
    {
        var shape = node.Type.Shape;
        return IsAscending(order.Where(p => shape[p] != 1)) ? node : node.Transpose(order);
    }

    private static Node Shaped(Node node, int[] sizes)
    {
        var shape = node.Type.Shape;
        var same = shape.Rank == sizes.Length;
        for (var d = 0; same && d < sizes.Length; d++)
            same = shape[d] == sizes[d];
        return same ? node : node.Reshape(sizes);
    }

    private static bool IsAscending(IEnumerable<int> numbers) => numbers.Zip(numbers.Skip(1)).All(pair => pair.First < pair.Second);

    private static NodeValue Padded(NodeValue value, int rank) =>
        new(value.Node, [.. Enumerable.Repeat(Array.Empty<int>(), rank - value.Rank), .. value.Axes]);

    /// <summary>Whether each dimension of a value is that of a larger one, or 1.</summary>
    private static bool Fits(NodeValue small, NodeValue large) =>
        Enumerable.Range(0, large.Rank).All(a => small.SizeOf(a) == new SymbolicSize(1) || small.SizeOf(a) == large.SizeOf(a));

    /// <summary>The small value as rows that broadcast into those of the large one.</summary>
    private static Node Into(NodeValue large, NodeValue small)
    {
        var (order, sizes) = Pattern(large, a => small.SizeOf(a) != new SymbolicSize(1));
        return Shaped(Rows(small, order), sizes);
    }

    /// <summary>A value in which each dimension that ONNX counts is made of neighbours in order.</summary>
    private static NodeValue Contiguous(NodeValue value) =>
        value.Axes.All(a => a.Length < 2 || a.Zip(a.Skip(1)).All(pair => pair.Second == pair.First + 1)) ? value : InOrder(value);

    /// <summary>Which dimensions lie in a row, in their order, and the sizes of a row: 1 where the dimension does not count.</summary>
    private static (int[] Order, int[] Sizes) Pattern(NodeValue value, Func<int, bool> counts)
    {
        var sizes = value.Row;
        var batch = value.BatchAxis;
        var order = new List<int>();
        for (var p = 1; p <= sizes.Length; p++)
        {
            var axis = Array.FindIndex(value.Axes, a => a.Contains(p));
            if (axis < 0 || axis == batch || !counts(axis))
                sizes[p - 1] = 1;
            else if (order.Count == 0 || order[^1] != axis)
                order.Add(axis);
        }

        return ([.. order], sizes);
    }

    /// <summary>All numbers of a row in ONNX's order, as one dimension.</summary>
    private static NodeValue Flat(NodeValue value)
    {
        var ordered = InOrder(MergedBatch.Of(value)?.Split(value) ?? value);
        if (ordered.BatchAxis < 0)
            return new(Shaped(ordered.Node, [ordered.Node.Type.Shape.Size]), [[1]]);
        for (var a = 0; a < ordered.BatchAxis; a++)
        {
            if (ordered.SizeOf(a) != new SymbolicSize(1))
                throw new UnsupportedException($"the rows of the batch are not the first dimension of {value.Text()}");
        }

        return new(Shaped(ordered.Node, [ordered.Node.Type.Shape.Size]), [[0], [1]]);
    }

    /// <summary>Gives each new dimension the dimensions that make it up, splitting those that are larger; null where they do not line up.</summary>
    private static NodeValue? Regrouped(NodeValue value, SymbolicSize[] sizes)
    {
        if (sizes.Any(s => s.Value is not (>= 1 and <= int.MaxValue)))
            throw new UnsupportedException($"the shape [{string.Join(", ", sizes)}] is not of one element or more");
        var row = value.Row;
        var parts = row.Select(_ => new List<int>()).ToArray();
        var groups = new List<(int Dimension, int Part)>[sizes.Length];
        var rest = new Queue<int>(value.Axes.SelectMany(a => a).Where(p => p == 0 || row[p - 1] != 1));
        var open = 0.0; // what is left of the dimension at the front
        for (var a = 0; a < sizes.Length; a++)
        {
            groups[a] = [];
            var (need, power) = (sizes[a].Value, sizes[a].Power);
            while (need != 1 || power != 0)
            {
                if (!rest.TryPeek(out var p))
                    return null;
                if (p == 0)
                {
                    if (power-- < 1)
                        return null;
                    groups[a].Add((0, 0));
                    rest.Dequeue();
                    continue;
                }

                if (open == 0)
                    open = row[p - 1];
                if (power < 0 || need % open != 0 && (open % need != 0 || power != 0))
                    return null;
                var taken = Math.Min(need, open);
                groups[a].Add((p, parts[p - 1].Count));
                parts[p - 1].Add((int)taken);
                need /= taken;
                open = open == taken ? 0 : open / taken;
                if (open == 0)
                    rest.Dequeue();
            }
        }

        if (rest.Count > 0 || open != 0)
            return null;
        int[] split = [.. parts.SelectMany((sub, p) => sub.Count == 0 ? [row[p]] : sub)];
        int[] starts = [.. parts.Select((_, p) => 1 + parts.Take(p).Sum(sub => Math.Max(1, sub.Count)))];
        return new(Shaped(value.Node, split), [.. groups.Select(g => g.Select(d => d.Dimension == 0 ? 0 : starts[d.Dimension - 1] + d.Part).ToArray())]);
    }
}
