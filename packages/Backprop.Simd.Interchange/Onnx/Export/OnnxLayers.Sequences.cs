using Backprop.Simd.Layers;

namespace Backprop.Simd.Interchange;

/// <content>Recurrences.</content>
internal static partial class OnnxLayers
{
    /// <summary>ONNX's LSTM has no projection: its steps are written one by one, and this bounds them.</summary>
    private const int MostSteps = 256;

    /// <summary>Where each gate of ONNX lies here: i, o, f, c of i, f, g, o, and z, r, h of r, z, n.</summary>
    private static readonly int[] _lstmGates = [0, 3, 1, 2], _gruGates = [1, 0, 2], _rnnGates = [0];

    private static void AddSequences()
    {
        RegisterAll<Rnn>((w, l) => Recurrent(w, "RNN", l.Units, _rnnGates, l.IsReverse,
            OnnxAttributes.Texts("activations", l.Function == RnnFunction.Relu ? "Relu" : "Tanh")));
        RegisterAll<Gru>((w, l) => Recurrent(w, "GRU", l.Units, _gruGates, l.IsReverse, OnnxAttributes.Whole("linear_before_reset", l.ResetAfter ? 1 : 0)));
        RegisterAll<Lstm>((w, l) => l.Projection is null ? Recurrent(w, "LSTM", l.Units, _lstmGates, l.IsReverse) : ProjectedLstm(w, l));
        RegisterAll<AttentionMemory>((w, _) => [w.Last(Projected(w, w.Input.Last, 0)), w.Last(Projected(w, w.Inputs[^1].Last, 2), 1)]);
    }

    /// <summary>The steps come first in ONNX, [T, batch, D], and one direction is a dimension of its own.</summary>
    private static OnnxEdge[] Recurrent(OnnxLayerWriter w, string kind, int units, int[] gates, bool reverse, params OnnxAttribute[] more)
    {
        var hasLengths = w.Inputs.Count > 1 && w.Inputs[1].Type.Kind == EdgeKind.Indices;
        var states = w.Inputs.Skip(hasLengths ? 2 : 1).Select(s => w.Graph.Unsqueezed(s.Last, 0));
        string[] inputs =
        [
            w.Graph.Transposed(w.Input.Last, 1, 0, 2), Gates(w, 0, units, gates), Gates(w, 1, units, gates), Biases(w, units, gates),
            hasLengths ? w.Inputs[1].Last : "", .. states,
        ];
        var count = inputs.Length;
        while (inputs[count - 1].Length == 0)
            count--;
        var made = w.Graph.Nodes(kind, w.Outputs.Count, inputs.AsSpan(0, count), [OnnxAttributes.Whole("hidden_size", units),
            OnnxAttributes.Text("direction", reverse ? "reverse" : "forward"), .. more]);
        var all = w.Last(w.Graph.Transposed(w.Graph.Squeezed(made[0], 1), 1, 0, 2));
        return [all, .. made.Skip(1).Select((last, i) => w.Last(w.Graph.Squeezed(last, 0), i + 1))];
    }

    /// <summary>A weight [D, gates H] as [1, gates H, D], with the gates in the order of ONNX.</summary>
    private static string Gates(OnnxLayerWriter w, int parameter, int units, int[] gates) =>
        w.Graph.Parameter(w.Node.Parameters[parameter] + ".gates", () =>
        {
            var weight = w.ParameterNumbers(parameter);
            var (width, rows) = (gates.Length * units, weight.Length / (gates.Length * units));
            var moved = new double[weight.Length];
            for (var i = 0; i < width; i++)
            {
                var from = gates[i / units] * units + i % units;
                for (var row = 0; row < rows; row++)
                    moved[i * rows + row] = weight[row * width + from];
            }

            return OnnxTensor.Of(w.Graph.Numbers, [1, width, rows], moved);
        });

    /// <summary>ONNX has a bias of the input and one of the state. Here all gates have one, and the candidate of a GRU a second.</summary>
    private static string Biases(OnnxLayerWriter w, int units, int[] gates) => w.Graph.Parameter(w.Node.Parameters[2] + ".gates", () =>
    {
        var bias = w.ParameterNumbers(2);
        var both = new double[2 * bias.Length];
        for (var i = 0; i < bias.Length; i++)
            both[i] = bias[gates[i / units] * units + i % units];
        if (gates == _gruGates && w.HasParameter(3))
            w.ParameterNumbers(3).CopyTo(both, both.Length - units);
        return OnnxTensor.Of(w.Graph.Numbers, [1, both.Length], both);
    });

    private static OnnxEdge[] ProjectedLstm(OnnxLayerWriter w, Lstm l)
    {
        var steps = w.Input.Fixed(0, "an LSTM with a projection, whose steps are written one by one,");
        if (steps > MostSteps)
            throw new OnnxRefusal($"the LSTM of ONNX has no projection; its steps are written one by one, at most {MostSteps}, and there are {steps}");
        var hasLengths = w.Inputs.Count > 1 && w.Inputs[1].Type.Kind == EdgeKind.Indices;
        var before = hasLengths ? 2 : 1;
        var isRunning = hasLengths ? BeforeEnd(w, w.Inputs[1], w.Input) : null;
        var sums = Projected(w, w.Input.Last, 0, 2);
        string? h = null, c = null;
        if (w.Inputs.Count > before)
            (h, c) = (w.Inputs[before].Last, w.Inputs[before + 1].Last);
        var all = new string[steps];
        for (var count = 0; count < steps; count++)
        {
            var t = l.IsReverse ? steps - 1 - count : count;
            var sum = w.Graph.Squeezed(w.Graph.Slice(sums, 1, t, t + 1), 1);
            if (h is not null)
                sum = w.Add(sum, w.Do("MatMul", h, w.Parameter(1)));
            var gates = w.Split(sum, 1, l.Units, l.Units, l.Units, l.Units);
            var cell = w.Mul(w.Do("Sigmoid", gates[0]), w.Do("Tanh", gates[2]));
            if (c is not null)
                cell = w.Add(w.Mul(w.Do("Sigmoid", gates[1]), c), cell);
            var hidden = w.Do("MatMul", w.Mul(w.Do("Sigmoid", gates[3]), w.Do("Tanh", cell)), w.Parameter(3));
            all[t] = hidden;
            if (isRunning is not null)
            {
                // A row that has ended, or has not begun, keeps its state and has the output 0.
                var runs = w.Graph.Slice(isRunning, 1, t, t + 1);
                all[t] = w.Do("Where", runs, hidden, w.Number(0));
                hidden = w.Do("Where", runs, hidden, h ?? w.Number(0));
                cell = w.Do("Where", runs, cell, c ?? w.Number(0));
            }

            (h, c) = (hidden, cell);
        }

        return [w.Last(w.Concat(1, Array.ConvertAll(all, y => w.Graph.Unsqueezed(y, 1)))), w.Last(h!, 1), w.Last(c!, 2)];
    }
}
