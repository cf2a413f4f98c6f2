using System.Globalization;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Interchange;

/// <summary>The modules of PyTorch/models.py, ported; PyTorch/Models has their state dictionaries, PyTorch/models.txt their inputs and outputs.</summary>
internal static class PyTorchModels
{
    private static readonly Dictionary<string, Dictionary<string, (int[] Shape, double[] Numbers)>> Numbers = Read();

    private static readonly Dictionary<string, Func<Node[], Node>> Ports = new()
    {
        ["linear"] = x => x[0].Affine(5).Tanh().Affine(5, bias: false).Tanh().Affine(3),
        ["linear-sequence"] = x => x[0].Affine(6).Gelu().Affine(4),
        ["convolution"] = x => x[0].Convolution2D(4, new Extent(3, 2), padding: 1).Relu().Convolution2D(6, 3, stride: 2, groups: 2, bias: false),
        ["depthwise"] = x => x[0].Convolution2D(8, 3, groups: 4).Convolution2D(5, 1),
        ["convolution-1d"] = x => x[0].Convolution1D(4, 3, padding: 1).Relu().Convolution1D(4, 2, groups: 2),
        ["transposed"] = x => x[0].ConvolutionTranspose2D(6, new Extent(3, 2), stride: 2, outputPadding: 1, groups: 2).Relu().ConvolutionTranspose2D(2, 2),
        ["transposed-1d"] = x => x[0].ConvolutionTranspose1D(6, 3, stride: 2, groups: 2),
        ["classifier"] = x => Block(Block(x[0], 4), 8).Dropout(0.3).Flatten().Affine(10).Relu().Affine(4),
        ["flat-normalization"] = x => x[0].Convolution2D(3, 2).Flatten().BatchNormalization().PRelu().LayerNormalization().Affine(4),
        ["flat-line"] = x => x[0].Convolution1D(4, 2).Relu().MaxPooling1D(2).Reshape(-1).Affine(3),
        ["flat-image"] = x => x[0].Flatten().Affine(5),
        ["unflattened"] = x => x[0].Affine(24).BatchNormalization().Relu().Reshape(2, 3, 4).ConvolutionTranspose2D(2, 2),
        ["autoencoder"] = x => x[0].Convolution2D(4, 2).Flatten().Affine(24).Relu().Reshape(2, 3, 4).ConvolutionTranspose2D(1, 2),
        ["branches"] = x => x[0].Convolution2D(3, 2).Flatten()
            .Concatenate(x[0].Convolution2D(5, 1).GlobalAveragePooling2D(), x[0].Convolution2D(2, 3, padding: 1).Flatten()).Affine(4),
        ["normalizations"] = x => x[0].GroupNormalization(2).Convolution2D(3, 1).InstanceNormalization(affine: true).PRelu().LayerNormalization(3)
            .BatchNormalization(),
        ["normalization-sequence"] = x => x[0].LayerNormalization().Affine(4).LayerNormalization(2),
        ["rnn"] = x => x[0].Rnn(4, function: RnnFunction.Relu),
        ["lstm"] = x => x[0].Lstm(4),
        ["gru"] = x => x[0].Gru(4),
        ["lstm-stacked"] = x => x[0].StackedLstm(4, layers: 2, dropout: 0.2, bidirectional: true),
        ["gru-stacked"] = x => x[0].StackedGru(4, layers: 3),
        ["gru-both"] = x => x[0].BidirectionalGru(3),
        ["rnn-both"] = x => x[0].StackedRnn(2, layers: 2, bidirectional: true),
        ["lstm-projection"] = x => x[0].Lstm(4, projection: 2).Lstm(4, projection: 2),
        ["lstm-without-bias"] = x => x[0].Lstm(4),
        ["two-lstms"] = x => x[0].Lstm(4).Lstm(4),
        ["attention"] = x => x[0].SelfAttention(2),
        ["attention-sizes"] = x => x[0].Apply(new MultiHeadAttention(2), x[1], x[2]),
        ["attention-without-bias"] = x => x[0].SelfAttention(2),
        ["transformer-encoder"] = x => x[0].TransformerEncoderLayer(2, 12).TransformerEncoderLayer(2, 12, normalizeFirst: true),
        ["transformer-decoder"] = x => x[0].TransformerDecoderLayer(x[1], 2, 12),
        ["words"] = x => x[0].Embedding(11, 6).LearnedPositions(9).Affine(6),
        ["bag"] = x => x[0].EmbeddingBag(11, 4, BagMode.Mean),
        ["weight-normalized"] = x => x[0].Convolution2D(3, 2).Relu().Flatten().WeightNormalizedAffine("map", 4),
        ["parameter"] = x => x[0].Affine(3) * x[0].Graph.Parameter("scale", new Shape(3)),
    };

    /// <summary>Modules that have no biases where the layers here always have some.</summary>
    private static readonly HashSet<string> WithoutBias = ["lstm-without-bias", "attention-without-bias"];

    public static IEnumerable<string> Names => Ports.Keys;

    /// <summary>What PyTorch can load back: its module has no more parameters than the layer, and no fewer.</summary>
    public static IEnumerable<string> Loadable => Ports.Keys.Where(static name => !WithoutBias.Contains(name));

    public static IEnumerable<string> Recorded => Numbers.Keys;

    /// <summary>The state dictionary of a module, as torch.save wrote it.</summary>
    public static MemoryStream File(string name)
    {
        using var stream = typeof(PyTorchModels).Assembly.GetManifestResourceStream($"PyTorch.Models.{name}.pt")!;
        var memory = new MemoryStream();
        stream.CopyTo(memory);
        memory.Position = 0;
        return memory;
    }

    /// <summary>The port of a module, with new numbers.</summary>
    public static Network<T> Port<T>(string name)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var graph = new GraphBuilder();
        var inputs = new List<Node>();
        foreach (var (key, (shape, _)) in Numbers[name])
        {
            if (key[0] == 'x')
                inputs.Add(graph.Input(key, new Shape(shape.AsSpan(1))));
            else if (key == "i")
                inputs.Add(graph.IndexInput("i", shape[1]));
        }

        graph.Output(Ports[name]([.. inputs]));
        return graph.Build().CreateNetwork<T>(seed: 1);
    }

    /// <summary>The largest difference of a network's output from PyTorch's.</summary>
    /// <param name="network">The network.</param>
    /// <param name="name">The module.</param>
    /// <param name="input">The name of the first input.</param>
    public static double Difference(Network<float> network, string name, string input = "x0")
    {
        var numbers = Numbers[name];
        var rows = numbers["y"].Shape[0];
        var workspace = network.CreateWorkspace(rows, WorkspaceOptions.Inference);
        foreach (var (key, (_, values)) in numbers)
        {
            if (key[0] == 'x')
                workspace.SetInput(key == "x0" ? input : key, Array.ConvertAll(values, static v => (float)v));
            else if (key == "i")
                workspace.SetIndexInput(key, Array.ConvertAll(values, static v => (int)v));
        }

        network.Forward(workspace);
        var output = workspace.Output(network.Definition.OutputNames.Single());
        Assert.Equal(numbers["y"].Numbers.Length, output.Length);
        var worst = 0.0;
        for (var i = 0; i < output.Length; i++)
            worst = Math.Max(worst, Math.Abs(output[i] - numbers["y"].Numbers[i]));
        return double.IsNaN(worst) ? double.PositiveInfinity : worst;
    }

    private static Node Block(Node x, int channels) => x.Convolution2D(channels, 3, padding: 1).BatchNormalization().Relu().MaxPooling2D(2);

    private static Dictionary<string, Dictionary<string, (int[] Shape, double[] Numbers)>> Read()
    {
        using var stream = typeof(PyTorchModels).Assembly.GetManifestResourceStream("PyTorch.models.txt")!;
        using var reader = new StreamReader(stream);
        var all = new Dictionary<string, Dictionary<string, (int[], double[])>>();
        while (reader.ReadLine() is { } line)
        {
            var cells = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!all.TryGetValue(cells[0], out var own))
                all.Add(cells[0], own = []);
            own.Add(cells[1], ([.. cells[2].Split(',').Select(d => int.Parse(d, CultureInfo.InvariantCulture))],
                [.. cells[3..].Select(c => double.Parse(c, CultureInfo.InvariantCulture))]));
        }

        return all;
    }
}
