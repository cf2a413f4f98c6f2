using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Schedules;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Documentation;

/// <summary>docs/pytorch.md: each form is compiled and run here, and every name of PyTorch and Keras has a row.</summary>
public sealed partial class PyTorchNamesTests
{
    private readonly List<string> _forms = [];
    private GraphBuilder _graph = new();
    private readonly Dictionary<string, Node> _inputs = [];

    // The names of the document.
#pragma warning disable IDE1006, SA1300
    private Node v => Input("v", g => g.Input("v", 12));

    private Node w => Input("w", g => g.Input("w", 12));

    private Node x => Input("x", g => g.Input("x", 8, 8, 4));

    private Node s => Input("s", g => g.Input("s", 6, 8));

    private Node ids => Input("ids", g => g.IndexInput("ids", 6));

    private Node length => Input("length", g => g.IndexInput("length"));

    private Network<float> n { get; } = GraphBuilder.Chain(3).Affine(2).MeanSquaredError().Build<float>(seed: 1);
#pragma warning restore IDE1006, SA1300

    [Fact]
    public void Every_form_of_the_document_is_compiled_and_run()
    {
        Form(v.Affine(10));
        Form(s.Affine(10));
        Form(s.EachStep(new Affine(10)));
        Form((v.Affine(12, bias: false) * w).Sum());
        Form(v);
        Form(v.Affine(20).Relu().Affine(10));
        Form(s.Convolution1D(10, 3, padding: 1));
        Form(x.Convolution2D(10, 3, padding: 1));
        Form(x.Convolution2D(4, 3, groups: 4));
        Form(s.Convolution1D(8, 3, groups: 8));
        Form(x.SeparableConvolution2D(10, 3));
        Form(s.Convolution1D(8, 3, groups: 8).Affine(10));
        Form(s.ConvolutionTranspose1D(10, 3));
        Form(x.ConvolutionTranspose2D(10, 3));
        Form(s.MaxPooling1D(2));
        Form(x.MaxPooling2D(2));
        Form(s.AveragePooling1D(2));
        Form(x.AveragePooling2D(2));
        Form(s.Pow(2).AveragePooling1D(2).Sqrt());
        Form(x.Pow(2).AveragePooling2D(2).Sqrt());
        Form(x.AdaptiveAveragePooling2D(2));
        Form(s.Reshape(6, 1, 8).AdaptiveAveragePooling2D(new Extent(2, 1)));
        Form(s.AdaptiveMaxPooling1D(2));
        Form(x.AdaptiveMaxPooling2D(2));
        Form(s.GlobalAveragePooling1D());
        Form(x.GlobalAveragePooling2D());
        Form(s.GlobalMaxPooling1D());
        Form(x.GlobalMaxPooling2D());
        Form(x.BatchNormalization());
        Form(s.LayerNormalization());
        Form(x.GroupNormalization(2));
        Form(x.InstanceNormalization());
        Form(s / s.Norm(keepDimensions: true, -1));
        Form(ids.Embedding(100, 8));
        Form(ids.EmbeddingBag(100, 8));
        Form(s.Rnn(16));
        Form(s.Lstm(16));
        Form(s.Gru(16));
        Form(s.BidirectionalLstm(16));
        Form(s.StackedLstm(16, layers: 2, dropout: 0.2));
        Form(s.Slice(0, 0, 1).Lstm(16));
        Form(s.SelfAttention(2));
        Form(s.SelfAttention(4, keyValueHeads: 2));
        Form(s.CrossAttention(s, 1));
        Form(s.Affine(8).Tanh().Affine(1, bias: false));
        Form(s.TransformerEncoderLayer(2, 32));
        Form(s.TransformerDecoderLayer(s, 2, 32));
        Form(v.Dropout(0.5));
        Form(x.SpatialDropout(0.5));
        Form(v.GaussianNoise(0.1));
        Form(v.GaussianDropout(0.5));
        Form(v.AlphaDropout(0.5));
        Form(x.Flatten());
        Form(v.Reshape(3, 4));
        Form(x.Transpose(2, 0, 1));
        Form(v.Reshape(1, 12).Tile(5, 1));
        Form(v.Concatenate(w));
        Form(x.Slice(0, 1, 6));
        Form(x.Pad([1, 1, 0], [1, 1, 0]));
        Form(s.Pad([1, 0], [1, 0], PaddingMode.Reflect));
        Form(s.Pad([1, 0], [1, 0], PaddingMode.Edge));
        Form(x.Upsample(2));
        Form(x.Upsample(2, mode: ResizeMode.Bilinear));
        Form(x.PixelShuffle(2));
        Form(x.PixelUnshuffle(2));
        Form(x.Reshape(8, 8, 2, 2).Transpose(0, 1, 3, 2).Reshape(8, 8, 4));
        Form(v + w);
        Form(v - w);
        Form(v * w);
        Form((v + w) * 0.5);
        Form(Node.Maximum(v, w));
        Form(Node.Minimum(v, w));
        Form((v * w).Sum());
        Form((v * w).Sum() / (v.Norm() * w.Norm()));
        Form((v - w).Norm());
        Form(v.Relu());
        Form(v.Relu6());
        Form(v.LeakyRelu(0.01));
        Form(v.PRelu());
        Form(v.Elu());
        Form(v.Selu());
        Form(v.Celu());
        Form(v.Gelu());
        Form(v.Silu());
        Form(v.Mish());
        Form(v.Sigmoid());
        Form(v.LogSigmoid());
        Form(v.HardSigmoid());
        Form(v.HardSwish());
        Form(v.HardTanh());
        Form(Node.Where((v.Abs() - 0.5).Relu(), v, v * 0));
        Form((v - 0.5).Relu() - (-v - 0.5).Relu());
        Form(v.Tanh());
        Form(v - v.Tanh());
        Form(v.Softplus());
        Form(v.Softsign());
        Form(v.ThresholdedRelu(1));
        Form(v.Glu());
        Form(v.Softmax());
        Form((-v).Softmax());
        Form(v.LogSoftmax());
        Form(v.SoftmaxCrossEntropy());
        Form(v.LogSoftmax().NegativeLogLikelihood());
        Form(v.BinaryCrossEntropy());
        Form(v.MeanSquaredError());
        Form(v.MeanAbsoluteError());
        Form(v.SmoothL1());
        Form(v.Huber());
        Form(v.LogSoftmax().KullbackLeibler());
        Form(v.PoissonNegativeLogLikelihood());
        Form(v.GaussianNegativeLogLikelihood(w.Exponential()));
        Form(v.Hinge());
        Form(v.MultiClassHinge());
        Form(v.CosineEmbedding(w));
        Form(v.TripletMargin(w, w));
        Form((w - v + 0.1).Relu().Mean());
        Form(s.Ctc(ids, length, length));
        Form(v.SquaredNorm() * 0.01);
        Form(Initialize.Constant(0.5));
        Form(Initialize.Zeros);
        Form(Initialize.Constant(1));
        Form(Initialize.Normal(0.1));
        Form(Initialize.Uniform(-0.1, 0.1));
        Form(Initialize.TruncatedNormal(0.1));
        Form(Initialize.Xavier);
        Form(Initialize.XavierNormal);
        Form(Initialize.He);
        Form(Initialize.HeUniform);
        Form(Initialize.Dirac);
        Form(Initialize.Identity());
        Form(Initialize.Sparse(0.9));
        Form(Gain.Relu);
        Form(Initialize.Orthogonal(1));
        Form(new Sgd<float>(n, 0.1, momentum: 0.9));
        Form(new Adam<float>(n));
        Form(new AdamW<float>(n));
        Form(new NAdam<float>(n));
        Form(new RAdam<float>(n));
        Form(new AdaMax<float>(n));
        Form(new AdaDelta<float>(n));
        Form(new AdaGrad<float>(n));
        Form(new RmsProp<float>(n));
        Form(new Lbfgs<float>(n));
        Form(typeof(Optimizer<>));
        Form(new ConstantSchedule(0.1));
        Form(new StepSchedule(0.1, 100, 0.5));
        Form(new MultiStepSchedule(0.1, [100, 200], 0.5));
        Form(new ExponentialSchedule(0.1, 0.99));
        Form(new PolynomialSchedule(0.1, 100));
        Form(new CosineSchedule(0.1, 100));
        Form(new CosineRestartsSchedule(0.1, 100));
        Form(new OneCycleSchedule(0.1, 100));
        Form(new ConstantSchedule(0.1).Then(100, new ExponentialSchedule(0.1, 0.99)));
        Form(typeof(Schedule));
        Form(new L1Penalty(1e-4));
        Form(new L2Penalty(1e-4));
        Form(new MaxNorm(3));
        Form(new NonNegative());
        Form(new UnitNorm());
        var shown = Rows().Select(row => row.Form).Where(form => form.StartsWith('`')).Select(form => form[1..form.IndexOf('`', 1)]);
        Assert.Equal(shown.Distinct().Order(StringComparer.Ordinal), _forms.Order(StringComparer.Ordinal));
        Assert.All(Rows(), row => Assert.True(row.Form.StartsWith('`') || row.Form.StartsWith("no: ", StringComparison.Ordinal), row.Form));
    }

    [Fact]
    public void Every_name_of_PyTorch_and_Keras_has_a_row()
    {
        using var reader = new StreamReader(typeof(PyTorchNamesTests).Assembly.GetManifestResourceStream("PyTorch.names.txt")!);
        var names = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var rows = Rows().SelectMany(row => Name().Matches(row.Names).Select(m => m.Groups[1].Value)).ToArray();
        Assert.Equal(names.Order(StringComparer.Ordinal), rows.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<(string Names, string Form)> Rows()
    {
        var document = File.ReadAllText(Path.Combine(RepositoryRoot.Path, "docs", "pytorch.md"));
        return Row().Matches(document).Select(m => (m.Groups[1].Value, m.Groups[2].Value)).Where(row => row.Item1.StartsWith('`'));
    }

    private Node Input(string name, Func<GraphBuilder, Node> make)
    {
        if (!_inputs.TryGetValue(name, out var node))
            _inputs[name] = node = make(_graph);
        return node;
    }

    private void Form(object form, [CallerArgumentExpression(nameof(form))] string text = "")
    {
        Assert.NotNull(form);
        _forms.Add(text);
    }

    private void Form(Node node, [CallerArgumentExpression(nameof(node))] string text = "")
    {
        _forms.Add(text);
        _graph.Output(node);
        var network = _graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference);
        foreach (var name in network.Definition.RequiredInputs(WorkspaceOptions.Inference))
        {
            if (network.Definition.TypeOf(name).Kind != EdgeKind.Indices)
                workspace.Input(name).Fill(0.5f);
        }

        network.Forward(workspace);
        _graph = new();
        _inputs.Clear();
    }

    [GeneratedRegex(@"^\| (.*?) \| (.*) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]*)`")]
    private static partial Regex Name();
}
