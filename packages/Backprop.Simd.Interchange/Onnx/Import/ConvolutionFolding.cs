namespace Backprop.Simd.Interchange;

/// <summary>Puts batch normalizations, and factors and sums that are known, into the convolution before them: y = s (w x + b) + t has the weights s w
/// and the bias s b + t. The network computes the same with less; it has no statistics to train on any more.</summary>
internal static class ConvolutionFolding
{
    public static void Apply(GraphShape graph, Dictionary<string, ImportValue> values, Action<long> take)
    {
        var made = 0;
        for (var i = 0; i < graph.Count; i++)
        {
            while (graph.At(i) is { Domain.Length: 0, Operator: "Conv" or "ConvTranspose", Inputs.Count: 2 or 3 } node && graph.Constant(node.Inputs[1]) is
                { Rank: > 2, Powers: null, IsFloat: true } weights && Behind(graph, node, weights) is var (next, scale, shift))
            {
                var filters = scale.Length;
                var bias = node.Inputs.Count > 2 ? graph.Constant(node.Inputs[2]) : new Folded(OnnxType.Float, [filters], new double[filters]);
                if (bias is null || bias.Values.Length != filters)
                    break;
                take(weights.Values.Length);
                var prefix = $"{node.Outputs[0]} folded {++made}";
                values[prefix + " weights"] = new Folded(weights.Type, weights.Shape,
                    [.. weights.Values.Select((w, at) => w * scale[FilterOf(node, weights, filters, at)])]);
                values[prefix + " bias"] = new Folded(bias.Type, [filters], [.. bias.Values.Select((b, f) => b * scale[f] + shift[f])]);
                var folded = node with { Inputs = [node.Inputs[0], prefix + " weights", prefix + " bias"], Outputs = next.Outputs };
                i = graph.Replace(folded, node, next);
            }
        }
    }

    /// <summary>The filter of an element of the weights: [F, C / g, ...], or [C, F / g, ...] where the convolution is transposed.</summary>
    private static int FilterOf(OnnxNode node, Folded weights, int filters, int at)
    {
        if (node.Operator == "Conv")
            return at / (weights.Values.Length / filters);
        var cells = OnnxTensor.Product(weights.Shape.AsSpan(2));
        var (channel, filter) = (at / cells / weights.Shape[1], at / cells % weights.Shape[1]);
        var groups = filters / weights.Shape[1];
        return channel / (weights.Shape[0] / groups) * weights.Shape[1] + filter;
    }

    /// <summary>The node behind a convolution that multiplies each channel and adds to it, with its factors and terms; null if there is none.</summary>
    private static (OnnxNode Next, double[] Scale, double[] Shift)? Behind(GraphShape graph, OnnxNode node, Folded weights)
    {
        var groups = (int)(node.Attributes.FirstOrDefault(a => a.Name == "group")?.Integer ?? 1);
        if (groups < 1 || weights.Shape[0] % groups != 0 || weights.Values.Length == 0)
            return null;
        var filters = node.Operator == "Conv" ? weights.Shape[0] : weights.Shape[1] * groups;
        var output = node.Outputs[0];
        if (graph.Next(output, "BatchNormalization") is { Inputs: [var x, var s, var b, var m, var v], Outputs.Count: 1 } normalization && x == output
            && graph.Constant(s) is { } scale && graph.Constant(b) is { } bias && graph.Constant(m) is { } mean && graph.Constant(v) is { } variance
            && scale.Values.Length == filters && bias.Values.Length == filters && mean.Values.Length == filters && variance.Values.Length == filters)
        {
            var epsilon = normalization.Attributes.FirstOrDefault(a => a.Name == "epsilon")?.Float ?? 1e-5f;
            double[] factors = [.. scale.Values.Select((f, i) => f / Math.Sqrt(variance.Values[i] + epsilon))];
            return (normalization, factors, [.. factors.Select((f, i) => bias.Values[i] - f * mean.Values[i])]);
        }

        foreach (var kind in (string[])["Mul", "Add"])
        {
            var next = graph.Next(output, kind);
            foreach (var (own, other) in GraphShape.Pairs(next))
            {
                if (own != output || graph.Constant(other) is not { IsFloat: true, Powers: null } known
                    || PerFilter(known, filters, weights.Rank) is not { } numbers)
                    continue;
                double[] ones = [.. Enumerable.Repeat(1.0, filters)];
                return kind == "Mul" ? (next!, numbers, new double[filters]) : (next!, ones, numbers);
            }
        }

        return null;
    }

    /// <summary>Numbers that broadcast as one for each filter.</summary>
    private static double[]? PerFilter(Folded known, int filters, int rank)
    {
        if (known.Rank > rank)
            return null;
        if (known.Values.Length == 1)
            return [.. Enumerable.Repeat(known.Values[0], filters)];
        return known.Values.Length == filters && known.Rank >= rank - 1 && known.Shape[known.Rank - rank + 1] == filters ? known.Values : null;
    }
}
