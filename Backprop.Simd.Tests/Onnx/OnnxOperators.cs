using Backprop.Simd.Activations;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>
/// ONNX's operators by what the library computes them with: each returns the outputs of a case, null where an output is not
/// compared, or throws the reason why the case cannot be run. Images and channels are put last on the way in and first on the
/// way out.
/// </summary>
internal static partial class OnnxOperators
{
    public static IReadOnlyDictionary<string, Func<OnnxCase, OnnxTensor?[]>> All { get; } = new Dictionary<string, Func<OnnxCase, OnnxTensor?[]>>
    {
        ["Add"] = t => Binary(t, new Add()),
        ["Mul"] = t => Binary(t, new Multiply()),
        ["Max"] = t => t.Inputs.Length == 2 ? Binary(t, new Maximum()) : throw new LeftOutException("not two inputs"),
        ["Neg"] = t => Unary(t, new Negate()),
        ["Exp"] = t => Unary(t, new Exponential()),
        ["Reciprocal"] = t => Unary(t, new Reciprocal()),
        ["Sub"] = t => Composed(t, (x, y) => x - y),
        ["Div"] = t => Composed(t, (x, y) => x / y),
        ["Relu"] = t => Unary(t, new Activation<Relu>(default)),
        ["LeakyRelu"] = t => Unary(t, new Activation<LeakyRelu>(new(t.Node.Float("alpha", 0.01f)))),
        ["Elu"] = t => Unary(t, new Activation<Elu>(new(t.Node.Float("alpha", 1)))),
        ["Selu"] = Selu,
        ["Sigmoid"] = t => Unary(t, new Activation<Sigmoid>(default)),
        ["Tanh"] = t => Unary(t, new Activation<Tanh>(default)),
        ["HardSigmoid"] = HardSigmoid,
        ["HardSwish"] = t => Unary(t, new Activation<HardSwish>(default)),
        ["Softplus"] = t => Unary(t, new Activation<Softplus>(new(1))),
        ["Softsign"] = t => Unary(t, new Activation<Softsign>(default)),
        ["Softmax"] = t => AlongAxis(t, new Softmax()),
        ["LogSoftmax"] = t => AlongAxis(t, new LogSoftmax()),
        ["PRelu"] = PRelu,
        ["MatMul"] = MatMul,
        ["Gemm"] = Gemm,
        ["Flatten"] = Flatten,
        ["Reshape"] = Reshape,
        ["Concat"] = Concat,
        ["Slice"] = Slice,
        ["Gather"] = Gather,
        ["Dropout"] = Dropout,
        ["Conv"] = Conv,
        ["ConvTranspose"] = ConvTranspose,
        ["MaxPool"] = MaxPool,
        ["AveragePool"] = AveragePool,
        ["GlobalAveragePool"] = GlobalAveragePool,
        ["BatchNormalization"] = BatchNormalization,
        ["InstanceNormalization"] = InstanceNormalization,
        ["LayerNormalization"] = LayerNormalization,
        ["LSTM"] = Lstm,
        ["GRU"] = Gru,
        ["SoftmaxCrossEntropyLoss"] = CrossEntropyLoss,
        ["NegativeLogLikelihoodLoss"] = NegativeLogLikelihoodLoss,
        ["Adagrad"] = AdaGrad,
        ["Momentum"] = Momentum,
        ["Adam"] = _ => throw new LeftOutException("starts from given moments without bias correction"),
    };

    /// <summary>An input of numbers that the library has a type for.</summary>
    private static OnnxTensor Number(OnnxTensor? tensor)
    {
        if (tensor is null)
            throw new LeftOutException("an input is missing");
        if (!tensor.IsFloat && !tensor.IsDouble)
            throw new LeftOutException("neither float nor double");
        return tensor.Values.Length > 0 ? tensor : throw new LeftOutException("no elements");
    }

    private static LayerRun Run(OnnxTensor like, int rows = 1) => new() { Rows = rows, IsDouble = like.IsDouble };

    private static OnnxTensor?[] One(double[] values, OnnxTensor like, params int[] dimensions) => [new(dimensions, values, like.Type)];

    private static OnnxTensor?[] Unary(OnnxCase test, Layer layer)
    {
        var x = Number(test.Inputs[0]);
        return One(Run(x).Values(x.Values, x.Values.Length).Outputs(layer)[0], x, x.Dimensions);
    }

    private static (OnnxTensor X, OnnxTensor Y) Pair(OnnxCase test)
    {
        var (x, y) = (Number(test.Inputs[0]), Number(test.Inputs[1]));
        return x.Dimensions.SequenceEqual(y.Dimensions) ? (x, y) : throw new LeftOutException("broadcasting");
    }

    private static OnnxTensor?[] Binary(OnnxCase test, Layer layer)
    {
        var (x, y) = Pair(test);
        return One(Run(x).Values(x.Values, x.Values.Length).Values(y.Values, y.Values.Length).Outputs(layer)[0], x, x.Dimensions);
    }

    /// <summary>An operator of nodes that is made of several layers.</summary>
    private static OnnxTensor?[] Composed(OnnxCase test, Func<Backprop.Simd.Networks.Node, Backprop.Simd.Networks.Node, Backprop.Simd.Networks.Node> build)
    {
        var (x, y) = Pair(test);
        var graph = new Backprop.Simd.Networks.GraphBuilder();
        var z = build(graph.Input("x", x.Values.Length), graph.Input("y", y.Values.Length));
        graph.Output(z);
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, Backprop.Simd.Networks.WorkspaceOptions.Inference);
        workspace.SetInput("x", x.Values);
        workspace.SetInput("y", y.Values);
        network.Forward(workspace);
        return One(workspace.Output().ToArray(), x, x.Dimensions);
    }

    private static OnnxTensor?[] Selu(OnnxCase test)
    {
        if (test.Node.Attributes.Count > 0)
            throw new LeftOutException("constants of its own");
        return Unary(test, new Activation<Selu>(default));
    }

    private static OnnxTensor?[] HardSigmoid(OnnxCase test)
    {
        // y = clip(alpha x + beta): PyTorch's has alpha = 1/6 and beta = 1/2, so that x is scaled first.
        if (test.Node.Float("beta", 0.5f) != 0.5f)
            throw new LeftOutException("beta is not 1/2");
        var x = Number(test.Inputs[0]);
        var scaled = Array.ConvertAll(x.Values, v => v * 6 * test.Node.Float("alpha", 0.2f));
        return One(Run(x).Values(scaled, x.Values.Length).Outputs(new Activation<HardSigmoid>(default))[0], x, x.Dimensions);
    }

    /// <summary>A function of vectors along one dimension, which is put last.</summary>
    private static OnnxTensor?[] AlongAxis(OnnxCase test, Layer layer)
    {
        var x = Number(test.Inputs[0]);
        var axis = test.Node.Integer("axis", -1);
        axis = axis < 0 ? axis + x.Rank : axis;
        int[] order = [.. Enumerable.Range(0, x.Rank).Where(d => d != axis), axis];
        var turned = x.Transpose(order);
        var rows = x.Values.Length / turned[-1];
        var y = new OnnxTensor(turned.Dimensions, Run(x, rows).Values(turned.Values, turned[-1]).Outputs(layer)[0], x.Type);
        return [y.Transpose([.. Enumerable.Range(0, x.Rank).Select(d => Array.IndexOf(order, d))])];
    }

    private static OnnxTensor?[] PRelu(OnnxCase test)
    {
        var (x, slope) = (Number(test.Inputs[0]), Number(test.Inputs[1]));
        var channels = slope.Values.Length;
        if (!x.Dimensions.AsSpan(x.Rank - slope.Rank).SequenceEqual(slope.Dimensions))
            throw new LeftOutException("broadcasting along inner dimensions");
        var run = Run(x, x.Values.Length / channels).Values(x.Values, channels).Parameter("slope", slope.Values);
        return One(run.Outputs(new PRelu())[0], x, x.Dimensions);
    }

    private static OnnxTensor?[] MatMul(OnnxCase test)
    {
        var (a, b) = (Number(test.Inputs[0]), Number(test.Inputs[1]));
        if (a.Rank != b.Rank || a.Rank < 2 || a.Size(0, a.Rank - 2) != b.Size(0, b.Rank - 2))
            throw new LeftOutException("broadcasting");
        var run = Run(a, a.Size(0, a.Rank - 2)).Values(a.Values, a[-2], a[-1]).Values(b.Values, b[-2], b[-1]);
        return One(run.Outputs(new MatrixProduct())[0], a, [.. a.Dimensions[..^1], b[-1]]);
    }

    /// <summary>y = alpha A B + beta C as an affine layer with weights alpha B; a C that is no row is added behind it.</summary>
    private static OnnxTensor?[] Gemm(OnnxCase test)
    {
        var (a, b) = (Number(test.Inputs[0]), Number(test.Inputs[1]));
        a = test.Node.Integer("transA", 0) == 1 ? a.Transpose(1, 0) : a;
        b = test.Node.Integer("transB", 0) == 1 ? b.Transpose(1, 0) : b;
        var (rows, columns, alpha, beta) = (a[0], b[1], test.Node.Float("alpha", 1), test.Node.Float("beta", 1));
        var bias = new double[columns];
        var c = test.Inputs.Length > 2 ? Number(test.Inputs[2]) : null;
        if (c is { Values.Length: 1 })
            Array.Fill(bias, beta * c.Values[0]);
        else if (c?.Values.Length == columns && c[-1] == columns)
            bias = Array.ConvertAll(c.Values, v => beta * v);
        else if (c is not null && !c.Dimensions.SequenceEqual([rows, columns]))
            throw new LeftOutException("broadcasting of a column");
        var y = Run(a, rows).Values(a.Values, a[1]).Parameter("weight", Array.ConvertAll(b.Values, v => alpha * v)).Parameter("bias", bias).Outputs(new Affine(columns))[0];
        if (c?.Values.Length == rows * columns && rows > 1)
            y = Run(a, rows).Values(y, columns).Values(Array.ConvertAll(c.Values, v => beta * v), columns).Outputs(new Add())[0];
        return One(y, a, rows, columns);
    }
}
