using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Onnx;

/// <content>Recurrences, losses and optimizers.</content>
internal static partial class OnnxOperators
{
    /// <summary>Gates of ONNX's LSTM are in the order i, o, f, c; the library's i, f, g, o. Its two biases are one here.</summary>
    private static OnnxTensor?[] Lstm(OnnxCase test)
    {
        if (test.Inputs.Length > 7 && test.Inputs[7] is not null)
            throw new LeftOutException("peepholes");
        var (x, steps, rows, units, batchFirst) = Sequence(test);
        int[] gates = [0, 2, 3, 1];
        var run = Run(x, rows).Values(x.Values, steps, x[-1])
            .Parameter("inputWeight", Gates(test.Inputs[1]!, gates, units)).Parameter("hiddenWeight", Gates(test.Inputs[2]!, gates, units))
            .Parameter("bias", Biases(test, gates, units).Sum);
        if (test.Inputs.Length > 4 && test.Inputs[4] is { } lengths)
            run.Indices(lengths.Values);
        if (test.Inputs.Length > 5)
            run.Values(test.Inputs[5]!.Values, units).Values(test.Inputs[6]!.Values, units);
        var outputs = run.Outputs(new Lstm(units));
        return Recurrent(test, outputs, steps, rows, units, batchFirst);
    }

    private static OnnxTensor?[] Gru(OnnxCase test)
    {
        // h~ = tanh(W x + (r h) U): the library resets after the product, as PyTorch and ONNX's other form do.
        if (test.Node.Integer("linear_before_reset", 0) == 0 && (Sequence(test).Steps > 1 || test.Inputs.Length > 5))
            throw new LeftOutException("resets before the product");
        var (x, steps, rows, units, batchFirst) = Sequence(test);
        int[] gates = [1, 0, 2];

        // In one step from zeros both forms are the same but for the second bias of h, which r does not multiply.
        var (sum, w, r) = Biases(test, gates, units);
        var n = 2 * units;
        if (test.Node.Integer("linear_before_reset", 0) == 1)
            Array.Copy(w, n, sum, n, units);
        var run = Run(x, rows).Values(x.Values, steps, x[-1])
            .Parameter("inputWeight", Gates(test.Inputs[1]!, gates, units)).Parameter("hiddenWeight", Gates(test.Inputs[2]!, gates, units))
            .Parameter("bias", sum).Parameter("hiddenBias", test.Node.Integer("linear_before_reset", 0) == 1 ? r[n..] : new double[units]);
        if (test.Inputs.Length > 4 && test.Inputs[4] is { } lengths)
            run.Indices(lengths.Values);
        return Recurrent(test, run.Outputs(new Gru(units)), steps, rows, units, batchFirst);
    }

    private static (OnnxTensor X, int Steps, int Rows, int Units, bool BatchFirst) Sequence(OnnxCase test)
    {
        var node = test.Node;
        if (node.Text("direction", "forward") != "forward" || node.Attributes.ContainsKey("activations") || node.Attributes.ContainsKey("clip"))
            throw new LeftOutException("direction, activations or clipping");
        var batchFirst = node.Integer("layout", 0) == 1;
        var x = Number(test.Inputs[0]);
        x = batchFirst ? x : x.Transpose(1, 0, 2);
        return (x, x[1], x[0], node.Integer("hidden_size", 0), batchFirst);
    }

    /// <summary>Weights [1, gates H, in] as [in, gates H], gates in another order.</summary>
    private static double[] Gates(OnnxTensor w, int[] order, int units) =>
        w.Reshape(order.Length, units, w[-1]).Transpose(2, 0, 1) is var turned
            ? [.. Enumerable.Range(0, w[-1]).SelectMany(i => order.SelectMany(g => turned.Values.AsSpan((i * order.Length + g) * units, units).ToArray()))]
            : [];

    private static (double[] Sum, double[] Input, double[] Hidden) Biases(OnnxCase test, int[] order, int units)
    {
        var size = order.Length * units;
        var given = test.Inputs.Length > 3 && test.Inputs[3] is { } b ? b.Values : new double[2 * size];
        double[] input = Ordered(0), hidden = Ordered(size);
        return ([.. input.Zip(hidden, (x, y) => x + y)], input, hidden);

        double[] Ordered(int start) => [.. order.SelectMany(g => given.AsSpan(start + g * units, units).ToArray())];
    }

    /// <summary>Y [T, 1, N, H] or [N, T, 1, H], Y_h [1, N, H] or [N, 1, H], and Y_c alike.</summary>
    private static OnnxTensor?[] Recurrent(OnnxCase test, double[][] outputs, int steps, int rows, int units, bool batchFirst)
    {
        var all = new OnnxTensor([rows, steps, 1, units], outputs[0], 1);
        OnnxTensor[] results = [batchFirst ? all : all.Transpose(1, 2, 0, 3), .. outputs[1..].Select(o => new OnnxTensor(batchFirst ? [rows, 1, units] : [1, rows, units], o, 1))];
        return [.. test.Outputs.Select((o, i) => o is null ? null : results[i])];
    }

    private static OnnxTensor?[] CrossEntropyLoss(OnnxCase test)
    {
        var loss = Loss(test, (weights, ignore, reduction) => new SoftmaxCrossEntropy(weights, 0, ignore, reduction));
        if (test.Outputs.Length < 2)
            return [loss];
        var x = test.Inputs[0]!.ChannelsLast();
        var logs = Run(x, x.Values.Length / x[-1]).Values(x.Values, x[-1]).Outputs(new LogSoftmax())[0];
        return [loss, new OnnxTensor(x.Dimensions, logs, x.Type).ChannelsFirst()];
    }

    private static OnnxTensor?[] NegativeLogLikelihoodLoss(OnnxCase test) =>
        [Loss(test, (weights, ignore, reduction) => new NegativeLogLikelihood(weights, ignore, reduction))];

    /// <summary>Each position a row.</summary>
    private static OnnxTensor Loss(OnnxCase test, Func<double[]?, int, LossReduction, Loss> make)
    {
        var x = Number(test.Inputs[0]).ChannelsLast();
        var labels = test.Inputs[1]!;
        var reduction = test.Node.Text("reduction", "mean") switch { "none" => LossReduction.None, "sum" => LossReduction.Sum, _ => LossReduction.Mean };
        var layer = make(test.Inputs.Length > 2 ? test.Inputs[2]?.Values : null, test.Node.Integer("ignore_index", -100), reduction);
        var y = Run(x, labels.Values.Length).Values(x.Values, x[-1]).Indices(labels.Values).Outputs(layer)[0];
        return new(reduction == LossReduction.None ? labels.Dimensions : [], y, x.Type);
    }

    /// <summary>Inputs R, T, and for each parameter X, G, H, one list after the other; outputs X and H.</summary>
    private static OnnxTensor?[] AdaGrad(OnnxCase test)
    {
        var (node, count) = (test.Node, (test.Inputs.Length - 2) / 3);
        var outputs = new OnnxTensor?[2 * count];
        for (var i = 0; i < count; i++)
        {
            OnnxTensor x = test.Inputs[2 + i]!, g = test.Inputs[2 + count + i]!, h = test.Inputs[2 + 2 * count + i]!;
            if (test.Inputs[1]!.Values[0] != 0 && node.Float("decay_factor", 0) != 0)
                throw new LeftOutException("a decayed rate at a given step");
            var optimizer = new AdaGrad<double>(x.Values.Length, 0, node.Float("epsilon", 0), node.Float("norm_coefficient", 0));
            double[] w = [.. x.Values], decayed = [.. w.Select(v => v * node.Float("norm_coefficient", 0))];

            // A step of rate 0 brings the sum of squares to where the case starts.
            optimizer.Step(w, h.Values.Zip(decayed, (v, d) => Math.Sqrt(v) - d).ToArray());
            optimizer.LearningRate = test.Inputs[0]!.Values[0];
            optimizer.Step(w, g.Values);
            outputs[i] = new(x.Dimensions, w, x.Type);
        }

        return outputs;
    }

    /// <summary>Inputs R, T, and for each parameter X, G, V; outputs X and V.</summary>
    private static OnnxTensor?[] Momentum(OnnxCase test)
    {
        var (node, count) = (test.Node, (test.Inputs.Length - 2) / 3);
        var (alpha, decay, nesterov) = (node.Float("alpha", 0), node.Float("norm_coefficient", 0), node.Text("mode", "") == "nesterov");
        var beta = test.Inputs[1]!.Values[0] == 0 ? 1 : node.Float("beta", 1);
        var outputs = new OnnxTensor?[2 * count];
        for (var i = 0; i < count; i++)
        {
            OnnxTensor x = test.Inputs[2 + i]!, g = test.Inputs[2 + count + i]!, v = test.Inputs[2 + 2 * count + i]!;
            var sgd = new Sgd<double>(x.Values.Length, 0, alpha, nesterov, decay, nesterov ? 0 : 1 - beta);
            double[] w = [.. x.Values];

            // A step of rate 0 brings the velocity to where the case starts: the first is not dampened.
            sgd.Step(w, v.Values.Zip(w, (value, weight) => value - decay * weight).ToArray());
            sgd.LearningRate = test.Inputs[0]!.Values[0];
            sgd.Step(w, g.Values);
            outputs[i] = new(x.Dimensions, w, x.Type);
            outputs[count + i] = new(x.Dimensions, sgd.Velocity.ToArray(), x.Type);
        }

        return outputs;
    }
}
