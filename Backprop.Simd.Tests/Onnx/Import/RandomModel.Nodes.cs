using Backprop.Simd.Interchange;

namespace Backprop.Simd.Tests.Onnx;

/// <content>The kinds of nodes.</content>
internal sealed partial class RandomModel
{
    /// <summary>With a constant, or a value, that broadcasts: some sizes are 1, some dimensions in front are missing.</summary>
    private void AddBroadcast(string x, int[] s)
    {
        var kind = Pick("Add", "Mul", "Sub", "Max", "Min");
        foreach (var (y, t) in _values.AsEnumerable().Reverse())
        {
            if (y != x && Chance(0.6) && Broadcast(s, t) is { } both)
            {
                Node(kind, both, Chance(0.5) ? [x, y] : [y, x]);
                return;
            }
        }

        int[] shape = [.. s.Select((d, i) => i == 0 && s.Length > 0 || Chance(0.4) ? 1 : d)];
        shape = shape[_random.Next(shape.Length + 1)..];
        Node(kind, s, Chance(0.5) ? [x, Constant(shape)] : [Constant(shape), x]);
    }

    private static int[]? Broadcast(int[] a, int[] b)
    {
        var shape = new int[Math.Max(a.Length, b.Length)];
        for (var d = 1; d <= shape.Length; d++)
        {
            var (l, r) = (d <= a.Length ? a[^d] : 1, d <= b.Length ? b[^d] : 1);
            if (l != r && l != 1 && r != 1)
                return null;
            shape[^d] = Math.Max(l, r);
        }

        return shape;
    }

    private void AddTranspose(string x, int[] s)
    {
        int[] order = s.Length == 0 || Chance(0.2) ? Permutation(s.Length) : [0, .. Permutation(s.Length - 1).Select(p => p + 1)];
        Node("Transpose", [.. order.Select(d => s[d])], [x], List("perm", order));
    }

    /// <summary>Merges, splits, flattens; the batch is 0, -1 or its number, and at times one with its neighbour.</summary>
    private void AddReshape(string x, int[] s)
    {
        List<int> sizes = [.. s];
        for (var n = _random.Next(1, 4); n > 0; n--)
        {
            var at = _random.Next(sizes.Count + 1);
            if (at < sizes.Count && at > 0 && sizes[at] % 2 == 0 && Chance(0.5))
            {
                sizes[at] /= 2;
                sizes.Insert(at + _random.Next(2), 2);
            }
            else if (at + 1 < sizes.Count && (at > 0 || Chance(0.15)))
            {
                sizes[at] *= sizes[at + 1];
                sizes.RemoveAt(at + 1);
            }
            else if (at > 0 && sizes.Count < 6 && Chance(0.3))
            {
                sizes.Insert(at, 1);
            }
        }

        int[] given = [.. sizes];
        if (s.Length > 0 && given.Length > 0 && given[0] == s[0] && Chance(0.5))
            given[0] = 0;
        else if (_isFree && given.Length > 0)
            given[0] = -1;
        if (!given.Contains(-1) && given.Length > 1 && Chance(0.4))
            given[_random.Next(1, given.Length)] = -1;
        Node("Reshape", [.. sizes], [x, Integers(given)]);
    }

    private void AddReduce(string x, int[] s)
    {
        if (s.Length < 2)
            return;
        int[] axes = [.. Enumerable.Range(1, s.Length - 1).Where(_ => Chance(0.5))];
        if (axes.Length == 0)
            axes = [From(Axis(s), s)];
        var keeps = Chance(0.5);
        var kind = Pick("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceL1", "ReduceSumSquare", "ReduceLogSumExp");
        int[] shape = keeps ? [.. s.Select((d, a) => axes.Contains(a) ? 1 : d)] : [.. s.Where((_, a) => !axes.Contains(a))];
        int[] counted = [.. axes.Select(a => Chance(0.3) ? a - s.Length : a)];
        var flag = Integer("keepdims", keeps ? 1 : 0);
        if (kind == "ReduceSum")
            Node(kind, shape, [x, Integers(counted)], flag);
        else
            Node(kind, shape, [x], List("axes", counted), flag);
    }

    private void AddConcat(string x, int[] s)
    {
        if (s.Length < 2)
            return;
        var axis = Axis(s);
        var at = From(axis, s);
        var others = _values.Where(v => v.Shape.Length == s.Length && Enumerable.Range(0, s.Length).All(d => d == at || v.Shape[d] == s[d])).ToArray();
        var parts = Enumerable.Range(0, _random.Next(1, 3)).Select(_ => others[_random.Next(others.Length)]).Prepend((Name: x, Shape: s)).ToArray();
        int[] shape = [.. s];
        shape[at] = parts.Sum(p => p.Shape[at]);
        Node("Concat", shape, [.. parts.Select(p => p.Name)], Integer("axis", axis));
    }

    private void AddSlice(string x, int[] s)
    {
        if (s.Length < 2)
            return;
        var axis = Axis(s);
        var size = s[From(axis, s)];
        int step = _random.Next(1, 4), start = _random.Next(size), end = _random.Next(start + 1, size + 3);
        int[] shape = [.. s];
        if (Chance(0.3))
        {
            shape[From(axis, s)] = (start + step) / step;
            Node("Slice", shape, [x, Integers(start), Integers(-100), Integers(axis), Integers(-step)]);
            return;
        }

        shape[From(axis, s)] = (Math.Min(end, size) - start + step - 1) / step;
        Node("Slice", shape, [x, Integers(Chance(0.5) ? start : start - size), Integers(end), Integers(axis), Integers(step)]);
    }

    private void AddGather(string x, int[] s)
    {
        if (s.Length < 2)
            return;
        var axis = Axis(s);
        var size = s[From(axis, s)];
        int[] shape = Chance(0.3) ? [] : Chance(0.5) ? [_random.Next(1, 4)] : [2, _random.Next(1, 3)];
        var name = $"i{_names++}";
        Model.Initializers[name] = OnnxTensor.OfIntegers(OnnxType.Int64, shape,
            [.. Enumerable.Range(0, Size(shape)).Select(_ => (long)_random.Next(-size, size))]);
        Node("Gather", [.. s[..From(axis, s)], .. shape, .. s[(From(axis, s) + 1)..]], [x, name], Integer("axis", axis));
    }

    private void AddUnsqueeze(string x, int[] s)
    {
        int[] ones = [.. Enumerable.Range(0, s.Length).Where(d => s[d] == 1 && (d > 0 || !_isFree))];
        if (ones.Length > 0 && Chance(0.5))
        {
            var gone = ones[_random.Next(ones.Length)];
            Node("Squeeze", [.. s[..gone], .. s[(gone + 1)..]], [x, Integers(gone)]);
            return;
        }

        var at = Chance(0.8) ? _random.Next(1, s.Length + 1) : 0;
        at = Math.Min(at, s.Length);
        Node("Unsqueeze", [.. s[..at], 1, .. s[at..]], [x, Integers(at)]);
    }

    /// <summary>By known weights: MatMul, with a bias behind at times; Gemm.</summary>
    private void AddProduct(string x, int[] s)
    {
        if (s.Length < 2)
            return;
        var n = _random.Next(1, 5);
        if (s.Length == 2 && Chance(0.6))
        {
            var transposed = Chance(0.5);
            Node("Gemm", [s[0], n], [x, transposed ? Constant(n, s[1]) : Constant(s[1], n), .. Chance(0.5) ? [Constant(n)] : Array.Empty<string>()],
                Integer("transB", transposed ? 1 : 0), new("alpha") { Float = 0.5f });
            return;
        }

        Node("MatMul", [.. s[..^1], n], [x, Constant(s[^1], n)]);
        if (Chance(0.5) && _values[^1].Shape.Length == s.Length)
            Node("Add", _values[^1].Shape, [_values[^1].Name, Constant(_values[^1].Shape[^1])]);
    }

    /// <summary>x x^T, and of other values.</summary>
    private void AddPairs(string x, int[] s)
    {
        if (s.Length < 3)
            return;
        int[] order = [.. Below(s.Length - 2), s.Length - 1, s.Length - 2], turned = [.. order.Select(d => s[d])];
        Node("Transpose", turned, [x], List("perm", order));
        Node("MatMul", [.. s[..^1], s[^2]], [x, _values[^1].Name]);
    }

    private void AddImage(string x, int[] s)
    {
        if (s.Length != 4)
            return;
        switch (_random.Next(6))
        {
            case 0 when s[2] > 1 && s[3] > 1:
                var f = _random.Next(1, 4);
                Node("Conv", [s[0], f, s[2] - 1, s[3]], [x, Constant(f, s[1], 2, 3), Constant(f)], List("pads", 0, 1, 0, 1));
                break;
            case 1 when s[1] % 2 == 0:
                Node("Conv", [s[0], 4, s[2], s[3]], [x, Constant(4, s[1] / 2, 1, 1)], Integer("group", 2));
                break;
            case 2:
                Node("GlobalAveragePool", [s[0], s[1], 1, 1], [x]);
                break;
            case 3 when s[2] > 1 && s[3] > 1:
                Node(Pick("MaxPool", "AveragePool"), [s[0], s[1], s[2] - 1, s[3] - 1], [x], List("kernel_shape", 2, 2));
                break;
            case 4 when s[1] % 4 == 0:
                Node("DepthToSpace", [s[0], s[1] / 4, s[2] * 2, s[3] * 2], [x], Integer("blocksize", 2));
                break;
            case 5:
                Node("ConvTranspose", [s[0], 2, s[2] * 2, s[3] * 2], [x, Constant(s[1], 2, 2, 2)], List("strides", 2, 2));
                break;
        }
    }

    private void AddExpand(string x, int[] s)
    {
        if (Chance(0.5))
        {
            int[] repeats = [.. s.Select((_, d) => d == 0 || Chance(0.5) ? 1 : 2)];
            Node("Tile", [.. s.Zip(repeats, (a, b) => a * b)], [x, Integers(repeats)]);
            return;
        }

        int[] shape = [.. s.Select((d, i) => d == 1 && i > 0 ? _random.Next(1, 4) : i == 0 ? 1 : d)];
        Node("Expand", [.. shape.Zip(s, Math.Max)], [x, Integers(shape)]);
    }

    private void AddPad(string x, int[] s)
    {
        if (s.Length < 2)
            return;
        int[] pads = [.. Enumerable.Range(0, 2 * s.Length).Select(i => i % s.Length == 0 ? 0 : _random.Next(2))];
        Node("Pad", [.. s.Select((d, i) => d + pads[i] + pads[i + s.Length])], [x, Integers(pads), Constant([], [0.5])]);
    }

    /// <summary>By a known mask, before a constant or another value.</summary>
    private void AddWhere(string x, int[] s)
    {
        int[] shape = [.. s.Select((d, i) => i == 0 || Chance(0.3) ? 1 : d)];
        var name = $"m{_names++}";
        Model.Initializers[name] = OnnxTensor.OfIntegers(OnnxType.Bool, shape, [.. Enumerable.Range(0, Size(shape)).Select(_ => (long)_random.Next(2))]);
        var other = _values.FirstOrDefault(v => v.Name != x && v.Shape.SequenceEqual(s)).Name ?? Constant(Chance(0.5) ? [] : shape);
        Node("Where", s, Chance(0.5) ? [name, x, other] : [name, other, x]);
    }

    private void AddNormalization(string x, int[] s)
    {
        switch (_random.Next(4))
        {
            case 0:
                Node("LayerNormalization", s, [x, Constant(s[^1]), Constant(s[^1])], new OnnxAttribute("epsilon") { Float = 0.1f });
                break;
            case 1:
                double[] variance = [.. Numbers(s[1]).Select(v => Math.Abs(v) + 0.5)];
                Node("BatchNormalization", s, [x, Constant(s[1]), Constant(s[1]), Constant(s[1]), Constant([s[1]], variance)]);
                break;
            case 2 when s.Length > 2 && Size(s.AsSpan(2)) > 1: // an epsilon that does not blow up the rounding of equal numbers
                Node("InstanceNormalization", s, [x, Constant(s[1]), Constant(s[1])], new OnnxAttribute("epsilon") { Float = 0.1f });
                break;
            case 3:
                int[] slope = [.. s[1..].Select((d, i) => Chance(0.5) ? 1 : d)];
                Node("PRelu", s, [x, Constant(slope[_random.Next(slope.Length)..])]);
                break;
        }
    }

    private void AddAlong(string x, int[] s)
    {
        var axis = Axis(s);
        if (Chance(0.5))
        {
            var name = $"i{_names++}";
            Model.Initializers[name] = OnnxTensor.OfIntegers(OnnxType.Int64, [], [axis]);
            Node("CumSum", s, [x, name], Integer("reverse", _random.Next(2)), Integer("exclusive", _random.Next(2)));
            return;
        }

        int[] shape = [.. s];
        shape[From(axis, s)] = 1;
        Node("TopK", shape, [x, Integers(1)], Integer("axis", axis));
        if (_values[^1].Shape.SequenceEqual(shape) && Model.Nodes[^1] is { Operator: "TopK" } last)
            Model.Nodes[^1] = last with { Outputs = [last.Outputs[0], last.Outputs[0] + "i"] };
    }
}
