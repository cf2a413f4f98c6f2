using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <content>Products of matrices, normalization, and reductions.</content>
internal static partial class Operators
{
    private static ImportValue[] MatrixProduct(Operation o)
    {
        if (o.Input(0) is NodeValue { Rank: > 0 } x && o.Input(1) is Folded { Rank: 2, IsFloat: true, BatchAxis: < 0 } w)
            return [Affine(o, x, w, o.Importer.TakeBias(o, w.Shape[1], x.Rank, behind: 0))];
        var (a, b) = (o.Value(0), o.Value(1));
        bool isRow = a.Rank == 1, isColumn = b.Rank == 1;
        if (isRow)
            a = new(a.Node, [[], .. a.Axes]);
        if (isColumn)
            b = new(b.Node, [.. b.Axes, []]);
        if (a.Rank < 2 || b.Rank < 2)
            throw new UnsupportedException("it multiplies single numbers");
        var rank = Math.Max(a.Rank, b.Rank);
        a = new(a.Node, [.. Enumerable.Repeat(Array.Empty<int>(), rank - a.Rank), .. a.Axes]);
        b = new(b.Node, [.. Enumerable.Repeat(Array.Empty<int>(), rank - b.Rank), .. b.Axes]);
        var merged = MergedBatch.Of(a) ?? MergedBatch.Of(b);
        if (merged?.Axis >= rank - 2)
            throw new UnsupportedException($"it multiplies along the rows of the batch: {a.Text()} and {b.Text()}");
        var product = merged is null ? Product(a, b) : merged.Join(Product(merged.Split(a), merged.Split(b)));
        return [new NodeValue(product.Node, [.. product.Axes.Where((_, d) => !(isRow && d == rank - 2) && !(isColumn && d == rank - 1))])];
    }

    /// <summary>The products of two values of the same number of dimensions.</summary>
    private static NodeValue Product(NodeValue a, NodeValue b)
    {
        var rank = a.Rank;
        var batch = Math.Max(a.BatchAxis, b.BatchAxis);
        if (batch >= rank - 2)
            throw new UnsupportedException($"it multiplies along the rows of the batch: {a.Text()} and {b.Text()}");
        int[] order = [.. Enumerable.Range(0, rank).Where(d => d != batch)];

        // Dimensions of 1 in front are none.
        var outer = order.Length - 2;
        var skipped = Enumerable.Range(0, outer).TakeWhile(d => a.SizeOf(order[d]) == new SymbolicSize(1) && b.SizeOf(order[d]) == new SymbolicSize(1)).Count();
        var node = Node.MatrixProduct(Views.Rows(a, order.AsSpan(skipped)), Views.Rows(b, order.AsSpan(skipped)));
        var places = order.Select((axis, d) => (axis, d)).ToDictionary(p => p.axis, p => p.d - skipped + 1);
        return new(node, [.. Enumerable.Range(0, rank).Select(d => d == batch ? Views.Of(0) : places[d] < 1 ? [] : Views.Of(places[d]))]);
    }

    /// <summary>alpha A B + beta C, with A a node and B known: an affine layer.</summary>
    private static ImportValue[] Gemm(Operation o)
    {
        o.Ignore("broadcast");
        bool ta = o.Flag("transA"), tb = o.Flag("transB");
        var (alpha, beta) = (o.Float("alpha", 1), o.Float("beta", 1));
        if (o.Input(0) is NodeValue { Rank: 2 } x && !ta && o.Input(1) is Folded { Rank: 2, IsFloat: true, BatchAxis: < 0 } weights)
        {
            var w = tb ? weights.Transposed(1, 0) : weights;
            var c = o.HasInput(2) && o.Input(2) is Folded { BatchAxis: < 0 } known ? known : null;
            var isBias = c is not null && c.Rank < 3 && (c.Values.Length == 1 || c.Values.Length == w.Shape[1] && c.Shape[^1] == w.Shape[1]);
            double[]? bias = !isBias ? null : c!.Values.Length == 1 ? [.. Enumerable.Repeat(c.Values[0] * beta, w.Shape[1])]
                : [.. c.Values.Select(v => v * beta)];
            var product = Affine(o, x, Times(w, alpha), bias ?? (o.HasInput(2) ? null : o.Importer.TakeBias(o, w.Shape[1], 2, behind: 0)));
            return [isBias || !o.HasInput(2) ? product : Sum(product, o.Input(2))];
        }

        var (a, b) = (o.Value(0), o.Value(1));
        if (a.Rank != 2 || b.Rank != 2)
            throw new UnsupportedException($"it multiplies {a.Text()} and {b.Text()}");
        a = ta ? new(a.Node, [a.Axes[1], a.Axes[0]]) : a;
        b = tb ? new(b.Node, [b.Axes[1], b.Axes[0]]) : b;
        if (a.BatchAxis >= 0 || b.BatchAxis >= 0)
        {
            // Rows of the batch times a matrix that all share.
            if (a.BatchAxis != 0 || b.BatchAxis >= 0)
                throw new UnsupportedException($"it multiplies along the rows of the batch: {a.Text()} and {b.Text()}");
            var row = Views.Rows(new(a.Node, [a.Axes[0], [], a.Axes[1]]), 1, 2);
            var rows = Node.MatrixProduct(row, Views.Rows(b, 0, 1));
            return [Sum(Scaled(new(rows, [[0], [2]])), o.HasInput(2) ? o.Input(2) : null)];
        }

        return [Sum(Scaled(new(Node.MatrixProduct(Views.Rows(a, 0, 1), Views.Rows(b, 0, 1)), [[1], [2]])), o.HasInput(2) ? o.Input(2) : null)];

        NodeValue Scaled(NodeValue value) => alpha == 1 ? value : value.With(value.Node * alpha);

        NodeValue Sum(NodeValue product, ImportValue? c) => c is null ? product : Combine(o, product,
            c is Folded { BatchAxis: < 0 } numbers ? Times(numbers, beta) : o.Importer.ValueOf(c) is var value && beta == 1 ? value
                : value.With(value.Node * beta),
            (l, r) => l + r, (l, r) => l + r, null);
    }

    private static Folded Times(Folded x, double factor) => factor == 1 ? x : new(x.Type, x.Shape, [.. x.Values.Select(v => v * factor)]);

    /// <summary>x W + b over the last dimension.</summary>
    private static NodeValue Affine(Operation o, NodeValue x, Folded weights, double[]? bias)
    {
        if (x.SizeOf(x.Rank - 1) != new SymbolicSize(weights.Shape[0]))
            throw new UnsupportedException($"it multiplies {x.Text()} and {weights.Text()}");
        var (value, order) = Views.LastForWeights(x, x.Rank - 1);
        if (order is not null)
        {
            var columns = weights.Shape[1];
            weights = weights.Pick([.. order.SelectMany(k => Enumerable.Range(k * columns, columns))], weights.Shape);
        }

        var node = value.Node.Affine(weights.Shape[1], bias: bias is not null, perPosition: value.Node.Type.Shape.Rank > 2);
        o.Importer.Set(node, "weight", weights.Values);
        if (bias is not null)
            o.Importer.Set(node, "bias", bias);
        return value.With(node);
    }

    /// <summary>ONNX's momentum is the share of the old statistics, ours that of the new.</summary>
    private static ImportValue[] BatchNormalization(Operation o)
    {
        o.Ignore("is_test", "training_mode", "spatial");
        var x = o.Value(0);
        Folded scale = o.RequiredConstant(1), bias = o.RequiredConstant(2), mean = o.RequiredConstant(3), variance = o.RequiredConstant(4);
        var (epsilon, momentum) = (o.Float("epsilon", 1e-5f), 1 - o.Float("momentum", 0.9f));
        if (x.Rank < 2)
            throw new UnsupportedException($"it normalizes {x.Text()}");
        RequireChannels(x, 1, scale, bias, mean, variance);
        var last = Views.Last(x, 1);
        var node = last.Node.BatchNormalization(momentum is >= 0 and <= 1 ? momentum : 0.1, epsilon);
        o.Importer.Set(node, "weight", scale.Values);
        o.Importer.Set(node, "bias", bias.Values);
        o.Importer.Set(node, "runningMean", mean.Values);
        o.Importer.Set(node, "runningVariance", variance.Values);
        return [last.With(node)];
    }

    private static void RequireChannels(NodeValue x, int axis, params ReadOnlySpan<Folded> numbers)
    {
        foreach (var n in numbers)
        {
            if (new SymbolicSize(n.Values.Length) != x.SizeOf(axis))
                throw new UnsupportedException($"it has {n.Text()} for dimension {axis} of {x.Text()}");
        }
    }

    private static ImportValue[] InstanceNormalization(Operation o)
    {
        var x = o.Value(0);
        RequireImages(x);
        RequireChannels(x, 1, o.RequiredConstant(1), o.RequiredConstant(2));
        return [Grouped(o, x, o.RequiredConstant(1).Values.Length, o.RequiredConstant(1).Values, o.RequiredConstant(2).Values)];
    }

    /// <summary>Scale and bias are for each group up to version 20, for each channel from 21 on.</summary>
    private static ImportValue[] GroupNormalization(Operation o)
    {
        o.Ignore("stash_type");
        var x = o.Value(0);
        var groups = o.RequiredInteger("num_groups");
        RequireImages(x);
        var channels = x.SizeOf(1) is { Power: 0 } size ? (int)size.Value : throw new UnsupportedException($"it normalizes {x.Text()}");
        if (groups < 1 || channels % groups != 0)
            throw new UnsupportedException($"it has {groups} groups of {channels} channels");
        double[] scale = o.RequiredConstant(1).Values, bias = o.RequiredConstant(2).Values;
        return [Grouped(o, x, groups, Spread(scale), Spread(bias))];

        double[] Spread(double[] numbers) => numbers.Length == channels ? numbers
            : numbers.Length == groups ? [.. numbers.SelectMany(v => Enumerable.Repeat(v, channels / groups))]
            : throw new UnsupportedException($"it has {numbers.Length} numbers for {groups} groups");
    }

    /// <summary>What is normalized row by row: dimension 0 is the batch, or 1.</summary>
    private static void RequireImages(NodeValue x)
    {
        if (x.Rank < 3 || x.Axes[0] is not [0] && (x.BatchAxis >= 0 || x.SizeOf(0) != new SymbolicSize(1)))
            throw new UnsupportedException($"it normalizes {x.Text()}, of which dimension 0 is not the batch");
    }

    private static NodeValue Grouped(Operation o, NodeValue x, int groups, double[] scale, double[] bias)
    {
        var last = Views.Last(x, 1);
        var node = last.Node.GroupNormalization(groups, o.Float("epsilon", 1e-5f));
        o.Importer.Set(node, "weight", scale);
        o.Importer.Set(node, "bias", bias);
        return last.With(node);
    }

    /// <summary>Over the dimensions from one on; the mean and the inverse deviation are not given.</summary>
    private static ImportValue[] LayerNormalization(Operation o)
    {
        o.Ignore("stash_type");
        var x = o.Value(0);
        var axis = Operation.Axis(o.Integer("axis", -1), x.Rank);
        if (axis <= x.BatchAxis)
            throw new UnsupportedException("it normalizes over the rows of the batch");

        // The dimensions that are normalized lie last, in their order.
        var value = axis == x.Rank - 1 ? Views.Last(x, axis) : Views.InOrder(x);
        int dimensions = x.Rank - axis, normalized = x.Sizes()[axis..].Aggregate(1, (product, s) => product * (int)s.Value);
        var (weight, bias) = (o.Constant(1), o.Constant(2));
        if ((weight?.Values.Length ?? normalized) != normalized || bias is not null && (weight is null || bias.Values.Length != normalized))
            throw new UnsupportedException($"it has {weight?.Text()} and {bias?.Text()} for {x.Text()} from dimension {axis} on");
        var node = value.Node.LayerNormalization(dimensions, o.Float("epsilon", 1e-5f), affine: weight is not null, bias: bias is not null);
        if (weight is not null)
            o.Importer.Set(node, "weight", weight.Values);
        if (bias is not null)
            o.Importer.Set(node, "bias", bias.Values);
        return [value.With(node)];
    }

    /// <summary>Over any dimensions but the batch. The dimensions go; where they are kept, they are 1.</summary>
    private static ImportValue[] Reduce(Operation o, Func<Node, int[], Node> function)
    {
        var x = o.Value(0);
        var keeps = o.Flag("keepdims", true);
        var given = o.IntegersOrInput("axes", 1);
        if (o.Flag("noop_with_empty_axes") && given is null or [])
            return [x];
        int[] axes = [.. (given is null or [] ? Enumerable.Range(0, x.Rank) : given).Select(a => Operation.Axis(a, x.Rank)).Distinct()];
        int[] physical = [.. axes.SelectMany(a => x.Axes[a]).Order()];
        if (physical.Contains(0))
            throw new UnsupportedException("it reduces the rows of the batch");

        // A dimension of 1 is no dimension of the node: its one number is still reduced, where the function changes it.
        var value = physical.Length > 0 ? x : new(x.Node.Unsqueeze(0), [.. x.Axes.Select(a => Array.ConvertAll(a, p => p == 0 ? 0 : p + 1))]);
        var node = function(value.Node, physical.Length > 0 ? [.. physical.Select(p => p - 1)] : [0]);
        int[][] left = [.. value.Axes.Select((a, i) => axes.Contains(i) ? [] : a)];
        return [new NodeValue(node, keeps ? left : [.. left.Where((_, i) => !axes.Contains(i))])];
    }

    private static ImportValue[] CumulativeSum(Operation o)
    {
        var x = Views.Last(o.Value(0), Operation.Axis((int)o.RequiredConstant(1).Scalar, o.Value(0).Rank));
        return [x.With(x.Node.CumulativeSum(-1, o.Flag("exclusive"), o.Flag("reverse")))];
    }

    private static ImportValue[] TopK(Operation o)
    {
        o.Ignore("sorted");
        var x = o.Value(0);
        var axis = Operation.Axis(o.Integer("axis", -1), x.Rank);
        var last = Views.Last(x, axis);
        var count = o.HasInput(1) ? (int)o.RequiredConstant(1).Scalar : o.RequiredInteger("k");
        var results = o.Importer.Graph.ApplyAll(new TopK(count, -1, o.Flag("largest", true)), last.Node);
        return [last.With(results[0]), last.With(results[1])];
    }

    /// <summary>The first of equals; of the dimension turned around it is the last.</summary>
    private static ImportValue[] ArgMax(Operation o, Func<Node, Node> function)
    {
        var isLast = o.Flag("select_last_index");
        var x = o.Value(0);
        var axis = Operation.Axis(o.Integer("axis", 0), x.Rank);
        var last = Views.Last(x, axis);
        var shape = last.Node.Type.Shape;
        var node = function(isLast ? last.Node.Reverse(shape.Rank - 1) : last.Node).ArgMax(-1, keepDimensions: true);
        var result = new NodeValue(isLast ? shape.Last - 1 - node : node, [.. last.Axes.Select((a, i) => i == axis ? [shape.Rank] : a)]);
        return [o.Flag("keepdims", true) ? result : new NodeValue(result.Node, [.. result.Axes.Where((_, i) => i != axis)])];
    }
}
