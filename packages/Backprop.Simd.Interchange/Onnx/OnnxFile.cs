using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>A model of ONNX (operators 7 to 21), read without executing anything.</summary>
/// <remarks>The elements of a tensor lie in the file itself. Every message of the file is checked against its length before anything is taken.</remarks>
public sealed class OnnxFile
{
    private const int LargestNodes = 200_000;
    private const int ShownNames = 8;

    private readonly OnnxModel _model;

    private OnnxFile(OnnxModel model) => _model = model;

    /// <summary>The version of the standard operators.</summary>
    public int Opset => _model.Opset;

    /// <summary>The names of the inputs.</summary>
    public IEnumerable<string> InputNames => _model.Inputs.Select(i => i.Name);

    /// <summary>The names of the outputs.</summary>
    public IEnumerable<string> OutputNames => _model.Outputs.Select(o => o.Name);

    /// <summary>Entries of the producer.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _model.Metadata;

    /// <summary>Reads a model.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ModelFileException">The file is damaged, no model of ONNX, or of operators that are not read here.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static OnnxFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (new FileInfo(path) is { Exists: true } file && file.Length > Array.MaxLength)
            throw new ModelFileException($"{path} has {file.Length} bytes; a model of ONNX has at most {Array.MaxLength}.");
        return Parse(File.ReadAllBytes(path), path);
    }

    /// <summary>Reads a model from a stream, from its position to its end.</summary>
    /// <param name="stream">The stream.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ModelFileException">The bytes are damaged, no model of ONNX, or of operators that are not read here.</exception>
    /// <exception cref="ArgumentException">The stream cannot be read.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static OnnxFile Open(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (!stream.CanRead)
            throw new ArgumentException("The stream cannot be read.", nameof(stream));
        using var memory = new MemoryStream();
        stream.CopyTo(memory);
        return Parse(memory.ToArray(), "The stream");
    }

    /// <summary>The dimensions of an input or output as the file tells them: sizes, names, or ? where nothing is said.</summary>
    /// <param name="name">The name of an input or output.</param>
    /// <returns>The text, such as <c>[batch, 3, 224, 224]</c>.</returns>
    /// <exception cref="ArgumentException">There is no such name.</exception>
    public string ShapeOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var value = _model.Inputs.Concat(_model.Outputs).FirstOrDefault(v => v.Name == name)
            ?? throw new ArgumentException($"The model has no '{name}'; it has: {string.Join(", ", InputNames.Concat(OutputNames))}.", nameof(name));
        return value.Dimensions is null ? "?" : $"[{string.Join(", ", value.Dimensions)}]";
    }

    /// <summary>Adds the layers of the model to a graph.</summary>
    /// <remarks>What the model gives becomes an output of the graph, with a name, by <c>graph.Output(model["y"].Named("y"))</c>: only
    /// <see cref="CreateNetwork{T}"/> does so itself. After an exception the graph may hold a part of the layers: begin another.</remarks>
    /// <param name="graph">The graph.</param>
    /// <param name="options">Sizes, inputs and outputs; null for those of the model.</param>
    /// <returns>The nodes, and the numbers of their parameters.</returns>
    /// <exception cref="ModelFileException">The model has operators that are not known, or do what the library does not; all are listed.</exception>
    /// <exception cref="ArgumentException">An option names an input that the model does not have; a size is missing or does not fit; a name is
    /// taken.</exception>
    public OnnxGraph AddTo(GraphBuilder graph, OnnxLoadOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        options ??= new();
        options.Check(nameof(options));
        string[] names = [.. options.Outputs ?? OutputNames];
        if (options.Outputs is not null)
            RequireOutputs(names);
        graph.Reserve([.. names.Select(n => options.Prefix + n)]);
        var importer = new Importer(_model, graph, options);
        var inputs = ModelInputs.Make(_model, graph, options);
        importer.FixedRows = inputs.Rows;
        var values = importer.Run(inputs.Values, names);
        return new(names, values, inputs.Values, importer.Numbers, ChannelOrder.Made(_model));
    }

    /// <summary>The model as a network that computes and trains.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="options">Sizes, inputs and outputs; null for those of the model.</param>
    /// <returns>The network, with the numbers of the file.</returns>
    /// <inheritdoc cref="AddTo" path="/exception"/>
    public Network<T> CreateNetwork<T>(OnnxLoadOptions? options = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var graph = new GraphBuilder();
        var added = AddTo(graph, options);
        foreach (var name in added.OutputNames)
            added.AddOutput(name, options?.Prefix ?? "");
        var network = graph.Build().CreateNetwork<T>();
        added.CopyTo(network);
        return network;
    }

    private void RequireOutputs(string[] names)
    {
        HashSet<string> known = [.. InputNames, .. _model.Nodes.SelectMany(n => n.Outputs)];
        var unknown = names.FirstOrDefault(n => n.Length == 0 || !known.Contains(n));
        if (unknown is null)
            return;
        string[] inside = [.. _model.Nodes.SelectMany(n => n.Outputs).Where(n => n.Length > 0).Except(OutputNames)];
        var shown = string.Join(", ", inside.TakeLast(ShownNames).Select(Texts.Shown));
        throw new ArgumentException($"The model makes no '{unknown}'; its outputs are: {string.Join(", ", OutputNames)}."
            + (inside.Length == 0 ? "" : $" Inside it makes: {(inside.Length > ShownNames ? "..., " : "")}{shown}."), "options");
    }

    private static OnnxFile Parse(byte[] bytes, string origin)
    {
        OnnxModel model;
        try
        {
            model = OnnxModel.Parse(bytes);
        }
        catch (ModelFileException e)
        {
            throw new ModelFileException($"{origin} is no model of ONNX, or damaged. {e.Message}", e);
        }

        return Of(model, origin);
    }

    /// <summary>A model that was read, or made.</summary>
    internal static OnnxFile Of(OnnxModel model, string origin = "The model")
    {
        if (model.Opset == 0 && model.Nodes.Count == 0)
            throw new ModelFileException($"{origin} is no model of ONNX, or damaged: it has neither operators nor their version.");
        if (model.Opset is < 7 or > 21)
            throw new ModelFileException($"{origin} has operators of version {model.Opset}; versions 7 to 21 are read.");
        if (model.Nodes.Count > LargestNodes || model.Outputs.Count == 0)
            throw new ModelFileException($"{origin} has {model.Nodes.Count} nodes and {model.Outputs.Count} outputs.");
        HashSet<string> made = [.. model.Initializers.Keys];
        foreach (var name in model.Inputs.Select(i => i.Name).Concat(model.Nodes.SelectMany(n => n.Outputs).Where(o => o.Length > 0)))
        {
            if (name.Length == 0 || !made.Add(name))
                throw new ModelFileException($"{origin} makes '{Texts.Shown(name)}' twice, or has an input without a name.");
        }

        return new(model);
    }
}
