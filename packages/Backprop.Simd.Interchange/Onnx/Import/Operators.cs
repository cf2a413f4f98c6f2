using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Interchange;

/// <summary>How ONNX's operators become layers: one row each. A row takes the inputs as they lie and asks <see cref="Views"/> for the order that its
/// layer needs; what the library does not do is refused by <see cref="UnsupportedException"/>.</summary>
internal static partial class Operators
{
    private delegate ImportValue[] Rule(Operation o);

    private static readonly Dictionary<string, Rule> _rules = new()
    {
        // Element by element.
        ["Add"] = o => Combine(o, (x, y) => x + y, (x, c) => c == 0 ? x : x + c),
        ["Sub"] = o => Combine(o, (x, y) => x - y, (x, c) => c == 0 ? x : x - c, (c, x) => c - x),
        ["Sum"] = o => Combine(o, (x, y) => x + y, (x, c) => c == 0 ? x : x + c),
        ["Mul"] = o => Combine(o, (x, y) => x * y, (x, c) => c == 1 ? x : x * c),
        ["Div"] = o => Combine(o, (x, y) => x / y, (x, c) => c == 1 ? x : x / c, (c, x) => c / x),
        ["Max"] = o => Combine(o, Node.Maximum),
        ["Min"] = o => Combine(o, Node.Minimum),
        ["Mean"] = Mean,
        ["Pow"] = o => Combine(o, (x, y) => x.Pow(y), (x, c) => x.Pow(c)),
        ["PRelu"] = PRelu,
        ["Where"] = Where,
        ["Not"] = o => Map(o, x => 1 - x),
        ["Neg"] = o => Map(o, x => -x),
        ["Exp"] = o => Map(o, x => x.Exponential()),
        ["Reciprocal"] = o => Map(o, x => x.Reciprocal()),
        ["Log"] = o => Map(o, x => x.Log()),
        ["Sqrt"] = o => Map(o, x => x.Sqrt()),
        ["Abs"] = o => Map(o, x => x.Abs()),
        ["Sin"] = o => Map(o, x => x.Sin()),
        ["Cos"] = o => Map(o, x => x.Cos()),
        ["Tan"] = o => Map(o, x => x.Sin() / x.Cos()),
        ["Sinh"] = o => Map(o, x => (x.Exponential() - (-x).Exponential()) * 0.5),
        ["Cosh"] = o => Map(o, x => (x.Exponential() + (-x).Exponential()) * 0.5),
        ["Erf"] = o => Map(o, x => x.Erf()),
        ["Floor"] = o => Map(o, x => x.Floor()),
        ["Ceil"] = o => Map(o, x => -(-x).Floor()),
        ["Clip"] = Clip,
        ["Cast"] = Cast,
        ["Identity"] = o => [o.Value(0)],
        ["Dropout"] = Dropout,

        // Activations.
        ["Relu"] = o => Map(o, x => x.Relu()),
        ["LeakyRelu"] = o => Map(o, x => x.LeakyRelu(o.Float("alpha", 0.01f))),
        ["Celu"] = o => Map(o, x => x.Celu(o.Float("alpha", 1))),
        ["ThresholdedRelu"] = o => Map(o, x => x.ThresholdedRelu(o.Float("alpha", 1))),
        ["Elu"] = o => Map(o, x => x.Elu(o.Float("alpha", 1))),
        ["Selu"] = Selu,
        ["Gelu"] = o => o.Text("approximate", "none") == "tanh" ? Map(o, x => x.GeluTanh()) : Map(o, x => x.Gelu()),
        ["Silu"] = o => Map(o, x => x.Silu()),
        ["Mish"] = o => Map(o, x => x.Mish()),
        ["Sigmoid"] = o => Map(o, x => x.Sigmoid()),
        ["Tanh"] = o => Map(o, x => x.Tanh()),
        ["HardSigmoid"] = HardSigmoid,
        ["HardSwish"] = o => Map(o, x => x.HardSwish()),
        ["Softplus"] = o => Map(o, x => x.Softplus()),
        ["Softsign"] = o => Map(o, x => x.Softsign()),
        ["Softmax"] = o => AlongLast(o, x => x.Softmax()),
        ["LogSoftmax"] = o => AlongLast(o, x => x.LogSoftmax()),

        // Products.
        ["MatMul"] = MatrixProduct,
        ["Gemm"] = Gemm,

        // Images.
        ["Conv"] = Convolution,
        ["ConvTranspose"] = ConvolutionTranspose,
        ["MaxPool"] = MaxPooling,
        ["AveragePool"] = AveragePooling,
        ["GlobalMaxPool"] = o => GlobalPooling(o, isMax: true),
        ["GlobalAveragePool"] = o => GlobalPooling(o, isMax: false),
        ["DepthToSpace"] = o => Pixels(o, (x, size) => x.PixelShuffle(size, blocksFirst: o.Text("mode", "DCR") == "DCR")),
        ["SpaceToDepth"] = o => Pixels(o, (x, size) => x.PixelUnshuffle(size, blocksFirst: true)),
        ["Resize"] = Resize,
        ["Upsample"] = Upsample,

        // Normalization.
        ["BatchNormalization"] = BatchNormalization,
        ["InstanceNormalization"] = InstanceNormalization,
        ["GroupNormalization"] = GroupNormalization,
        ["LayerNormalization"] = LayerNormalization,

        // Shapes.
        ["Shape"] = SizesOf,
        ["Size"] = o => [Folded.OfSizes(o.Input(0).Sizes().Aggregate(new SymbolicSize(1), (a, b) => a * b)).As()],
        ["Flatten"] = Flatten,
        ["Reshape"] = Reshape,
        ["Squeeze"] = Squeeze,
        ["Unsqueeze"] = Unsqueeze,
        ["Transpose"] = Transpose,
        ["Concat"] = Concatenate,
        ["Split"] = Split,
        ["Slice"] = Slice,
        ["Gather"] = Gather,
        ["GatherElements"] = GatherElements,
        ["Pad"] = Pad,
        ["Tile"] = Tile,
        ["Expand"] = Expand,

        // Along dimensions.
        ["CumSum"] = CumulativeSum,
        ["TopK"] = TopK,
        ["ArgMax"] = o => ArgMax(o, x => x),
        ["ArgMin"] = o => ArgMax(o, x => -x),
        ["ReduceSum"] = o => Reduce(o, (x, axes) => x.Sum(true, axes)),
        ["ReduceMean"] = o => Reduce(o, (x, axes) => x.Mean(true, axes)),
        ["ReduceMax"] = o => Reduce(o, (x, axes) => x.Max(true, axes)),
        ["ReduceMin"] = o => Reduce(o, (x, axes) => x.Min(true, axes)),
        ["ReduceL1"] = o => Reduce(o, (x, axes) => x.Abs().Sum(true, axes)),
        ["ReduceL2"] = o => Reduce(o, (x, axes) => x.Norm(true, axes)),
        ["ReduceSumSquare"] = o => Reduce(o, (x, axes) => (x * x).Sum(true, axes)),
        ["ReduceLogSum"] = o => Reduce(o, (x, axes) => x.Sum(true, axes).Log()),
        ["ReduceLogSumExp"] = o => Reduce(o, (x, axes) => x.LogSumExp(true, axes)),

        // Sequences.
        ["RNN"] = Rnn,
        ["LSTM"] = Lstm,
        ["GRU"] = Gru,
    };

    /// <summary>The operators that become layers.</summary>
    public static IEnumerable<string> Known => _rules.Keys;

    /// <summary>Whether an operator is known: with nodes, or of known numbers alone.</summary>
    public static bool Has(string name) => name == "Constant" || _rules.ContainsKey(name) || Folding.Has(name);

    /// <summary>Builds the layers of an operator.</summary>
    public static ImportValue[] Build(Operation o) => _rules.TryGetValue(o.Node.Operator, out var rule) ? rule(o)
        : throw new UnsupportedException("it is done with known numbers only; here they are computed");

    /// <summary>The numbers of a node that holds them.</summary>
    public static Folded Constant(Operation o)
    {
        if (o.Tensor("value") is { } tensor)
            return new(tensor.Type, tensor.Shape, tensor.Values) { Name = o.Node.Outputs[0] };
        if (o.Floats("value_floats") is { Count: > 0 } floats)
            return new(OnnxType.Float, [floats.Count], [.. floats.Select(f => (double)f)]);
        if (o.Integers("value_ints") is { Length: > 0 } integers)
            return new(OnnxType.Int64, [integers.Length], [.. integers.Select(i => (double)i)]);
        return o.Node.Attributes switch
        {
            [{ Name: "value_float", Float: { } number }] => new(OnnxType.Float, [], [number]),
            [{ Name: "value_int", Integer: { } number }] => new(OnnxType.Int64, [], [number]),
            _ => throw new UnsupportedException("it holds no tensor of numbers"),
        };
    }

    private static ImportValue[] Map(Operation o, Func<Node, Node> function)
    {
        var x = o.Value(0);
        return [x.With(function(x.Node))];
    }

    /// <summary>f(f(x0, x1), x2)..., broadcast. One known number is a setting of the layer; more become a parameter that lies as the node does.</summary>
    private static ImportValue[] Combine(Operation o, Func<Node, Node, Node> function, Func<Node, double, Node>? scalar = null,
        Func<double, Node, Node>? scalarFirst = null)
    {
        o.Ignore("broadcast", "axis"); // of versions before 7, whose inputs say the same
        var result = o.Input(0);
        for (var i = 1; i < o.InputCount; i++)
            result = Combine(o, result, o.Input(i), function, scalar, scalarFirst ?? (o.Node.Operator is "Add" or "Mul" or "Sum" && scalar is not null
                ? (c, x) => scalar(x, c) : null));
        return [result];
    }

    private static NodeValue Combine(Operation o, ImportValue first, ImportValue second, Func<Node, Node, Node> function, Func<Node, double, Node>? scalar,
        Func<double, Node, Node>? scalarFirst)
    {
        if (first is NodeValue x && second is Folded { Values: [var number], Powers: null, BatchAxis: < 0 } c && c.Rank <= x.Rank && scalar is not null)
            return x.With(scalar(x.Node, number));
        if (second is NodeValue y && first is Folded { Values: [var before], Powers: null, BatchAxis: < 0 } d && d.Rank <= y.Rank && scalarFirst is not null)
            return y.With(scalarFirst(before, y.Node));
        if (first is NodeValue left && second is Folded numbers && IsOfRows(numbers, left) && Views.Placed(left, numbers) is var (value, placed))
            return value.With(function(value.Node, o.Importer.Parameter(placed).Node));
        if (second is NodeValue right && first is Folded others && IsOfRows(others, right) && Views.Placed(right, others) is var (large, small))
            return large.With(function(o.Importer.Parameter(small).Node, large.Node));
        var (nodes, axes) = Views.Aligned(o.Importer.ValueOf(first), o.Importer.ValueOf(second));
        return new(function(nodes[0], nodes[1]), axes);
    }

    /// <summary>Whether numbers are not repeated for the rows of the batch, or for those that the value has.</summary>
    private static bool IsOfRows(Folded numbers, NodeValue value) => numbers.BatchAxis < 0 || numbers.BatchAxis - numbers.Rank == value.BatchAxis - value.Rank;

    private static ImportValue[] Mean(Operation o)
    {
        var sum = Combine(o, (x, y) => x + y)[0] as NodeValue ?? o.Value(0);
        return [sum.With(sum.Node * (1.0 / o.InputCount))];
    }

    /// <summary>A mask that is known is no parameter that is trained.</summary>
    private static ImportValue[] Where(Operation o)
    {
        var mask = o.Input(0) is Folded { BatchAxis: < 0 } known
            ? o.Importer.Parameter(new(OnnxType.Float, known.Shape, known.Values, known.Powers), frozen: true) : o.Value(0);
        var (nodes, axes) = Views.Aligned(mask, o.Value(1), o.Value(2));
        return [new NodeValue(Node.Where(nodes[0], nodes[1], nodes[2]), axes)];
    }

    /// <summary>Slopes: one, one for each element of a dimension, or any that broadcast.</summary>
    private static ImportValue[] PRelu(Operation o)
    {
        var x = o.Value(0);
        var slope = o.RequiredConstant(1);
        var places = Enumerable.Range(0, slope.Rank).Where(d => slope.Shape[d] != 1).ToArray();
        if (slope.Rank <= x.Rank && places.Length < 2 && slope.Values.Length > 0)
        {
            var axis = places.Length == 0 ? -1 : places[0] + x.Rank - slope.Rank;
            if (axis >= 0 && x.SizeOf(axis) != new SymbolicSize(slope.Values.Length))
                throw new UnsupportedException($"it has the slopes {slope.Text()} for {x.Text()}");
            var value = axis < 0 ? x : Views.Last(x, axis);
            var node = value.Node.PRelu(perChannel: axis >= 0);
            o.Importer.Set(node, "slope", slope.Values);
            return [value.With(node)];
        }

        // max(x, 0) + slope min(x, 0)
        var negative = Combine(o, x.With(-(-x.Node).Relu()), slope, (a, b) => a * b, null, null);
        var (nodes, axes) = Views.Aligned(x.With(x.Node.Relu()), negative);
        return [new NodeValue(nodes[0] + nodes[1], axes)];
    }

    /// <summary>Bounds are attributes before version 11, then inputs.</summary>
    private static ImportValue[] Clip(Operation o)
    {
        var low = o.Constant(1)?.Scalar ?? o.Float("min", double.NegativeInfinity);
        var high = o.Constant(2)?.Scalar ?? o.Float("max", double.PositiveInfinity);
        return Map(o, x => low == 0 && double.IsPositiveInfinity(high) ? x.Relu() : low == 0 && high == 6 ? x.Relu6() : x.Clip(low, high));
    }

    private static ImportValue[] Cast(Operation o)
    {
        o.Ignore("saturate");
        var to = (OnnxType)o.RequiredInteger("to");
        var x = o.Value(0);
        var isIndex = x.Node.Type.Kind == EdgeKind.Indices;
        return (isIndex ? to is OnnxType.Int32 or OnnxType.Int64 : to is OnnxType.Float or OnnxType.Double or OnnxType.Half or OnnxType.BFloat16) ? [x]
            : throw new UnsupportedException($"it makes {to} of {(isIndex ? "indices" : "values")}");
    }

    /// <summary>In a model that was made for training it drops where the network trains; else it does nothing.</summary>
    private static ImportValue[] Dropout(Operation o)
    {
        o.Ignore("seed", "is_test");
        var ratio = o.Constant(1)?.Scalar ?? o.Float("ratio", 0.5f);
        var x = o.Value(0);
        return [o.Constant(2)?.Scalar is not (null or 0) && ratio is > 0 and < 1 ? x.With(x.Node.Dropout(ratio)) : x];
    }

    private static ImportValue[] Selu(Operation o)
    {
        const double Alpha = 1.67326319f, Gamma = 1.05070102f;
        double alpha = o.Float("alpha", Alpha), gamma = o.Float("gamma", Gamma);
        return GraphShape.IsAbout(alpha, Alpha) && GraphShape.IsAbout(gamma, Gamma) ? Map(o, x => x.Selu()) : Map(o, x => x.Elu(alpha) * gamma);
    }

    /// <summary>clip(alpha x + beta, 0, 1): the hard sigmoid of 6 alpha x where beta is 1/2.</summary>
    private static ImportValue[] HardSigmoid(Operation o)
    {
        double alpha = o.Float("alpha", 0.2f), beta = o.Float("beta", 0.5f);
        return Map(o, x => beta != 0.5 ? (x * alpha + beta).Clip(0, 1) : GraphShape.IsAbout(alpha, 1 / 6.0) ? x.HardSigmoid()
            : (x * (6 * alpha)).HardSigmoid());
    }

    /// <summary>Along any dimension; before version 13, along all dimensions from one on.</summary>
    private static ImportValue[] AlongLast(Operation o, Func<Node, Node> function)
    {
        var x = o.Value(0);
        if (x.Rank == 0)
            throw new UnsupportedException("it has no dimension");
        var axis = Operation.Axis(o.Integer("axis", o.Opset < 13 ? 1 : -1), x.Rank);
        var behind = Enumerable.Range(axis + 1, x.Rank - axis - 1).All(a => x.SizeOf(a) == new SymbolicSize(1));
        if (o.Opset >= 13 || behind)
        {
            var last = Views.Last(x, axis);
            return [last.With(function(last.Node))];
        }

        var sizes = x.Sizes();
        SymbolicSize[] flat = [.. sizes[..axis], sizes[axis..].Aggregate((a, b) => a * b)];
        var rows = Views.Last(Views.Reshaped(x, flat), axis);
        return [Views.Reshaped(rows.With(function(rows.Node)), sizes)];
    }
}
