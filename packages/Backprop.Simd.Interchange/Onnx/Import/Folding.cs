namespace Backprop.Simd.Interchange;

/// <summary>Operators on numbers that are known, and on the sizes of nodes: what a graph computes about shapes comes to numbers here.</summary>
internal static class Folding
{
    private delegate Folded? Rule(Operation o);

    private static readonly Dictionary<string, Rule> _rules = new()
    {
        ["Identity"] = o => o.RequiredConstant(0),
        ["Dropout"] = o => o.RequiredConstant(0),
        ["Neg"] = o => Map(o, v => -v),
        ["Abs"] = o => Map(o, Math.Abs),
        ["Floor"] = o => Map(o, Math.Floor),
        ["Ceil"] = o => Map(o, Math.Ceiling),
        ["Round"] = o => Map(o, v => Math.Round(v, MidpointRounding.ToEven)),
        ["Sqrt"] = o => Map(o, Math.Sqrt),
        ["Exp"] = o => Map(o, Math.Exp),
        ["Log"] = o => Map(o, Math.Log),
        ["Reciprocal"] = o => Map(o, v => 1 / v),
        ["Sign"] = o => Map(o, v => Math.Sign(v)),
        ["Not"] = o => Map(o, v => v == 0 ? 1 : 0),
        ["Relu"] = o => Map(o, v => Math.Max(v, 0)),
        ["Tanh"] = o => Map(o, Math.Tanh),
        ["Sigmoid"] = o => Map(o, v => 1 / (1 + Math.Exp(-v))),
        ["Cast"] = Cast,
        ["Add"] = o => Combine(o, (a, b) => a.Power == b.Power || b.Value == 0 ? a with { Value = a.Value + b.Value } : a.Value == 0 ? b : null),
        ["Sub"] = o => Combine(o, (a, b) => a.Power == b.Power || b.Value == 0 ? a with { Value = a.Value - b.Value } : null),
        ["Mul"] = o => Combine(o, (a, b) => a * b),
        ["Div"] = o => Combine(o, (a, b) => Divide(a, b, IsWhole(o))),
        ["Mod"] = o => Combine(o, (a, b) => Plain(a, b, (x, y) => o.Flag("fmod") ? x % y : x - y * Math.Floor(x / y))),
        ["Pow"] = o => Combine(o, (a, b) => Plain(a, b, Math.Pow)),
        ["Min"] = o => Combine(o, (a, b) => Plain(a, b, Math.Min)),
        ["Max"] = o => Combine(o, (a, b) => Plain(a, b, Math.Max)),
        ["Equal"] = o => Compare(o, (a, b) => a == b),
        ["Greater"] = o => Compare(o, (a, b) => Less(b, a)),
        ["Less"] = o => Compare(o, Less),
        ["GreaterOrEqual"] = o => Compare(o, (a, b) => !Less(a, b)),
        ["LessOrEqual"] = o => Compare(o, (a, b) => !Less(b, a)),
        ["And"] = o => Compare(o, (a, b) => a.Value != 0 && b.Value != 0),
        ["Or"] = o => Compare(o, (a, b) => a.Value != 0 || b.Value != 0),
        ["Where"] = Where,
        ["Concat"] = Concatenate,
        ["Gather"] = Gather,
        ["Slice"] = Slice,
        ["Reshape"] = Reshape,
        ["Flatten"] = Flatten,
        ["Squeeze"] = o => o.RequiredConstant(0) is var x
            ? x.As(Kept(x, o.IntegersOrInput("axes", 1) ?? [.. Enumerable.Range(0, x.Rank).Where(a => x.Shape[a] == 1)])) : null!,
        ["Unsqueeze"] = Unsqueeze,
        ["Transpose"] = o => o.RequiredConstant(0) is var x ? x.Transposed(o.Integers("perm") ?? [.. Enumerable.Range(0, x.Rank).Reverse()]) : null!,
        ["Expand"] = Expand,
        ["Trilu"] = Triangle,
        ["ConstantOfShape"] = ConstantOfShape,
        ["Range"] = Range,
        ["ReduceProd"] = o => Reduce(o, (a, b) => a * b),
        ["ReduceSum"] = o => Reduce(o, (a, b) => a + b),
        ["ReduceMin"] = o => Reduce(o, Math.Min),
        ["ReduceMax"] = o => Reduce(o, Math.Max),
    };

    /// <summary>The result of an operator all of whose inputs are known; null if it is none of those here.</summary>
    public static Folded? Fold(Operation o)
    {
        if (!_rules.TryGetValue(o.Node.Operator, out var rule))
            return null;
        if (rule(o) is not { } result)
            return null;
        if (!o.Inputs.Any(i => i is Folded input && ReferenceEquals(input.Values, result.Values)))
            o.Importer.Take(result.Values.Length);
        return result;
    }

    /// <summary>Operators that are known here alone: of sizes, for the most part.</summary>
    public static bool Has(string name) => _rules.ContainsKey(name);

    /// <summary>The shape to which two broadcast.</summary>
    public static int[] ShapeOf(int[] a, int[] b)
    {
        var shape = new int[Math.Max(a.Length, b.Length)];
        for (var d = 1; d <= shape.Length; d++)
        {
            var (x, y) = (d <= a.Length ? a[^d] : 1, d <= b.Length ? b[^d] : 1);
            shape[^d] = x == 1 ? y : y == 1 || x == y ? x
                : throw new UnsupportedException($"[{string.Join(", ", a)}] and [{string.Join(", ", b)}] do not broadcast");
        }

        return shape;
    }

    private static Folded Broadcast(Operation o, Folded x, int[] shape)
    {
        if (x.Shape.AsSpan().SequenceEqual(shape))
            return x;
        var places = new int[Bounded(o, shape)];
        for (var i = 0; i < places.Length; i++)
        {
            var (place, stride, rest) = (0, 1, i);
            for (var d = 1; d <= shape.Length; d++)
            {
                var index = rest % shape[^d];
                rest /= shape[^d];
                if (d > x.Rank)
                    continue;
                place += x.Shape[^d] == 1 ? 0 : index * stride;
                stride *= x.Shape[^d];
            }

            places[i] = place;
        }

        return x.Pick(places, shape);
    }

    private static int Bounded(Operation o, int[] shape)
    {
        var size = OnnxTensor.Product(shape);
        o.Importer.Take(size);
        return size;
    }

    private static bool IsWhole(Operation o) => !o.RequiredConstant(0).IsFloat;

    private static Folded Map(Operation o, Func<double, double> function)
    {
        var x = o.RequiredConstant(0);
        return x.Powers is null ? new(x.Type, x.Shape, Array.ConvertAll(x.Values, v => function(v)))
            : throw new UnsupportedException("it computes with the rows of the batch");
    }

    private static Folded Cast(Operation o)
    {
        var x = o.RequiredConstant(0);
        o.Ignore("saturate");
        var to = (OnnxType)o.RequiredInteger("to");
        var isFloat = new Folded(to, [0], []).IsFloat;
        return new(to, x.Shape, isFloat ? x.Values : Array.ConvertAll(x.Values, v => to == OnnxType.Bool ? v == 0 ? 0.0 : 1 : Math.Truncate(v)), x.Powers);
    }

    private static Folded Combine(Operation o, Func<SymbolicSize, SymbolicSize, SymbolicSize?> function, OnnxType? type = null)
    {
        var result = o.RequiredConstant(0);
        for (var i = 1; i < o.InputCount; i++)
        {
            var (a, b) = (result, o.RequiredConstant(i));
            var shape = ShapeOf(a.Shape, b.Shape);
            o.Importer.Take(OnnxTensor.Product(shape));
            (a, b) = (Broadcast(o, a, shape), Broadcast(o, b, shape));
            var (values, powers) = (new double[a.Values.Length], new int[a.Values.Length]);
            for (var e = 0; e < values.Length; e++)
            {
                var number = function(a.At(e), b.At(e)) ?? throw new UnsupportedException("it computes with the rows of the batch");
                (values[e], powers[e]) = (number.Value, number.Power);
            }

            result = new(type ?? a.Type, shape, values, powers.All(p => p == 0) ? null : powers);
        }

        return result;
    }

    private static Folded Compare(Operation o, Func<SymbolicSize, SymbolicSize, bool> function) =>
        Combine(o, (a, b) => new(function(a, b) ? 1 : 0), OnnxType.Bool);

    private static bool Less(SymbolicSize a, SymbolicSize b) =>
        a.Power == b.Power ? a.Value < b.Value : throw new UnsupportedException("it compares the rows of the batch");

    private static SymbolicSize? Plain(SymbolicSize a, SymbolicSize b, Func<double, double, double> function) =>
        a == b && a.Power != 0 && function(1, 1) == 1 && function(2, 2) == 2 ? a : a.Power == 0 && b.Power == 0 ? new(function(a.Value, b.Value)) : null;

    private static SymbolicSize? Divide(SymbolicSize a, SymbolicSize b, bool isWhole)
    {
        if (a.Power < b.Power || isWhole && b.Value == 0)
            return null;
        var quotient = a.Value / b.Value;

        // A share of the rows is a whole number only where the factor is.
        return a.Power > b.Power && quotient != Math.Truncate(quotient) ? null
            : new SymbolicSize(isWhole ? Math.Truncate(quotient) : quotient, a.Power - b.Power);
    }

    private static Folded Where(Operation o)
    {
        var (mask, x, y) = (o.RequiredConstant(0), o.RequiredConstant(1), o.RequiredConstant(2));
        var shape = ShapeOf(mask.Shape, ShapeOf(x.Shape, y.Shape));
        (mask, x, y) = (Broadcast(o, mask, shape), Broadcast(o, x, shape), Broadcast(o, y, shape));
        SymbolicSize[] chosen = [.. mask.Values.Select((m, i) => m != 0 ? x.At(i) : y.At(i))];
        return new(x.Type, shape, [.. chosen.Select(c => c.Value)], chosen.All(c => c.Power == 0) ? null : [.. chosen.Select(c => c.Power)]);
    }

    private static Folded Concatenate(Operation o)
    {
        Folded[] parts = [.. Enumerable.Range(0, o.InputCount).Select(o.RequiredConstant)];
        var axis = Operation.Axis(o.Integer("axis", 1), parts[0].Rank);
        if (parts.Any(p => p.Rank != parts[0].Rank || p.Shape.Where((s, a) => a != axis && s != parts[0].Shape[a]).Any()))
            throw new UnsupportedException("the shapes of what is joined do not fit");
        o.Importer.Take(parts.Sum(p => (long)p.Values.Length));
        var all = new Folded(parts[0].Type, [parts.Sum(p => p.Values.Length)], [.. parts.SelectMany(p => p.Values)],
            parts.All(p => p.Powers is null) ? null : [.. parts.SelectMany(p => p.Powers ?? new int[p.Values.Length])]);
        var outer = OnnxTensor.Product(parts[0].Shape.AsSpan(0, axis));
        var places = new List<int>();
        for (var i = 0; i < outer; i++)
        {
            var start = 0;
            foreach (var part in parts)
            {
                var length = part.Values.Length / Math.Max(outer, 1);
                places.AddRange(Enumerable.Range(start + i * length, length));
                start += part.Values.Length;
            }
        }

        int[] shape = [.. parts[0].Shape];
        shape[axis] = parts.Sum(p => p.Shape[axis]);
        return all.Pick([.. places], shape);
    }

    private static Folded Gather(Operation o)
    {
        var (x, indices) = (o.RequiredConstant(0), (Folded)o.Input(1));
        var axis = Operation.Axis(o.Integer("axis", 0), x.Rank);
        var result = Along(o, x, axis, Places(indices, x.Shape[axis]), [.. x.Shape[..axis], .. indices.Shape, .. x.Shape[(axis + 1)..]]);
        return indices.BatchAxis < 0 ? result : new(result.Type, result.Shape, result.Values, result.Powers) { BatchAxis = axis + indices.BatchAxis };
    }

    /// <summary>Indices that may count from the end.</summary>
    public static int[] Places(Folded indices, int size) => [.. indices.Integers.Select(i => Operation.Place(i, size)
        ?? throw new UnsupportedException($"there is no place {i} of {size}"))];

    private static Folded Slice(Operation o)
    {
        var x = (Folded)o.Input(0);
        var batch = x.BatchAxis;
        foreach (var (axis, start, step, count) in Slices(o, x.Rank, a => a == batch ? int.MaxValue : x.Shape[a]))
        {
            if (axis == batch)
            {
                if (start != 0 || step != 1 || count != int.MaxValue)
                    throw new UnsupportedException("it takes some of the rows of the batch");
                continue;
            }

            int[] shape = [.. x.Shape];
            shape[axis] = count;
            x = Along(o, x, axis, [.. Enumerable.Range(0, count).Select(i => start + i * step)], shape);
        }

        return new(x.Type, x.Shape, x.Values, x.Powers) { BatchAxis = batch, Name = x.Name };
    }

    /// <summary>What a slice takes, dimension by dimension: places from one on, by steps.</summary>
    public static IEnumerable<(int Axis, int Start, int Step, int Count)> Slices(Operation o, int rank, Func<int, int> sizeOf)
    {
        var starts = o.IntegersOrInput("starts", 1) ?? throw new UnsupportedException("it has no starts");
        var ends = o.IntegersOrInput("ends", 2) ?? throw new UnsupportedException("it has no ends");
        var axes = o.IntegersOrInput("axes", 3) ?? [.. Enumerable.Range(0, starts.Length)];
        var steps = o.IntegersOrInput("steps", 4) ?? [.. starts.Select(_ => 1)];
        if (ends.Length != starts.Length || axes.Length != starts.Length || steps.Length != starts.Length || starts.Length > rank)
            throw new UnsupportedException("its starts, ends, axes and steps are not of one number");
        for (var i = 0; i < starts.Length; i++)
        {
            var axis = Operation.Axis(axes[i], rank);
            var (size, step) = (sizeOf(axis), (long)steps[i]);
            if (step == 0)
                throw new UnsupportedException("a step is 0");
            long start = starts[i] < 0 ? (long)starts[i] + size : starts[i], end = ends[i] < 0 ? (long)ends[i] + size : ends[i];
            start = Math.Clamp(start, 0, step > 0 ? size : size - 1);
            end = Math.Clamp(end, step > 0 ? 0 : -1, size);
            var count = Math.Max(0, (end - start + step - Math.Sign(step)) / step);
            yield return (axis, (int)start, count < 2 ? 1 : (int)step, (int)count);
        }
    }

    private static Folded Along(Operation o, Folded x, int axis, int[] places, int[] shape)
    {
        var inner = OnnxTensor.Product(x.Shape.AsSpan(axis + 1));
        var outer = OnnxTensor.Product(x.Shape.AsSpan(0, axis));
        var all = new int[Bounded(o, [outer, places.Length, inner])];
        for (var (i, at) = (0, 0); i < outer; i++)
        {
            foreach (var place in places)
            {
                for (var k = 0; k < inner; k++)
                    all[at++] = (i * x.Shape[axis] + place) * inner + k;
            }
        }

        return x.Pick(all, shape);
    }

    private static Folded Reshape(Operation o)
    {
        var x = o.RequiredConstant(0);
        var shape = (o.Constant(1)?.Integers ?? o.Integers("shape") ?? throw new UnsupportedException("it has no shape"))
            .Select((d, i) => d == 0 && !o.Flag("allowzero") ? i < x.Rank ? x.Shape[i]
                : throw new UnsupportedException("it keeps a size that is not there") : d)
            .ToArray();
        if (Array.IndexOf(shape, -1) is var open and >= 0)
        {
            var known = OnnxTensor.Product(shape.Where(d => d != -1).ToArray());
            shape[open] = known == 0 ? 0 : x.Values.Length / known;
        }

        return x.As(shape);
    }

    private static Folded Flatten(Operation o)
    {
        var x = o.RequiredConstant(0);
        var axis = o.Integer("axis", 1);
        axis = axis == x.Rank ? axis : Operation.Axis(axis, x.Rank);
        return x.As(OnnxTensor.Product(x.Shape.AsSpan(0, axis)), OnnxTensor.Product(x.Shape.AsSpan(axis)));
    }

    private static int[] Kept(Folded x, int[] axes)
    {
        int[] gone = [.. axes.Select(a => Operation.Axis(a, x.Rank))];
        return [.. x.Shape.Where((_, a) => !gone.Contains(a))];
    }

    private static Folded Unsqueeze(Operation o)
    {
        var x = o.RequiredConstant(0);
        var axes = o.IntegersOrInput("axes", 1) ?? throw new UnsupportedException("it has no axes");
        var rank = x.Rank + axes.Length;
        int[] added = [.. axes.Select(a => Operation.Axis(a, rank))];
        var sizes = new Queue<int>(x.Shape);
        return x.As([.. Enumerable.Range(0, rank).Select(a => added.Contains(a) || sizes.Count == 0 ? 1 : sizes.Dequeue())]);
    }

    private static Folded ConstantOfShape(Operation o)
    {
        var value = o.Tensor("value") is { } tensor ? Folded.Of(tensor).As(1) : new Folded(OnnxType.Float, [1], [0]);
        var (sizes, batch) = WithoutBatch(o.RequiredConstant(0));
        var result = Broadcast(o, value, sizes);
        return new(result.Type, result.Shape, result.Values) { BatchAxis = batch };
    }

    private static Folded? Expand(Operation o)
    {
        var (x, shape) = (o.RequiredConstant(0), o.RequiredConstant(1));
        if (shape.Powers is null)
            return Broadcast(o, x, ShapeOf(x.Shape, shape.Integers));
        var (sizes, batch) = WithoutBatch(shape);
        var result = Broadcast(o, x, ShapeOf(x.Shape, sizes));
        batch += result.Rank - sizes.Length;
        return result.Shape[batch] == 1 ? new(result.Type, result.Shape, result.Values, result.Powers) { BatchAxis = batch } : null;
    }

    /// <summary>Sizes with 1 in the place of the batch, and that place; -1 if there is none.</summary>
    private static (int[] Sizes, int Batch) WithoutBatch(Folded shape)
    {
        int[] batch = [.. Enumerable.Range(0, shape.Values.Length).Where(i => shape.At(i).Power != 0)];
        if (batch.Length > 1 || batch.Length == 1 && shape.At(batch[0]) != SymbolicSize.Batch)
            throw new UnsupportedException("it makes numbers of sizes that depend on the rows of the batch");
        return ([.. shape.Values.Select((v, i) => batch.Contains(i) ? 1 : (int)Math.Clamp(v, int.MinValue, int.MaxValue))], batch.FirstOrDefault(-1));
    }

    /// <summary>The upper or lower triangle of matrices, zero elsewhere.</summary>
    private static Folded Triangle(Operation o)
    {
        var (x, upper, k) = (o.RequiredConstant(0), o.Flag("upper", true), o.Constant(1)?.Scalar ?? 0);
        if (x.Rank < 2 || x.Powers is not null)
            throw new UnsupportedException($"it takes a triangle of {x.Text()}");
        var (rows, columns) = (x.Shape[^2], x.Shape[^1]);
        return new(x.Type, x.Shape, [.. x.Values.Select((v, i) => i % columns - i / columns % rows is var d && (upper ? d >= k : d <= k) ? v : 0)]);
    }

    private static Folded Range(Operation o)
    {
        var (start, limit, step) = (o.RequiredConstant(0).Scalar, o.RequiredConstant(1).Scalar, o.RequiredConstant(2).Scalar);
        var count = Math.Max(0, Math.Ceiling((limit - start) / step));
        if (!(count <= int.MaxValue))
            throw new UnsupportedException($"it makes {count} known numbers");
        return new(o.RequiredConstant(0).Type, [(int)count], [.. Enumerable.Range(0, Bounded(o, [(int)count])).Select(i => start + i * step)]);
    }

    private static Folded Reduce(Operation o, Func<double, double, double> function)
    {
        var x = o.RequiredConstant(0);
        if (x.Powers is not null)
            throw new UnsupportedException("it computes with the rows of the batch");
        int[] axes = [.. (o.IntegersOrInput("axes", 1) ?? Enumerable.Range(0, x.Rank)).Select(a => Operation.Axis(a, x.Rank)).Distinct().Order()];
        var last = x.Transposed([.. Enumerable.Range(0, x.Rank).Except(axes), .. axes]);
        int[] shape = [.. x.Shape.Select((s, a) => axes.Contains(a) ? 1 : s)];
        var block = OnnxTensor.Product([.. axes.Select(a => x.Shape[a])]);
        if (block == 0)
            throw new UnsupportedException("it reduces nothing");
        var result = new Folded(x.Type, shape, [.. last.Values.Chunk(block).Select(c => c.Aggregate(function))]);
        return o.Flag("keepdims", true) ? result : result.As(Kept(result, axes));
    }
}
