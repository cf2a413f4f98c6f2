using Backprop.Simd.Activations;
using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>
/// How ONNX's operators are written with the library: one row per operator. A row builds the layers, brings the numbers into the
/// library's order (channels last, weights [in, out]) and the results back, and says by <see cref="LeftOutException"/> what the
/// library does not do. An output is null where the library does not give it.
/// </summary>
/// <remarks>An operator that the library gets a layer for gets its row here; until then its cases count as those of an operator
/// that the library does not have.</remarks>
internal static partial class OnnxOperators
{
    public delegate OnnxTensor?[] Mapping(OnnxCase c);

    public static IReadOnlyDictionary<string, Mapping> All { get; } = new Dictionary<string, Mapping>
    {
        // Arithmetic.
        ["Add"] = c => Fold(c, (x, y) => x + y),
        ["Sub"] = c => Fold(c, (x, y) => x - y),
        ["Sum"] = c => Fold(c, (x, y) => x + y),
        ["Mul"] = c => Fold(c, (x, y) => x * y),
        ["Div"] = c => Fold(c, (x, y) => x / y),
        ["Max"] = c => Fold(c, Node.Maximum),
        ["Min"] = c => Fold(c, Node.Minimum),
        ["Mean"] = c => Fold(c, (x, y) => x + y, x => x * (1.0 / c.InputCount)),
        ["Neg"] = c => Map(c, x => -x),
        ["Exp"] = c => Map(c, x => x.Exponential()),
        ["Reciprocal"] = c => Map(c, x => x.Reciprocal()),
        ["Log"] = c => Map(c, x => x.Log()),
        ["Sqrt"] = c => Map(c, x => x.Sqrt()),
        ["Abs"] = c => Map(c, x => x.Abs()),
        ["Sin"] = c => Map(c, x => x.Sin()),
        ["Cos"] = c => Map(c, x => x.Cos()),
        ["Erf"] = c => Map(c, x => x.Erf()),
        ["Tan"] = c => Map(c, x => x.Sin() / x.Cos()),
        ["Sinh"] = c => Map(c, x => (x.Exponential() - (-x).Exponential()) * 0.5),
        ["Cosh"] = c => Map(c, x => (x.Exponential() + (-x).Exponential()) * 0.5),
        ["Floor"] = c => Map(c, x => x.Floor()),
        ["Ceil"] = c => Map(c, x => -(-x).Floor()),
        ["Pow"] = c => Fold(c, (x, y) => x.Pow(y)),
        ["Clip"] = Clip,
        ["MatMul"] = MatMul,
        ["Gemm"] = Gemm,
        ["Gradient"] = Gradient,

        // Activations.
        ["Relu"] = c => Map(c, x => x.Relu()),
        ["LeakyRelu"] = c => Map(c, x => x.LeakyRelu(c.Float("alpha", 0.01f))),
        ["PRelu"] = PRelu,
        ["Celu"] = c => Map(c, x => x.Celu(c.Float("alpha", 1))),
        ["ThresholdedRelu"] = c => Map(c, x => x.ThresholdedRelu(c.Float("alpha", 1))),
        ["Elu"] = c => Map(c, x => x.Elu(c.Float("alpha", 1))),
        ["Selu"] = Selu,
        ["Gelu"] = c => c.Text("approximate", "none") == "tanh" ? Map(c, x => x.GeluTanh()) : Map(c, x => x.Gelu()),
        ["Mish"] = c => Map(c, x => x.Mish()),
        ["Sigmoid"] = c => Map(c, x => x.Sigmoid()),
        ["Tanh"] = c => Map(c, x => x.Tanh()),
        ["HardSigmoid"] = HardSigmoid,
        ["HardSwish"] = c => Map(c, x => x.HardSwish()),
        ["Softplus"] = c => Map(c, x => x.Softplus()),
        ["Softsign"] = c => Map(c, x => x.Softsign()),
        ["Softmax"] = c => Softmax(c, x => x.Softmax()),
        ["LogSoftmax"] = c => Softmax(c, x => x.LogSoftmax()),

        // Images.
        ["Conv"] = Convolution,
        ["ConvTranspose"] = ConvolutionTranspose,
        ["MaxPool"] = MaxPooling,
        ["AveragePool"] = AveragePooling,
        ["GlobalMaxPool"] = c => GlobalPooling(c, x => x.GlobalMaxPooling2D()),
        ["GlobalAveragePool"] = c => GlobalPooling(c, x => x.GlobalAveragePooling2D()),
        ["DepthToSpace"] = DepthToSpace,
        ["SpaceToDepth"] = SpaceToDepth,
        ["Resize"] = Resize,
        ["Upsample"] = Upsample,

        // Normalization.
        ["BatchNormalization"] = BatchNormalization,
        ["InstanceNormalization"] = InstanceNormalization,
        ["LayerNormalization"] = LayerNormalization,

        // Dropout, tables, shapes.
        ["Dropout"] = Dropout,
        ["Gather"] = Gather,
        ["Flatten"] = Flatten,
        ["Reshape"] = Reshape,
        ["Squeeze"] = Squeeze,
        ["Unsqueeze"] = Unsqueeze,
        ["Split"] = Split,
        ["Concat"] = Concatenate,
        ["Slice"] = Slice,
        ["Pad"] = Pad,
        ["Tile"] = Tile,
        ["Expand"] = Expand,
        ["Transpose"] = c => Shaped(c, x => x.Transpose(c.Integers("perm"))),
        ["ReverseSequence"] = ReverseSequence,
        ["GatherElements"] = GatherElements,
        ["GatherND"] = GatherNd,
        ["Scatter"] = ScatterElements,
        ["ScatterElements"] = ScatterElements,
        ["ScatterND"] = ScatterNd,
        ["Where"] = Where,

        // Along dimensions.
        ["CumSum"] = CumulativeSum,
        ["TopK"] = TopK,
        ["ArgMax"] = c => ArgMax(c, ofSmallest: false),
        ["ArgMin"] = c => ArgMax(c, ofSmallest: true),
        ["ReduceSum"] = c => Reduce(c, (x, keeps, axes) => x.Sum(keeps, axes)),
        ["ReduceMean"] = c => Reduce(c, (x, keeps, axes) => x.Mean(keeps, axes)),
        ["ReduceMax"] = c => Reduce(c, (x, keeps, axes) => x.Max(keeps, axes)),
        ["ReduceMin"] = c => Reduce(c, (x, keeps, axes) => x.Min(keeps, axes)),
        ["ReduceL1"] = c => Reduce(c, (x, keeps, axes) => x.Abs().Sum(keeps, axes)),
        ["ReduceL2"] = c => Reduce(c, (x, keeps, axes) => x.Norm(keeps, axes)),
        ["ReduceSumSquare"] = c => Reduce(c, (x, keeps, axes) => (x * x).Sum(keeps, axes)),
        ["ReduceLogSum"] = c => Reduce(c, (x, keeps, axes) => x.Sum(keeps, axes).Log()),
        ["ReduceLogSumExp"] = c => Reduce(c, (x, keeps, axes) => x.LogSumExp(keeps, axes)),

        // Sequences.
        ["RNN"] = Rnn,
        ["LSTM"] = Lstm,
        ["GRU"] = Gru,

        // Training.
        ["SoftmaxCrossEntropyLoss"] = c => Loss(c, isSoftmax: true),
        ["NegativeLogLikelihoodLoss"] = c => Loss(c, isSoftmax: false),
        ["Adagrad"] = Adagrad,
        ["Adam"] = Adam,
        ["Momentum"] = Momentum,
    };

    /// <summary>The rows of a tensor: dimension 0, or one row of a tensor without dimensions.</summary>
    private static int Rows(OnnxTensor x) => x.Rank == 0 ? 1 : x.Shape[0];

    /// <summary>The shape of a row; more dimensions than the library has are run together.</summary>
    private static int[] RowShape(OnnxTensor x) =>
        x.Rank == 0 ? [] : x.Rank - 1 > Shape.MaxRank ? [OnnxTensor.Product(x.Shape[1..])] : x.Shape[1..];

    private static OnnxTensor?[] Map(OnnxCase c, Func<Node, Node> function)
    {
        var x = c.Input(0);
        var network = new OperatorNetwork(x.Type, Rows(x));
        return [OnnxTensor.Of(x.Type, x.Shape, network.Run(function(network.Input(RowShape(x), x.Numbers)))[0])];
    }

    /// <summary>f(f(x0, x1), x2)..., broadcast.</summary>
    private static OnnxTensor?[] Fold(OnnxCase c, Func<Node, Node, Node> function, Func<Node, Node>? last = null)
    {
        c.Ignore("broadcast");
        c.Ignore("axis"); // of operator versions before 7, whose inputs say the same
        var x = c.Input(0);
        if (c.InputCount == 1)
            throw new LeftOutException("a single operand: nothing is computed");
        int[] result = [.. x.Shape];
        for (var i = 1; i < c.InputCount; i++)
        {
            var sizes = new int[Math.Max(result.Length, c.Input(i).Rank)];
            Backprop.Simd.Kernels.Broadcasting.Shape(result, c.Input(i).Shape, sizes);
            result = sizes;
        }

        // Shared inputs all, so that dimensions align as in the case; the batch of one row is not among them.
        var network = new OperatorNetwork(x.Type, 1);
        var node = network.Shared(x.Shape, x.Numbers);
        for (var i = 1; i < c.InputCount; i++)
            node = function(node, network.Shared(c.Input(i).Shape, c.Input(i).Numbers));
        return [OnnxTensor.Of(x.Type, result, network.Run(last is null ? node : last(node))[0])];
    }

    /// <summary>Bounds are attributes before version 11, then inputs.</summary>
    private static OnnxTensor?[] Clip(OnnxCase c)
    {
        double low = c.Float("min", float.NegativeInfinity), high = c.Float("max", float.PositiveInfinity);
        if (c.InputCount > 1 && c.Optional(1) is { } least)
            low = least.Numbers[0];
        if (c.InputCount > 2 && c.Optional(2) is { } most)
            high = most.Numbers[0];
        return Map(c, x => x.Clip(low, high));
    }

    /// <summary>Slopes of the last dimension, of channels (dimension 1), one for all, or one for each element.</summary>
    private static OnnxTensor?[] PRelu(OnnxCase c)
    {
        OnnxTensor x = c.Input(0), slope = c.Input(1);
        var own = slope.Shape.SequenceEqual(x.Shape);
        var last = slope.Size == 1 || slope.Rank == 1 && slope.Size == x.Shape[^1];
        if (!own && !last && slope.Size != x.Shape[1])
            throw new LeftOutException("operands of different shapes");
        var rows = own ? x.As(1, x.Size) : last ? x : x.ChannelsLast();
        var network = new OperatorNetwork(x.Type, Rows(rows));
        var node = network.Input(RowShape(rows), rows.Numbers).PRelu(perChannel: slope.Size > 1);
        network.Parameter(node, "slope", slope.Numbers);
        var y = OnnxTensor.Of(x.Type, rows.Shape, network.Run(node)[0]);
        return [own ? y.As(x.Shape) : last ? y : y.ChannelsFirst()];
    }

    private static OnnxTensor?[] Selu(OnnxCase c)
    {
        const float Alpha = 1.67326319f, Gamma = 1.05070102f;
        if (c.Float("alpha", Alpha) != Alpha || c.Float("gamma", Gamma) != Gamma)
            throw new LeftOutException("selu with other constants than its own");
        return Map(c, x => x.Selu());
    }

    private static OnnxTensor?[] HardSigmoid(OnnxCase c)
    {
        // clip(alpha x + 1/2) is that of slope 1/6 at 6 alpha x.
        if (c.Float("beta", 0.5f) != 0.5f)
            throw new LeftOutException("hard sigmoid that is not 1/2 at 0");
        return Map(c, x => (x * (6 * c.Float("alpha", 0.2f))).Activation(new HardSigmoid()));
    }

    /// <summary>Along any dimension, which is moved to the end; before version 13, over all dimensions from one on.</summary>
    private static OnnxTensor?[] Softmax(OnnxCase c, Func<Node, Node> function)
    {
        var x = c.Input(0);
        var axis = c.Integer("axis", c.Model.Opset < 13 ? 1 : -1);
        axis += axis < 0 ? x.Rank : 0;
        var rows = c.Model.Opset < 13 ? x.As(OnnxTensor.Product(x.Shape[..axis]), OnnxTensor.Product(x.Shape[axis..])) : x.Moved(axis, x.Rank - 1);
        var network = new OperatorNetwork(x.Type, rows.Rank == 1 ? 1 : Rows(rows));
        var y = network.Run(function(network.Input(rows.Rank == 1 ? rows.Shape : RowShape(rows), rows.Numbers)))[0];
        return [c.Model.Opset < 13 ? OnnxTensor.Of(x.Type, x.Shape, y) : OnnxTensor.Of(x.Type, rows.Shape, y).Moved(x.Rank - 1, axis)];
    }

    /// <summary>alpha A B + beta C: the kernel on transposed views; where it is x W + b, an affine layer.</summary>
    private static OnnxTensor?[] Gemm(OnnxCase c)
    {
        c.Ignore("broadcast");
        OnnxTensor a = c.Input(0), b = c.Input(1);
        bool ta = c.Integer("transA", 0) == 1, tb = c.Integer("transB", 0) == 1;
        var (alpha, beta) = (c.Float("alpha", 1), c.Float("beta", 1));
        var bias = c.Optional(2);
        var (m, n) = (a.Shape[ta ? 1 : 0], b.Shape[tb ? 0 : 1]);
        if (!ta && alpha == 1 && beta == 1 && (bias is null || bias.Size == n))
        {
            var weights = tb ? b.Transposed(1, 0) : b;
            var network = new OperatorNetwork(a.Type, m);
            var node = network.Input(RowShape(a), a.Numbers).Affine(n, bias: bias is not null);
            network.Parameter(node, "weight", weights.Numbers);
            if (bias is not null)
                network.Parameter(node, "bias", bias.Numbers);
            return [OnnxTensor.Of(a.Type, [m, n], network.Run(node)[0])];
        }

        var result = new float[m * n];
        for (var i = 0; bias is not null && i < result.Length; i++)
            result[i] = (float)bias.Numbers[bias.Size == 1 ? 0 : bias.Size == n ? i % n : i];
        var left = new ReadOnlyMatrix<float>(Floats(a), a.Shape[0], a.Shape[1]);
        var right = new ReadOnlyMatrix<float>(Floats(b), b.Shape[0], b.Shape[1]);
        Simd.Kernels.Gemm.Multiply(alpha, ta ? left.Transposed : left, tb ? right.Transposed : right, bias is null ? 0 : beta, new Matrix<float>(result, m, n));
        return [OnnxTensor.Of(a.Type, [m, n], [.. result.Select(v => (double)v)])];
    }

    /// <summary>A graph of sums and products and its gradients by the inputs.</summary>
    private static OnnxTensor?[] Gradient(OnnxCase c)
    {
        var names = c.Texts("xs");
        var x = c.Value(names[0]);
        var network = new OperatorNetwork(x.Type, Rows(x));
        var nodes = names.ToDictionary(n => n, n => network.Input(RowShape(x), c.Value(n).Numbers));
        foreach (var node in c.Model.Nodes.SkipLast(1))
        {
            var (left, right) = (nodes[node.Inputs[0]], nodes[node.Inputs[1]]);
            nodes[node.Outputs[0]] = node.Operator switch
            {
                "Add" => left + right,
                "Mul" => left * right,
                _ => throw new LeftOutException("a gradient of further operators"),
            };
        }

        var output = nodes[c.Text("y", "")];
        var results = c.Node.Outputs.Zip(network.Gradients(output, _ => 1)).ToDictionary(r => r.First, r => r.Second);
        results[c.Text("y", "")] = network.Run(output)[0];
        return [.. c.OutputNames.Select(o => OnnxTensor.Of(x.Type, x.Shape, results[o]))];
    }

    private static float[] Floats(OnnxTensor x) => [.. x.Numbers.Select(v => (float)v)];
}
