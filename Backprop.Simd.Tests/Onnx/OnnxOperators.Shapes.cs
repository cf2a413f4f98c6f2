using Backprop.Simd.Interchange;
using Backprop.Simd.Kernels;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Shapes, gathers, prefix sums, sorting and reductions. Tensors are shared inputs, so that all dimensions are those of a row.</summary>
internal static partial class OnnxOperators
{
    private static OnnxTensor?[] Shaped(OnnxCase c, Func<Node, Node> function)
    {
        var x = NotEmpty(c.Input(0));
        var network = new OperatorNetwork(x.Type, 1);
        return [Row(x, network, function(network.Shared(x.Shape, x.Numbers)))];
    }

    private static OnnxTensor NotEmpty(OnnxTensor x) => x.Size == 0 ? throw new LeftOutException("tensors without elements") : x;

    /// <summary>Indices, which may count from the end, as the library takes them.</summary>
    private static long[] FromStart(OnnxTensor indices, int length) => [.. indices.Integers.Select(i => i < 0 ? i + length : i)];

    private static int AxisOf(OnnxTensor x, long axis) => (int)(axis < 0 ? axis + x.Rank : axis);

    private static int[] Sizes(Node node) => node.Type.Shape.CopyTo(new int[node.Type.Shape.Rank]).ToArray();

    /// <summary>The products of two stacks of matrices, broadcast.</summary>
    private static OnnxTensor?[] MatMul(OnnxCase c)
    {
        OnnxTensor a = c.Input(0), b = c.Input(1);
        var network = new OperatorNetwork(a.Type, 1);
        return [Row(a, network, Node.MatrixProduct(network.Shared(a.Shape, a.Numbers), network.Shared(b.Shape, b.Numbers)))];
    }

    /// <summary>Amounts are an attribute before version 11, then an input.</summary>
    private static OnnxTensor?[] Pad(OnnxCase c)
    {
        var pads = c.Optional(1) is { } input ? [.. input.Integers.Select(p => (int)p)] : c.Integers("pads");
        var value = c.Optional(2)?.Scalar ?? c.Float("value", 0);
        if (pads.Any(p => p < 0))
            throw new LeftOutException("a padding that cuts off");
        var mode = Enum.Parse<PaddingMode>(c.Text("mode", "constant"), ignoreCase: true);
        return Shaped(c, x => x.Pad(pads.AsSpan(0, pads.Length / 2), pads.AsSpan(pads.Length / 2), mode, value));
    }

    private static OnnxTensor?[] Tile(OnnxCase c)
    {
        int[] repeats = [.. c.Input(1).Integers.Select(r => (int)r)];
        var missing = Math.Max(0, repeats.Length - c.Input(0).Rank);
        return Shaped(c, x => x.Reshape([.. Enumerable.Repeat(1, missing), .. Sizes(x)]).Tile(repeats));
    }

    /// <summary>Dimensions of 1 are repeated.</summary>
    private static OnnxTensor?[] Expand(OnnxCase c)
    {
        int[] shape = [.. c.Input(1).Integers.Select(d => (int)d)], x = c.Input(0).Shape;
        var rank = Math.Max(shape.Length, x.Length);
        int[] from = [.. Enumerable.Repeat(1, rank - x.Length), .. x], to = [.. Enumerable.Repeat(1, rank - shape.Length), .. shape];
        return Shaped(c, node => node.Reshape(from).Tile([.. from.Zip(to, (a, b) => a == 1 ? b : 1)]));
    }

    private static OnnxTensor?[] Gather(OnnxCase c)
    {
        OnnxTensor data = c.Input(0), indices = c.Input(1);
        var axis = AxisOf(data, c.Integer("axis", 0));
        var network = new OperatorNetwork(data.Type, 1);
        return [Row(data, network, network.Shared(data.Shape, data.Numbers).Gather(
            network.Indices(indices.Shape, FromStart(indices, data.Shape[axis])), axis))];
    }

    private static OnnxTensor?[] GatherElements(OnnxCase c)
    {
        OnnxTensor data = c.Input(0), indices = c.Input(1);
        var axis = AxisOf(data, c.Integer("axis", 0));
        var network = new OperatorNetwork(data.Type, 1);
        return [Row(data, network, network.Shared(data.Shape, data.Numbers).GatherElements(
            network.Indices(indices.Shape, FromStart(indices, data.Shape[axis])), axis))];
    }

    /// <summary>The last dimension of the indices names the first dimensions of the data, which are one here.</summary>
    private static OnnxTensor?[] GatherNd(OnnxCase c)
    {
        OnnxTensor data = c.Input(0), indices = c.Input(1);
        if (c.Integer("batch_dims", 0) != 0)
            throw new LeftOutException("indices of some dimensions of a batch");
        var (places, rest) = Places(data, indices);
        var network = new OperatorNetwork(data.Type, 1);
        var table = network.Shared([data.Size / OnnxTensor.Product(rest), OnnxTensor.Product(rest)], data.Numbers);
        var node = table.Gather(network.Indices([places.Length], places));
        return [OnnxTensor.Of(data.Type, [.. indices.Shape[..^1], .. rest], network.Run(node)[0])];
    }

    private static OnnxTensor?[] ScatterNd(OnnxCase c)
    {
        var data = c.Input(0);
        var (places, rest) = Places(data, c.Input(1));
        return Scattered(c, places, OnnxTensor.Product(rest));
    }

    /// <summary>Each index replaces its own in the place of the update.</summary>
    private static OnnxTensor?[] ScatterElements(OnnxCase c)
    {
        OnnxTensor data = c.Input(0), indices = c.Input(1);
        var axis = AxisOf(data, c.Integer("axis", 0));
        var own = FromStart(indices, data.Shape[axis]);
        var places = new long[indices.Size];
        for (var n = 0; n < places.Length; n++)
        {
            var (rest, step) = (n, 1);
            for (var d = data.Rank - 1; d >= 0; d--)
            {
                places[n] += step * (d == axis ? own[n] : rest % indices.Shape[d]);
                rest /= indices.Shape[d];
                step *= data.Shape[d];
            }
        }

        return Scattered(c, places, 1);
    }

    /// <summary>Updates of some numbers each are segments: added to the data, or taken where there is one.</summary>
    private static OnnxTensor?[] Scattered(OnnxCase c, long[] places, int width)
    {
        OnnxTensor data = c.Input(0), updates = c.Input(2);
        var reduction = c.Text("reduction", "none");
        if (reduction is not ("none" or "add"))
            throw new LeftOutException($"a scatter by {reduction}");
        var network = new OperatorNetwork(data.Type, 1);
        var rows = data.Size / width;
        var (x, indices) = (network.Input([rows, width], data.Numbers), network.Indices([places.Length], places));
        var sums = network.Input([places.Length, width], updates.Numbers).SegmentSum(indices, rows);
        var counts = network.Input([places.Length, 1], [.. places.Select(_ => 1.0)]).SegmentSum(indices, rows);
        return [OnnxTensor.Of(data.Type, data.Shape, network.Run(reduction == "add" ? x + sums : Node.Where(counts, sums, x))[0])];
    }

    /// <summary>Indices of the first dimensions as those of one dimension, and the dimensions behind.</summary>
    private static (long[] Places, int[] Behind) Places(OnnxTensor data, OnnxTensor indices)
    {
        var depth = indices.Shape[^1];
        var places = new long[indices.Size / depth];
        for (var n = 0; n < places.Length; n++)
        {
            for (var d = 0; d < depth; d++)
            {
                var index = indices.Integers[n * depth + d];
                places[n] = places[n] * data.Shape[d] + (index < 0 ? index + data.Shape[d] : index);
            }
        }

        return (places, data.Shape[depth..]);
    }

    /// <summary>Each row of the batch takes its steps by index: the first ones in the reverse order.</summary>
    private static OnnxTensor?[] ReverseSequence(OnnxCase c)
    {
        var x = c.Input(0);
        var (batch, time) = (c.Integer("batch_axis", 1), c.Integer("time_axis", 0));
        var rows = batch == 0 && time == 1 ? x : x.Moved(1, 0);
        long[] order = [.. c.Input(1).Integers.SelectMany(n => Enumerable.Range(0, rows.Shape[1]).Select(t => t < n ? n - 1 - t : t))];
        var network = new OperatorNetwork(x.Type, rows.Shape[0]);
        var node = network.Input(rows.Shape[1..], rows.Numbers).Gather(network.Indices([rows.Shape[1]], order));
        var y = OnnxTensor.Of(x.Type, rows.Shape, network.Run(node)[0]);
        return [batch == 0 ? y : y.Moved(0, 1)];
    }

    private static OnnxTensor?[] CumulativeSum(OnnxCase c)
    {
        var (exclusive, reverse) = (c.Integer("exclusive", 0) == 1, c.Integer("reverse", 0) == 1);
        return Shaped(c, x => x.CumulativeSum((int)c.Input(1).Integers[0], exclusive, reverse));
    }

    private static OnnxTensor?[] TopK(OnnxCase c)
    {
        c.Ignore("sorted");
        var x = c.Input(0);
        var network = new OperatorNetwork(x.Type, 1);
        var (values, indices) = network.Shared(x.Shape, x.Numbers).TopK((int)c.Input(1).Integers[0], c.Integer("axis", -1), c.Integer("largest", 1) == 1);
        var results = network.Run(values, indices);
        return [OnnxTensor.Of(x.Type, Sizes(values), results[0]), Places(Sizes(indices), results[1])];
    }

    /// <summary>The first of equal numbers; of the reversed input it is the last.</summary>
    private static OnnxTensor?[] ArgMax(OnnxCase c, bool ofSmallest)
    {
        var x = c.Input(0);
        var axis = AxisOf(x, c.Integer("axis", 0));
        var isLast = c.Integer("select_last_index", 0) == 1;
        var network = new OperatorNetwork(x.Type, 1);
        var node = network.Shared(x.Shape, x.Numbers);
        node = ofSmallest ? -node : node;
        node = (isLast ? node.Reverse(axis) : node).ArgMax(axis, c.Integer("keepdims", 1) == 1);
        return [Places(Sizes(node), network.Run(isLast ? x.Shape[axis] - 1 - node : node)[0])];
    }

    private static OnnxTensor Places(int[] shape, double[] numbers) => OnnxTensor.OfIntegers(OnnxType.Int64, shape, [.. numbers.Select(v => (long)v)]);

    /// <summary>Over dimensions that are an attribute or, in later versions, an input; over all by default.</summary>
    private static OnnxTensor?[] Reduce(OnnxCase c, Func<Node, bool, int[], Node> function)
    {
        var axes = c.Optional(1) is { } input ? [.. input.Integers.Select(a => (int)a)] : c.Integers("axes");
        var keeps = c.Integer("keepdims", 1) == 1;
        if (c.Integer("noop_with_empty_axes", 0) == 1 && axes.Length == 0)
            throw new LeftOutException("a reduction of nothing");
        return Shaped(c, x => function(x, keeps, axes));
    }

    private static OnnxTensor?[] Where(OnnxCase c)
    {
        OnnxTensor mask = c.Input(0), x = c.Input(1), y = c.Input(2);
        var network = new OperatorNetwork(x.Type, 1);
        return [Row(x, network, Node.Where(network.Shared(mask.Shape, [.. mask.Integers.Select(m => (double)m)]), network.Shared(x.Shape, x.Numbers),
            network.Shared(y.Shape, y.Numbers)))];
    }
}
