using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <content>Recurrent layers: [T, N, D] lies as rows [T, D].</content>
internal static partial class Operators
{
    /// <summary>Gates i, o, f, c here as i, f, g, o.</summary>
    private static ImportValue[] Lstm(Operation o)
    {
        if (o.HasInput(7) || o.Flag("input_forget"))
            throw new UnsupportedException("it has peepholes, or gates that are one");
        RequireFunctions(o, "Sigmoid", "Tanh", "Tanh");
        int[] order = [0, 2, 3, 1];
        return Recurrent(o, states: 2, order, (units, reverse) => new Lstm(units, reverse: reverse), (node, input, hidden, units) =>
            o.Importer.Set(node, "bias", [.. input.Zip(hidden, (w, r) => w + r)]));
    }

    private static ImportValue[] Rnn(Operation o)
    {
        var functions = o.Texts("activations");
        var function = functions.Count == 0 || functions.All(f => f == "Tanh") ? RnnFunction.Tanh : functions.All(f => f == "Relu") ? RnnFunction.Relu
            : throw new UnsupportedException($"it has the functions {string.Join(", ", functions.Select(Texts.Shown))}");
        return Recurrent(o, states: 1, [0], (units, reverse) => new Rnn(units, function, reverse: reverse), (node, input, hidden, units) =>
            o.Importer.Set(node, "bias", [.. input.Zip(hidden, (w, r) => w + r)]));
    }

    /// <summary>Gates z, r, h here as r, z, n. ONNX applies the reset gate before the product by default, we behind it.</summary>
    private static ImportValue[] Gru(Operation o)
    {
        RequireFunctions(o, "Sigmoid", "Tanh");
        var behind = o.Flag("linear_before_reset");
        int[] order = [1, 0, 2];
        return Recurrent(o, states: 1, order, (units, reverse) => new Gru(units, resetAfter: behind, reverse: reverse), (node, input, hidden, units) =>
        {
            o.Importer.Set(node, "bias", [.. input.Select((w, i) => w + (behind && i >= 2 * units ? 0 : hidden[i]))]);
            if (behind)
                o.Importer.Set(node, "hiddenBias", hidden[(2 * units)..]);
        });
    }

    private static void RequireFunctions(Operation o, params string[] expected)
    {
        var functions = o.Texts("activations");
        if (functions.Where((f, i) => f != expected[i % expected.Length]).Any())
            throw new UnsupportedException($"it has the functions {string.Join(", ", functions.Select(Texts.Shown))}");
    }

    private static ImportValue[] Recurrent(Operation o, int states, int[] order, Func<int, bool, Layer> layer,
        Action<Node, double[], double[], int> setBias)
    {
        o.Ignore("activation_alpha", "activation_beta");
        var units = o.RequiredInteger("hidden_size");
        if (o.Float("clip", 0) != 0)
            throw new UnsupportedException("it clips what it sums");
        var direction = o.Text("direction", "forward");
        bool[] reverses = direction switch
        {
            "forward" => [false],
            "reverse" => [true],
            "bidirectional" => [false, true],
            _ => throw new UnsupportedException($"it has the direction '{Texts.Shown(direction)}'"),
        };
        var batchFirst = o.Flag("layout");
        var x = o.Value(0);
        if (x.Rank != 3)
            throw new UnsupportedException($"it reads {x.Text()}");
        var sequence = Views.Rows(x, batchFirst ? 1 : 0, 2);
        var batch = x.BatchAxis == (batchFirst ? 0 : 1) ? new[] { 0 } : x.BatchAxis < 0 && x.SizeOf(batchFirst ? 0 : 1) == new SymbolicSize(1) ? []
            : throw new UnsupportedException($"the rows of the batch are not dimension {(batchFirst ? 0 : 1)} of {x.Text()}");
        Folded w = o.RequiredConstant(1), r = o.RequiredConstant(2);
        var gates = order.Length;
        if (w.Rank != 3 || r.Rank != 3 || w.Shape[0] != reverses.Length || r.Shape[0] != reverses.Length || w.Shape[1] != (long)gates * units
            || r.Shape[1] != (long)gates * units || r.Shape[2] != units || x.SizeOf(2) != new SymbolicSize(w.Shape[2]))
            throw new UnsupportedException($"it has the weights {w.Text()} and {r.Text()} for {x.Text()} and {units} units");
        var bias = o.Constant(3)?.Values ?? new double[2 * reverses.Length * gates * units];
        if (bias.Length != 2L * reverses.Length * gates * units)
            throw new UnsupportedException($"it has {bias.Length} biases");

        List<Node> all = [];
        List<Node>[] last = [.. Enumerable.Range(0, states).Select(_ => new List<Node>())];
        for (var d = 0; d < reverses.Length; d++)
        {
            List<Node> inputs = [sequence];
            if (o.HasInput(4) && !CoversAll(o, x, batchFirst))
                inputs.Add(o.Value(4) is { Node.Type.Kind: EdgeKind.Indices } lengths ? lengths.Node
                    : throw new UnsupportedException("its lengths are no indices"));
            for (var s = 0; s < states; s++)
            {
                if (o.HasInput(5 + s) && !IsZero(o, 5 + s))
                    inputs.Add(State(o, 5 + s, d, batchFirst));
                else if (o.HasInput(5 + (1 - s)) && states == 2 && !IsZero(o, 5 + (1 - s)))
                    throw new UnsupportedException("it has one of two states");
            }

            var nodes = o.Importer.Graph.ApplyAll(layer(units, reverses[d]), [.. inputs]);
            o.Importer.Set(nodes[0], "inputWeight", Sorted(w, d));
            o.Importer.Set(nodes[0], "hiddenWeight", Sorted(r, d));
            setBias(nodes[0], SortedBias(d, 0), SortedBias(d, 1), units);
            all.Add(nodes[0]);
            for (var s = 0; s < states; s++)
                last[s].Add(nodes[1 + s]);
        }

        // Y [T, directions, N, H], or [N, T, directions, H]; the states [directions, N, H], or [N, directions, H].
        var steps = Joined(all, sequence.Type.Shape[0]);
        int[] directions = reverses.Length == 1 ? [] : [2], width = [reverses.Length == 1 ? 2 : 3];
        List<ImportValue> results = [new NodeValue(steps, batchFirst ? [batch, [1], directions, width] : [[1], directions, batch, width])];
        foreach (var state in last)
        {
            int[] side = reverses.Length == 1 ? [] : [1], size = [reverses.Length == 1 ? 1 : 2];
            results.Add(new NodeValue(Joined(state, null), batchFirst ? [batch, side, size] : [side, batch, size]));
        }

        return [.. results];

        Node Joined(List<Node> parts, int? length) => parts.Count == 1 ? parts[0]
            : length is { } t ? parts[0].Concatenate(parts[1]).Reshape(t, 2, units) : parts[0].Concatenate(parts[1]).Reshape(2, units);

        // [gates H, D] to [D, gates H], the gates in our order.
        double[] Sorted(Folded weights, int d)
        {
            var (block, size) = (units * weights.Shape[2], gates * units * weights.Shape[2]);
            double[] sorted = [.. order.SelectMany(g => weights.Values[(d * size + g * block)..(d * size + (g + 1) * block)])];
            return OnnxTensor.Of(OnnxType.Double, [gates * units, weights.Shape[2]], sorted).Transposed(1, 0).Numbers;
        }

        // One half of the biases: behind the input's product, or the state's.
        double[] SortedBias(int d, int half) => [.. order.SelectMany(g => bias.AsSpan(((2 * d + half) * gates + g) * units, units).ToArray())];
    }

    private static bool IsZero(Operation o, int input) => o.Input(input) is Folded { Powers: null } known && known.Values.All(v => v == 0);

    /// <summary>Known lengths that are those of all steps.</summary>
    private static bool CoversAll(Operation o, NodeValue x, bool batchFirst) =>
        o.Input(4) is Folded { Powers: null } lengths && lengths.Values.All(l => new SymbolicSize(l) == x.SizeOf(batchFirst ? 1 : 0));

    /// <summary>The initial state of one direction, from [directions, N, H] or [N, directions, H].</summary>
    private static Node State(Operation o, int input, int direction, bool batchFirst)
    {
        var state = o.Value(input);
        if (state.Rank != 3 || state.BatchAxis < 0)
            throw new UnsupportedException($"its initial state {state.Text()} does not depend on the rows");
        return Views.Rows(Taken(state, batchFirst ? 1 : 0, [direction]), 2);
    }
}
