namespace Backprop.Simd.Interchange;

/// <summary>Finds layers that a graph writes out in parts, and puts the operator of the whole in their place.</summary>
internal static class Patterns
{
    private static readonly double _invSqrt2 = 1 / Math.Sqrt(2), _geluScale = Math.Sqrt(2 / Math.PI);

    public static void Apply(GraphShape graph)
    {
        for (var i = 0; i < graph.Count; i++)
        {
            if (graph.At(i) is not { Domain.Length: 0 } node)
                continue;
            switch (node.Operator)
            {
                case "Mul":
                    _ = TrySilu(graph, node) || TryMish(graph, node) || TryHardSwish(graph, node) || TryGelu(graph, node);
                    break;
                case "Div":
                    _ = TryHardSwish(graph, node) || TryLayerNormalization(graph, node);
                    break;
            }
        }
    }

    /// <summary>The nodes without those that give what they get; who reads such a node reads what it gets.</summary>
    public static List<OnnxNode> WithoutIdentities(IReadOnlyList<OnnxNode> nodes, IEnumerable<string> outputs, Func<string, Folded?> known)
    {
        HashSet<string> wanted = [.. outputs];
        Dictionary<string, string> sources = [];
        List<OnnxNode> left = [];
        foreach (var node in nodes)
        {
            var read = node.Inputs.Any(sources.ContainsKey) ? node with { Inputs = [.. node.Inputs.Select(i => sources.GetValueOrDefault(i, i))] } : node;
            if (!wanted.Contains(read.Outputs[0]) && IsIdentity(read, known))
                sources[read.Outputs[0]] = read.Inputs[0];
            else
                left.Add(read);
        }

        return left;
    }

    /// <summary>Operators that do nothing when the network is used: x * 1, x / 1, x + 0, x - 0, Identity, Dropout.</summary>
    private static bool IsIdentity(OnnxNode node, Func<string, Folded?> known)
    {
        if (node.Domain.Length > 0 || node.Inputs.Count == 0 || node.Inputs[0].Length == 0)
            return false;
        if (node.Operator == "Identity")
            return node.Inputs.Count == 1;
        if (known(node.Inputs[0]) is not null)
            return false;
        return node.Operator switch
        {
            "Dropout" => node.Outputs.Count == 1 && (node.Inputs.Count < 3 || known(node.Inputs[2]) is { Values: [0] }),
            "Mul" or "Div" => node.Inputs is [_, var factor] && IsNumber(known(factor), 1),
            "Add" or "Sub" => node.Inputs is [_, var term] && IsNumber(known(term), 0),
            _ => false,
        };
    }

    /// <summary>One number of at most one dimension, so that it broadcasts to nothing larger.</summary>
    private static bool IsNumber(Folded? known, double number) => known is { Values: [var value], Powers: null, Rank: 0 or 1 } && value == number;

    /// <summary>x sigmoid(x).</summary>
    private static bool TrySilu(GraphShape graph, OnnxNode node)
    {
        foreach (var (x, gate) in GraphShape.Pairs(node))
        {
            if (graph.Made(gate, "Sigmoid") is { } sigmoid && sigmoid.Inputs[0] == x)
                return Replace(graph, "Silu", x, [], sigmoid, node);
        }

        return false;
    }

    /// <summary>x tanh(softplus(x)).</summary>
    private static bool TryMish(GraphShape graph, OnnxNode node)
    {
        foreach (var (x, gate) in GraphShape.Pairs(node))
        {
            if (graph.Made(gate, "Tanh") is { } tanh && graph.Made(tanh.Inputs[0], "Softplus") is { } softplus && softplus.Inputs[0] == x)
                return Replace(graph, "Mish", x, [], softplus, tanh, node);
        }

        return false;
    }

    /// <summary>x min(max(x + 3, 0), 6) / 6, the division before or behind the product; or x times the hard sigmoid with the slope 1/6.</summary>
    private static bool TryHardSwish(GraphShape graph, OnnxNode node)
    {
        if (node.Operator == "Mul")
        {
            foreach (var (x, gate) in GraphShape.Pairs(node))
            {
                if (graph.Made(gate, "HardSigmoid") is { } hard && hard.Inputs[0] == x && GraphShape.IsAbout(Float(hard, "alpha") ?? 0.2, 1 / 6.0)
                    && (Float(hard, "beta") ?? 0.5) == 0.5)
                    return Replace(graph, "HardSwish", x, [], hard, node);
                if (Sixth(graph, graph.Made(gate, "Div") ?? graph.Made(gate, "Mul")) is { } inner && Gate(graph, inner.Name, x) is { } parts)
                    return Replace(graph, "HardSwish", x, [], parts.Add, parts.Clip, inner.Node, node);
            }
        }

        if (Sixth(graph, node) is { } outer && graph.Made(outer.Name, "Mul") is { } product)
        {
            foreach (var (x, gate) in GraphShape.Pairs(product))
            {
                if (Gate(graph, gate, x) is { } parts)
                    return Replace(graph, "HardSwish", x, [], parts.Add, parts.Clip, product, node);
            }
        }

        return false;

        static (string Name, OnnxNode Node)? Sixth(GraphShape graph, OnnxNode? node) => node is null ? null
            : node.Operator == "Div" && node.Inputs is [var x, var six] && graph.Scalar(six) == 6 ? (x, node)
            : node.Operator == "Mul" && graph.WithScalar(node, 1 / 6.0) is { } other ? (other, node) : null;

        static (OnnxNode Add, OnnxNode Clip)? Gate(GraphShape graph, string name, string x) =>
            graph.Made(name, "Clip") is { } clip && Bound(graph, clip, "min", 1) == 0 && Bound(graph, clip, "max", 2) == 6
                && graph.Made(clip.Inputs[0], "Add") is { } add && graph.WithScalar(add, 3) == x ? (add, clip) : null;
    }

    /// <summary>x / 2 (1 + erf(x / sqrt 2)), or with tanh(sqrt(2 / pi) (x + 0.044715 x^3)); the half at any place.</summary>
    private static bool TryGelu(GraphShape graph, OnnxNode node)
    {
        foreach (var (first, second) in GraphShape.Pairs(node))
        {
            // (x g) 1/2, (g 1/2) x, (x 1/2) g, where g = 1 + erf.
            if (IsHalf(graph, second) && graph.Made(first, "Mul") is { } product)
            {
                foreach (var (x, gate) in GraphShape.Pairs(product))
                {
                    if (TryGate(graph, x, gate, product, node))
                        return true;
                }
            }

            if (graph.Made(second, "Mul") is not { } half)
                continue;
            foreach (var (inner, number) in GraphShape.Pairs(half))
            {
                if (IsHalf(graph, number) && (TryGate(graph, first, inner, half, node) || TryGate(graph, inner, first, half, node)))
                    return true;
            }
        }

        return false;

        static bool IsHalf(GraphShape graph, string name) => graph.Scalar(name) == 0.5;
    }

    private static bool TryGate(GraphShape graph, string x, string gate, OnnxNode inner, OnnxNode outer)
    {
        if (graph.Made(gate, "Add") is not { } sum || graph.WithScalar(sum, 1) is not { } function)
            return false;
        if (graph.Made(function, "Erf") is { } erf)
        {
            var scaled = graph.Made(erf.Inputs[0], "Div") is { Inputs: [var above, var root] } division && graph.Scalar(root) is { } number
                && GraphShape.IsAbout(number, 1 / _invSqrt2) && above == x ? division
                : graph.Made(erf.Inputs[0], "Mul") is { } scaling && graph.WithScalar(scaling, _invSqrt2) == x ? scaling : null;
            return scaled is not null && Replace(graph, "Gelu", x, [], scaled, erf, sum, inner, outer);
        }

        return graph.Made(function, "Tanh") is { } tanh && graph.Made(tanh.Inputs[0], "Mul") is { } times
            && graph.WithScalar(times, _geluScale) is { } polynomial
            && graph.Made(polynomial, "Add") is { } add && GraphShape.Pairs(add).FirstOrDefault(p => p.First == x) is { Second: { } cubic }
            && graph.Made(cubic, "Mul") is { } factor && graph.WithScalar(factor, 0.044715) is { } cube
            && graph.Made(cube, "Pow") is { Inputs: [var of, var exponent] } power && of == x && graph.Scalar(exponent) == 3
            && Replace(graph, "Gelu", x, [new("approximate") { Text = "tanh" }], power, factor, add, times, tanh, sum, inner, outer);
    }

    /// <summary>(x - mean) / sqrt(mean((x - mean)^2) + epsilon) over the last dimension, and the weight and bias behind it.</summary>
    private static bool TryLayerNormalization(GraphShape graph, OnnxNode division)
    {
        if (division.Inputs is not [var centered, var deviation] || graph.Made(deviation, "Sqrt") is not { } root
            || graph.Made(root.Inputs[0], "Add") is not { } shifted)
            return false;
        foreach (var (squares, epsilon) in GraphShape.Pairs(shifted))
        {
            if (graph.Scalar(epsilon) is not { } small || graph.Made(squares, "ReduceMean") is not { } variance || !IsOverLast(graph, variance))
                continue;
            var square = graph.Made(variance.Inputs[0], "Pow") is { Inputs: [var b, var two] } power && b == centered && graph.Scalar(two) == 2 ? power
                : graph.Made(variance.Inputs[0], "Mul") is { Inputs: [var l, var r] } product && l == centered && r == centered ? product : null;
            if (square is null || graph.Made(centered, "Sub", square.Operator == "Mul" ? 3 : 2) is not { Inputs: [var x, var average] } difference
                || graph.Made(average, "ReduceMean") is not { } mean || mean.Inputs[0] != x || !IsOverLast(graph, mean))
                continue;
            List<OnnxNode> parts = [mean, difference, square, variance, shifted, root, division];
            List<string> inputs = [x];
            foreach (var kind in (string[])["Mul", "Add"])
            {
                if (graph.Next(parts[^1].Outputs[0], kind) is { } next
                    && GraphShape.Pairs(next).FirstOrDefault(p => p.First == parts[^1].Outputs[0]).Second is { } other
                    && graph.Constant(other) is { Rank: 1, Values.Length: > 1 } && (kind == "Mul" || inputs.Count == 2))
                {
                    inputs.Add(other);
                    parts.Add(next);
                }
            }

            var whole = new OnnxNode("LayerNormalization", "", inputs, parts[^1].Outputs,
                [new("axis") { Integer = -1 }, new("epsilon") { Float = (float)small }])
            { Name = division.Name };
            graph.Replace(whole, [.. parts]);
            return true;
        }

        return false;
    }

    private static bool IsOverLast(GraphShape graph, OnnxNode mean)
    {
        var axes = mean.Attributes.FirstOrDefault(a => a.Name == "axes")?.Integers ?? [];
        if (axes.Count == 0 && mean.Inputs.Count > 1 && graph.Constant(mean.Inputs[1]) is { Powers: null } input)
            axes = [.. input.Values.Select(v => (long)v)];
        return axes is [-1] && mean.Attributes.FirstOrDefault(a => a.Name == "keepdims")?.Integer is null or 1;
    }

    private static double? Float(OnnxNode node, string name) => node.Attributes.FirstOrDefault(a => a.Name == name)?.Float;

    private static double? Bound(GraphShape graph, OnnxNode clip, string name, int input) =>
        clip.Inputs.Count > input ? graph.Scalar(clip.Inputs[input]) : Float(clip, name);

    private static bool Replace(GraphShape graph, string kind, string x, OnnxAttribute[] attributes, params ReadOnlySpan<OnnxNode> parts)
    {
        graph.Replace(new OnnxNode(kind, "", [x], parts[^1].Outputs, attributes) { Name = parts[^1].Name }, parts);
        return true;
    }
}
