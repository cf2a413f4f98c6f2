using System.Buffers;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>Opens model files.</summary>
public static class Model
{
    /// <summary>Opens a model: its graph and its numbers come from the file.</summary>
    /// <typeparam name="T">float or double. A double model also opens a file of floats; both open files of F16 and BF16.</typeparam>
    /// <param name="path">A file that <see cref="Model{T}.Save(string, TensorType?)"/> or <see cref="NetworkFiles"/> wrote.</param>
    /// <param name="allowNarrowing">Whether a float model opens a file of doubles, and rounds them.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ModelFileException">The file is damaged, holds no graph, or has a layer whose kind is not registered.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static Model<T> Load<T>(string path, bool allowNarrowing = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var file = SafetensorsFile.Open(path);
        return Model<T>.Read(file, allowNarrowing);
    }

    /// <summary>Opens a model from a stream, from its position to its end.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="stream">The stream. If it cannot seek, it is read into memory first.</param>
    /// <param name="allowNarrowing">Whether a float model opens a file of doubles, and rounds them.</param>
    /// <returns>The model.</returns>
    /// <exception cref="ModelFileException">The bytes are damaged, hold no graph, or have a layer whose kind is not registered.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static Model<T> Load<T>(Stream stream, bool allowNarrowing = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var file = SafetensorsFile.Open(stream);
        return Model<T>.Read(file, allowNarrowing);
    }
}

/// <summary>A network with all that is needed to use it elsewhere, in one file: the graph with the settings of its layers, parameters, state,
/// the names of classes, vocabularies, and entries of the user's own.</summary>
/// <remarks>
/// The file is a safetensors file: each reader of that format opens its tensors, and the graph is JSON in its metadata. It does not hold which
/// parameters are frozen. Layers of a user's own must be registered on both sides: <see cref="LayerKinds.Register"/>.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Model<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const string ContentKey = "model", Classes = "classes", Columns = "columns", Words = "vocabularies";

    /// <summary>Makes a model of a network.</summary>
    /// <param name="network">The network; the model does not copy it.</param>
    public Model(Network<T> network)
    {
        ArgumentNullException.ThrowIfNull(network);
        Network = network;
    }

    /// <summary>The network.</summary>
    public Network<T> Network { get; }

    /// <summary>For an output, by its name, the name of each class: as many as the last dimension of its shape.</summary>
    public IDictionary<string, IReadOnlyList<string>> ClassNames { get; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>For an input [n] of numbers, by its name, the name of each column.</summary>
    public IDictionary<string, IReadOnlyList<string>> ColumnNames { get; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>For an input of indices, by its name, the text of each index.</summary>
    public IDictionary<string, IReadOnlyList<string>> Vocabularies { get; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>The user's own texts under unique keys: where the training data came from, or a license.</summary>
    public IDictionary<string, string> Entries { get; } = new Dictionary<string, string>();

    /// <summary>Saves the model. The path always holds the old file or the new one, never a part.</summary>
    /// <param name="path">The file. Its directory must exist.</param>
    /// <param name="type">The type of the parameters in the file; null for <typeparamref name="T"/>. F16 and BF16 halve a file of floats; numbers
    /// are rounded to nearest.</param>
    /// <exception cref="ArgumentException">A layer is of a class that is not registered, names do not fit their output or input, or a parameter
    /// is too large for the type.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public void Save(string path, TensorType? type = null) => Writer(type).Write(path);

    /// <summary>Saves the model to a stream at its current position. The stream stays open.</summary>
    /// <param name="stream">Any stream that can be written to.</param>
    /// <param name="type">The type of the parameters in the file; null for <typeparamref name="T"/>.</param>
    /// <exception cref="ArgumentException">A layer is of a class that is not registered, names do not fit their output or input, or a parameter
    /// is too large for the type.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public void Save(Stream stream, TensorType? type = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        Writer(type).Write(stream);
    }

    internal static Model<T> Read(SafetensorsFile file, bool allowNarrowing)
    {
        var isOurs = NetworkFiles.IsOurs(file);
        var options = new NetworkLoadOptions { AllowNarrowing = allowNarrowing };
        NetworkFiles.VerifyChecksum(file, isOurs, options);
        if (!isOurs || file.FindMetadata(NetworkFiles.GraphKey) is not { } graph)
        {
            throw new ModelFileException($"{file.Origin} holds no graph: it is of another program, of version 1, or was saved by network.Save where the kind "
                + "of a layer was not registered. Build the network by code, and load the file into it: network.Load.");
        }

        NormalizationTensors.RequireNone(file);
        var definition = GraphText.Read(graph, file.Origin);

        // Only now is it known that the file has as many numbers as the graph asks memory for.
        var matching = new NetworkMatching<T>(definition, file, options, passMarked: true);
        if (!ulong.TryParse(file.FindMetadata(NetworkFiles.SeedKey), NumberStyles.None, CultureInfo.InvariantCulture, out var seed))
            throw new ModelFileException($"{file.Origin} has no seed, or a damaged one.");
        var model = new Model<T>(new Network<T>(definition, seed));
        matching.Read(model.Network.Parameters, model.Network.State);
        foreach (var (key, value) in NetworkFiles.UserMetadata(file, isOurs))
            model.Entries.Add(key, value);
        if (file.FindMetadata(ContentKey) is { } content)
            model.ReadContent(content, file.Origin);
        return model;
    }

    private (string Name, IDictionary<string, IReadOnlyList<string>> Texts)[] Lists =>
        [(Classes, ClassNames), (Columns, ColumnNames), (Words, Vocabularies)];

    private SafetensorsWriter Writer(TensorType? type)
    {
        var definition = Network.Definition;
        Check(nameof(ClassNames), ClassNames, [.. definition.OutputNames]);
        Check(nameof(ColumnNames), ColumnNames, [.. definition.InputNames.Where(name => definition.TypeOf(name) is { Kind: EdgeKind.Values, Shape.Rank: 1 })]);
        string[] indices = [.. definition.InputNames.Where(name => definition.TypeOf(name).Kind == EdgeKind.Indices)];
        foreach (var input in Vocabularies.Keys.Except(indices))
            throw new ArgumentException($"{nameof(Vocabularies)} are of inputs of indices: {string.Join(", ", indices)}; got '{input}'.");

        var options = new NetworkSaveOptions { Metadata = [.. Entries], Type = type };
        var writer = NetworkFiles.Writer(Network, options, GraphText.Write(Network.Definition));
        if (Lists.Any(list => list.Texts.Count > 0))
            writer.AddMetadata(ContentKey, Content());
        return writer;
    }

    /// <summary>Throws unless lists of names are those of some inputs or outputs, one for each of the last dimension, and distinct.</summary>
    private void Check(string what, IDictionary<string, IReadOnlyList<string>> lists, string[] edges)
    {
        foreach (var (edge, names) in lists)
        {
            if (!edges.Contains(edge))
                throw new ArgumentException($"{what} are of {string.Join(", ", edges)}; got '{edge}'.");
            var shape = Network.Definition.TypeOf(edge).Shape;
            if (shape.Rank == 0 || names.Count != shape[shape.Rank - 1])
                throw new ArgumentException($"'{edge}' is {shape}: its last dimension does not have the {names.Count} names that are given.");
            if (names.GroupBy(name => name).FirstOrDefault(same => same.Count() > 1) is { } twice)
                throw new ArgumentException($"{what} of '{edge}' have '{twice.Key}' twice.");
        }
    }

    private string Content()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach (var (name, lists) in Lists)
            {
                writer.WriteStartObject(name);
                foreach (var (key, texts) in lists)
                {
                    writer.WriteStartArray(key);
                    foreach (var text in texts)
                        writer.WriteStringValue(text);
                    writer.WriteEndArray();
                }

                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private void ReadContent(string content, string origin)
    {
        try
        {
            using var document = JsonDocument.Parse(content);
            foreach (var (name, lists) in Lists)
            {
                foreach (var property in document.RootElement.GetProperty(name).EnumerateObject())
                {
                    _ = Network.Definition.TypeOf(property.Name);
                    lists.Add(property.Name, [.. property.Value.EnumerateArray().Select(
                        text => text.GetString() ?? throw new FormatException("A name is missing."))]);
                }
            }
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or ArgumentException or InvalidOperationException or FormatException)
        {
            throw new ModelFileException($"{origin}: the names of classes or the vocabularies are damaged. {e.Message}", e);
        }
    }
}
