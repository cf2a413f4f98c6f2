using Backprop.Simd.Interchange;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Gathers and scatters of several dimensions. Tensors are shared inputs, so that all dimensions are those of a row.</summary>
internal static partial class OnnxOperators
{
    /// <summary>Indices, which may count from the end, as the library takes them.</summary>
    private static long[] FromStart(OnnxTensor indices, int length) => [.. indices.Integers.Select(i => i < 0 ? i + length : i)];

    private static int AxisOf(OnnxTensor x, long axis) => (int)(axis < 0 ? axis + x.Rank : axis);

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
}
