using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Normalization, dropout, tables, shapes and sequences.</summary>
internal static partial class OnnxOperators
{
    /// <summary>
    /// ONNX's momentum is the share of the old statistics, ours that of the new; its running variance takes the variance that
    /// divides by n, ours the one that divides by n - 1.
    /// </summary>
    private static OnnxTensor?[] BatchNormalization(OnnxCase c)
    {
        c.Ignore("is_test");
        OnnxTensor x = c.Input(0), mean = c.Input(3), variance = c.Input(4);
        var rows = x.ChannelsLast();
        var training = c.Integer("training_mode", 0) == 1;
        var momentum = c.Float("momentum", 0.9f);
        var network = new OperatorNetwork(x.Type, Rows(rows)) { Training = training };
        var node = network.Input(RowShape(rows), rows.Numbers).BatchNormalization(1 - momentum, c.Float("epsilon", 1e-5f));
        network.Parameter(node, "weight", c.Input(1).Numbers);
        network.Parameter(node, "bias", c.Input(2).Numbers);
        network.StateOf(node, "runningMean", mean.Numbers);
        network.StateOf(node, "runningVariance", variance.Numbers);
        var y = OnnxTensor.Of(x.Type, rows.Shape, network.Run(node)[0]).ChannelsFirst();
        if (!training)
            return [y];
        double n = x.Size / x.Shape[1];
        var biased = network.State["runningVariance"].Zip(variance.Numbers, (v, old) => momentum * old + (v - momentum * old) * (n - 1) / n);
        return [y, OnnxTensor.Of(x.Type, mean.Shape, network.State["runningMean"]), OnnxTensor.Of(x.Type, mean.Shape, [.. biased])];
    }

    /// <summary>Each channel a group of its own.</summary>
    private static OnnxTensor?[] InstanceNormalization(OnnxCase c)
    {
        var x = c.Input(0);
        var rows = x.ChannelsLast();
        var network = new OperatorNetwork(x.Type, Rows(rows));
        var node = network.Input(RowShape(rows), rows.Numbers).GroupNormalization(x.Shape[1], c.Float("epsilon", 1e-5f));
        network.Parameter(node, "weight", c.Input(1).Numbers);
        network.Parameter(node, "bias", c.Input(2).Numbers);
        return [OnnxTensor.Of(x.Type, rows.Shape, network.Run(node)[0]).ChannelsFirst()];
    }

    /// <summary>Over the dimensions from one on; the mean and the inverse deviation are not given.</summary>
    private static OnnxTensor?[] LayerNormalization(OnnxCase c)
    {
        var x = c.Input(0);
        var axis = c.Integer("axis", -1);
        axis += axis < 0 ? x.Rank : 0;
        var network = new OperatorNetwork(x.Type, OnnxTensor.Product(x.Shape[..axis]));
        var node = network.Input(x.Shape[axis..], x.Numbers).LayerNormalization(x.Rank - axis, c.Float("epsilon", 1e-5f));
        network.Parameter(node, "weight", c.Input(1).Numbers);
        network.Parameter(node, "bias", c.Input(2).Numbers);
        return [OnnxTensor.Of(x.Type, x.Shape, network.Run(node)[0]), null, null];
    }

    /// <summary>Inference, and training that drops nothing; the mask is not given.</summary>
    private static OnnxTensor?[] Dropout(OnnxCase c)
    {
        c.Ignore("seed");
        var x = c.Input(0);
        var ratio = c.Optional(1)?.Scalar ?? c.Float("ratio", 0.5f);
        var training = c.Optional(2)?.Integers[0] == 1;
        if (training && ratio != 0)
            throw new LeftOutException("the numbers of another random generator");
        var network = new OperatorNetwork(x.Type, Rows(x)) { Training = training };
        return [OnnxTensor.Of(x.Type, x.Shape, network.Run(network.Input(RowShape(x), x.Numbers).Dropout(ratio))[0]), null];
    }

    /// <summary>The dimensions before the axis are the rows.</summary>
    private static OnnxTensor?[] Flatten(OnnxCase c)
    {
        var x = c.Input(0);
        var axis = c.Integer("axis", 1);
        axis += axis < 0 ? x.Rank : 0;
        var network = new OperatorNetwork(x.Type, OnnxTensor.Product(x.Shape[..axis]));
        var node = network.Input(x.Shape[axis..], x.Numbers).Flatten();
        return [OnnxTensor.Of(x.Type, [OnnxTensor.Product(x.Shape[..axis]), node.Type.Shape.Size], network.Run(node)[0])];
    }

    /// <summary>The whole tensor is one row: ONNX's shape includes dimension 0.</summary>
    private static OnnxTensor?[] Reshape(OnnxCase c)
    {
        var x = c.Input(0);
        c.Ignore("allowzero");
        if (x.Size == 0)
            throw new LeftOutException("tensors without elements");
        int[] shape = [.. c.Input(1).Integers.Select((d, i) => d == 0 ? x.Shape[i] : (int)d)];
        if (Array.IndexOf(shape, -1) is var open and >= 0)
            shape[open] = x.Size / -shape.Aggregate(1, (product, d) => product * d);
        var network = new OperatorNetwork(x.Type, 1);
        return [Row(x, network, network.Input(x.Shape, x.Numbers).Reshape(shape))];
    }

    /// <summary>A view without some dimensions of 1, or without all.</summary>
    private static OnnxTensor?[] Squeeze(OnnxCase c)
    {
        var x = c.Input(0);
        var axes = Axes(c, x.Rank) ?? [.. Enumerable.Range(0, x.Rank).Where(d => x.Shape[d] == 1)];
        return [View(x, [.. Enumerable.Range(0, x.Rank).Where(d => !axes.Contains(d)).Select(d => x.Shape[d])])];
    }

    /// <summary>A view with further dimensions of 1, at places of the result.</summary>
    private static OnnxTensor?[] Unsqueeze(OnnxCase c)
    {
        var x = c.Input(0);
        var rank = x.Rank + (c.Optional(1)?.Size ?? c.Integers("axes").Length);
        var axes = Axes(c, rank)!;
        var sizes = new Queue<int>(x.Shape);
        return [View(x, [.. Enumerable.Range(0, rank).Select(d => axes.Contains(d) ? 1 : sizes.Dequeue())])];
    }

    /// <summary>Axes are an input from version 13 on, and an attribute before; null where neither is there.</summary>
    private static int[]? Axes(OnnxCase c, int rank)
    {
        int[] axes = c.Optional(1) is { } input ? [.. input.Integers.Select(a => (int)a)] : c.Integers("axes");
        return axes.Length == 0 ? null : [.. axes.Select(a => a < 0 ? a + rank : a)];
    }

    /// <summary>The whole tensor is one row.</summary>
    private static OnnxTensor View(OnnxTensor x, int[] shape)
    {
        if (Math.Max(x.Rank, shape.Length) > Shape.MaxRank)
            throw new LeftOutException("a view of more dimensions than rows have");
        var network = new OperatorNetwork(x.Type, 1);
        return Row(x, network, network.Input(x.Shape, x.Numbers).Reshape(shape));
    }

    /// <summary>Slices beside each other: of given sizes, or of equal ones.</summary>
    private static OnnxTensor?[] Split(OnnxCase c)
    {
        var x = c.Input(0);
        var axis = c.Integer("axis", 0);
        axis += axis < 0 ? x.Rank : 0;
        int[] sizes = c.Optional(1) is { } input ? [.. input.Integers.Select(s => (int)s)] : c.Integers("split");
        if (sizes.Length == 0)
            sizes = [.. c.OutputNames.Select(_ => x.Shape[axis] / c.OutputNames.Count)];
        if (sizes.Contains(0))
            throw new LeftOutException("tensors without elements");
        var (results, start) = (new OnnxTensor?[sizes.Length], 0);
        for (var i = 0; i < sizes.Length; start += sizes[i++])
        {
            var network = new OperatorNetwork(x.Type, 1);
            results[i] = Row(x, network, network.Input(x.Shape, x.Numbers).Slice(axis, start, sizes[i]));
        }

        return results;
    }

    private static OnnxTensor?[] Concatenate(OnnxCase c)
    {
        var x = c.Input(0);
        var network = new OperatorNetwork(x.Type, 1);
        Node[] nodes = [.. Enumerable.Range(0, c.InputCount).Select(i => network.Input(c.Input(i).Shape, c.Input(i).Numbers))];
        return [Row(x, network, nodes[0].Concatenate(c.Integer("axis", 1), nodes.AsSpan(1)))];
    }

    /// <summary>A slice for each dimension.</summary>
    private static OnnxTensor?[] Slice(OnnxCase c)
    {
        var x = c.Input(0);
        long[] starts = c.Input(1).Integers, ends = c.Input(2).Integers;
        var axes = c.Optional(3)?.Integers ?? [.. Enumerable.Range(0, starts.Length).Select(a => (long)a)];
        if (c.Optional(4)?.Integers.Any(s => s != 1) == true)
            throw new LeftOutException("slices with steps");
        var network = new OperatorNetwork(x.Type, 1);
        var node = network.Input(x.Shape, x.Numbers);
        for (var i = 0; i < axes.Length; i++)
        {
            var length = x.Shape[axes[i] < 0 ? axes[i] + x.Rank : axes[i]];
            var start = Math.Clamp(starts[i] < 0 ? starts[i] + length : starts[i], 0, length);
            var end = Math.Clamp(ends[i] < 0 ? ends[i] + length : ends[i], 0, length);
            if (end <= start)
                throw new LeftOutException("tensors without elements");
            node = node.Slice((int)axes[i], (int)start, (int)(end - start));
        }

        return [Row(x, network, node)];
    }

    /// <summary>The order of the gates is that of ONNX's text: the weights of its cases are all alike, so they do not prove it.</summary>
    private static OnnxTensor?[] Lstm(OnnxCase c)
    {
        if (c.Optional(7) is not null)
            throw new LeftOutException("an LSTM with peepholes");
        var units = c.Integer("hidden_size", 0);

        // Gates i, o, f, c to i, f, g, o.
        int[] order = [0, 2, 3, 1];
        var (network, inputs, batchFirst, steps) = Sequence(c, states: 2, units);
        var layer = network.Graph.ApplyAll(new Lstm(units), inputs);
        Weights(c, network, layer[0], units, order);
        network.Parameter(layer[0], "bias", [.. Bias(c, order, units, 0).Zip(Bias(c, order, units, 1), (w, r) => w + r)]);
        return Results(c, network.Run([.. layer]), batchFirst, steps, units);
    }

    private static OnnxTensor?[] Rnn(OnnxCase c)
    {
        if (c.Texts("activations") is { Count: > 0 } functions && functions[0] is not ("Tanh" or "Relu"))
            throw new LeftOutException($"a recurrence with {functions[0]}");
        var units = c.Integer("hidden_size", 0);
        var function = c.Texts("activations").Contains("Relu") ? RnnFunction.Relu : RnnFunction.Tanh;
        var (network, inputs, batchFirst, steps) = Sequence(c, states: 1, units);
        var layer = network.Graph.ApplyAll(new Rnn(units, function), inputs);
        Weights(c, network, layer[0], units, [0]);
        network.Parameter(layer[0], "bias", [.. Bias(c, [0], units, 0).Zip(Bias(c, [0], units, 1), (w, r) => w + r)]);
        return Results(c, network.Run([.. layer]), batchFirst, steps, units);
    }

    /// <summary>ONNX applies the reset gate before the product by default, we behind it.</summary>
    private static OnnxTensor?[] Gru(OnnxCase c)
    {
        var units = c.Integer("hidden_size", 0);
        var behind = c.Integer("linear_before_reset", 0) == 1;

        // Gates z, r, h to r, z, n.
        int[] order = [1, 0, 2];
        var (network, inputs, batchFirst, steps) = Sequence(c, states: 1, units);
        var layer = network.Graph.ApplyAll(new Gru(units, resetAfter: behind), inputs);
        Weights(c, network, layer[0], units, order);
        double[] fromInput = Bias(c, order, units, 0), fromHidden = Bias(c, order, units, 1);
        network.Parameter(layer[0], "bias", [.. fromInput.Select((w, i) => w + (behind && i >= 2 * units ? 0 : fromHidden[i]))]);
        if (behind)
            network.Parameter(layer[0], "hiddenBias", fromHidden[(2 * units)..]);
        return Results(c, network.Run([.. layer]), batchFirst, steps, units);
    }

    /// <summary>The inputs of a recurrent layer: X, the lengths, the states; whether the batch is dimension 0; the steps.</summary>
    private static (OperatorNetwork Network, Node[] Inputs, bool BatchFirst, int Steps) Sequence(OnnxCase c, int states, int units)
    {
        if (c.Text("direction", "forward") != "forward")
            throw new LeftOutException("sequences read backward: the package has no such case");
        var batchFirst = c.Integer("layout", 0) == 1;
        var x = batchFirst ? c.Input(0) : c.Input(0).Transposed(1, 0, 2);
        var network = new OperatorNetwork(x.Type, x.Shape[0]);
        List<Node> inputs = [network.Input(x.Shape[1..], x.Numbers)];
        if (c.Optional(4) is { } lengths)
            inputs.Add(network.Indices([], lengths.Integers));
        for (var i = 0; c.Optional(5) is not null && i < states; i++)
            inputs.Add(network.Input([units], c.Input(5 + i).Numbers));
        return (network, [.. inputs], batchFirst, x.Shape[1]);
    }

    /// <summary>[1, gates H, D] to [D, gates H], the gates in our order.</summary>
    private static void Weights(OnnxCase c, OperatorNetwork network, Node node, int units, int[] order)
    {
        string[] names = ["inputWeight", "hiddenWeight"];
        for (var i = 0; i < names.Length; i++)
        {
            var w = c.Input(1 + i);
            var block = units * w.Shape[2];
            double[] sorted = [.. order.SelectMany(g => w.Numbers[(g * block)..((g + 1) * block)])];
            network.Parameter(node, names[i], OnnxTensor.Of(w.Type, w.Shape[1..], sorted).Transposed(1, 0).Numbers);
        }
    }

    /// <summary>One half of [1, 2 gates H]: behind the input's product (0) or the state's (1), in our order.</summary>
    private static double[] Bias(OnnxCase c, int[] order, int units, int half)
    {
        var all = c.Optional(3)?.Numbers ?? new double[2 * order.Length * units];
        return [.. order.SelectMany(g => all.AsSpan((half * order.Length + g) * units, units).ToArray())];
    }

    /// <summary>Y [T, 1, N, H] and the last states [1, N, H]; [N, T, 1, H] and [N, 1, H] with the batch first.</summary>
    private static OnnxTensor?[] Results(OnnxCase c, double[][] values, bool batchFirst, int steps, int units)
    {
        var type = c.Input(0).Type;
        var rows = values[1].Length / units;
        var y = OnnxTensor.Of(type, [rows, steps, 1, units], values[0]);
        int[] last = batchFirst ? [rows, 1, units] : [1, rows, units];
        return [batchFirst ? y : y.Transposed(1, 2, 0, 3), .. values[1..].Select(v => OnnxTensor.Of(type, last, v))];
    }

    /// <summary>The one row of a node, as a tensor.</summary>
    private static OnnxTensor Row(OnnxTensor x, OperatorNetwork network, Node node)
    {
        var shape = node.Type.Shape;
        return OnnxTensor.Of(x.Type, [.. Enumerable.Range(0, shape.Rank).Select(d => shape[d])], network.Run(node)[0]);
    }
}
