using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>
/// Cases that are no import of a model: of training, and of operators that the library writes with several layers. A row builds the layers, brings the
/// numbers into the library's order and the results back, and says by <see cref="LeftOutException"/> what the library does not do. An output is null where
/// the library does not give it. All other cases go through the import, <see cref="ImportedCase"/>.
/// </summary>
internal static partial class OnnxOperators
{
    public delegate OnnxTensor?[] Mapping(OnnxCase c);

    private static readonly Dictionary<string, Mapping> _rows = new()
    {
        ["Gradient"] = Gradient,
        ["BatchNormalization"] = BatchNormalization,
        ["Dropout"] = Dropout,
        ["MaxPool"] = MaxPooling,
        ["ReverseSequence"] = ReverseSequence,
        ["GatherND"] = GatherNd,
        ["Scatter"] = ScatterElements,
        ["ScatterElements"] = ScatterElements,
        ["ScatterND"] = ScatterNd,
        ["SoftmaxCrossEntropyLoss"] = c => Loss(c, isSoftmax: true),
        ["NegativeLogLikelihoodLoss"] = c => Loss(c, isSoftmax: false),
        ["Adagrad"] = Adagrad,
        ["Adam"] = Adam,
        ["Momentum"] = Momentum,
    };

    /// <summary>The row of a case; null where it is imported: statistics of a batch, dropout of training and the places of maxima are not.</summary>
    public static Mapping? Of(OnnxCase c) => c.Node.Operator switch
    {
        "BatchNormalization" when !c.Node.Attributes.Any(a => a is { Name: "training_mode", Integer: 1 }) => null,
        "Dropout" when c.Optional(2)?.Integers[0] != 1 => null,
        "MaxPool" when c.Node.Outputs.Count == 1 => null,
        var kind => c.Model.Nodes.Count > 1 && kind != "Gradient" ? null : _rows.GetValueOrDefault(kind),
    };

    /// <summary>The rows of a tensor: dimension 0, or one row of a tensor without dimensions.</summary>
    private static int Rows(OnnxTensor x) => x.Rank == 0 ? 1 : x.Shape[0];

    /// <summary>The shape of a row; more dimensions than the library has are run together.</summary>
    private static int[] RowShape(OnnxTensor x) =>
        x.Rank == 0 ? [] : x.Rank - 1 > Shape.MaxRank ? [OnnxTensor.Product(x.Shape.AsSpan(1))] : x.Shape[1..];

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

    /// <summary>
    /// ONNX's momentum is the share of the old statistics; ours is the share of the new. ONNX's running variance divides by n;
    /// ours divides by n - 1.
    /// </summary>
    private static OnnxTensor?[] BatchNormalization(OnnxCase c)
    {
        c.Ignore("training_mode");
        OnnxTensor x = c.Input(0), mean = c.Input(3), variance = c.Input(4);
        var rows = x.ChannelsLast();
        var momentum = c.Float("momentum", 0.9f);
        var network = new OperatorNetwork(x.Type, Rows(rows)) { Training = true };
        var node = network.Input(RowShape(rows), rows.Numbers).BatchNormalization(1 - momentum, c.Float("epsilon", 1e-5f));
        network.Parameter(node, "weight", c.Input(1).Numbers);
        network.Parameter(node, "bias", c.Input(2).Numbers);
        network.StateOf(node, "runningMean", mean.Numbers);
        network.StateOf(node, "runningVariance", variance.Numbers);
        var y = OnnxTensor.Of(x.Type, rows.Shape, network.Run(node)[0]).ChannelsFirst();
        double n = x.Size / x.Shape[1];
        var biased = network.State["runningVariance"].Zip(variance.Numbers, (v, old) => momentum * old + (v - momentum * old) * (n - 1) / n);
        return [y, OnnxTensor.Of(x.Type, mean.Shape, network.State["runningMean"]), OnnxTensor.Of(x.Type, mean.Shape, [.. biased])];
    }

    /// <summary>Training that drops nothing; the mask is not given.</summary>
    private static OnnxTensor?[] Dropout(OnnxCase c)
    {
        c.Ignore("seed");
        var x = c.Input(0);
        var ratio = c.Optional(1)?.Scalar ?? c.Float("ratio", 0.5f);
        if (ratio != 0)
            throw new LeftOutException("the numbers of another random generator");
        var network = new OperatorNetwork(x.Type, Rows(x)) { Training = true };
        return [OnnxTensor.Of(x.Type, x.Shape, network.Run(network.Input(RowShape(x), x.Numbers).Dropout(ratio))[0]), null];
    }

    /// <summary>The largest values; where they come from, as the gradient tells it.</summary>
    private static OnnxTensor?[] MaxPooling(OnnxCase c)
    {
        var byColumns = c.Integer("storage_order", 0) == 1;
        foreach (var name in (string[])["kernel_shape", "strides", "pads"])
            c.Ignore(name);
        var input = new Dictionary<string, OnnxTensor> { [c.Node.Inputs[0]] = c.Input(0) };
        var model = new ImportedModel(c.Model, new() { Outputs = [c.Node.Outputs[0]] });
        var y = model.Run<float>(input)[0];
        var network = model.Create<float>();
        var workspace = network.CreateWorkspace(c.Input(0).Shape[0], new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        model.Feed(workspace, input);
        network.Forward(workspace);
        var image = model.Added[c.Node.Inputs[0]];
        int[] shape = [c.Input(0).Shape[0], .. c.Input(0).Shape[2..], c.Input(0).Shape[1]], outputs = [y.Shape[0], .. y.Shape[2..], y.Shape[1]];
        var sources = new long[y.Size];
        for (var i = 0; i < sources.Length; i++)
        {
            var dy = workspace.OutputGradient(network.Definition.OutputNames.Single());
            dy.Clear();
            dy[i] = 1;
            network.Backward(workspace);
            double[] dx = [.. workspace.GradientOf(image.Name).ToArray().Select(v => (double)v)];
            var first = OnnxTensor.Of(OnnxType.Float, shape, dx).ChannelsFirst();
            sources[i] = Array.IndexOf((byColumns ? first.Transposed(0, 1, 3, 2) : first).Numbers, 1);
        }

        return [OnnxTensor.Of(OnnxType.Float, y.Shape, y.Values), OnnxTensor.OfIntegers(OnnxType.Int64, outputs, sources).ChannelsFirst()];
    }

    private static float[] Floats(OnnxTensor x) => [.. x.Numbers.Select(v => (float)v)];
}
