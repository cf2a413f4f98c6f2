using System.Security.Cryptography;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Fuzz;

/// <summary>Files of tensors, and models in them.</summary>
internal static class TensorTargets
{
    public static Target Safetensors { get; } = new("safetensors", ReadSafetensors, SafetensorsSeeds);

    /// <summary>Bytes that begin with a brace are the graph of a model that is right otherwise, others are a file.</summary>
    public static Target Model { get; } = new("model", ReadModel, ModelSeeds);

    private static readonly Network<float> _network = Network();
    private static readonly byte[][] _models = [.. Models()];

    /// <summary>A file with the checksum that belongs to its bytes: without it no changed file would be read further.</summary>
    public static byte[] Sealed(byte[] bytes)
    {
        const int Digits = 64;
        var key = "\"sha256\":\""u8;
        var at = bytes.AsSpan().IndexOf(key) + key.Length;
        if (at < key.Length || at + Digits > bytes.Length)
            return bytes;
        var copy = (byte[])bytes.Clone();
        copy.AsSpan(at, Digits).Fill((byte)'0');
        System.Text.Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(copy))).CopyTo(copy, at);
        return copy;
    }

    /// <summary>A file of floats with another text in its metadata.</summary>
    public static byte[] With(byte[] file, string key, byte[] text)
    {
        using var from = SafetensorsFile.Open(new MemoryStream(file));
        var writer = new SafetensorsWriter { Checksum = true };
        foreach (var (name, value) in from.Metadata.Where(entry => entry.Key != "sha256"))
            writer.AddMetadata(name, name == key ? System.Text.Encoding.UTF8.GetString(text) : value);
        foreach (var tensor in from.Tensors)
            writer.Add(tensor.Name, tensor.Shape, tensor.ToArray<float>());
        using var stream = new MemoryStream();
        writer.Write(stream);
        return stream.ToArray();
    }

    /// <summary>A text of the metadata of a file.</summary>
    public static byte[] TextOf(byte[] file, string key)
    {
        using var from = SafetensorsFile.Open(new MemoryStream(file));
        return System.Text.Encoding.UTF8.GetBytes(from.FindMetadata(key)!);
    }

    private static bool ReadSafetensors(byte[] bytes)
    {
        try
        {
            using var file = SafetensorsFile.Open(new MemoryStream(Sealed(bytes)));
            foreach (var entry in file.Metadata)
                _ = file.FindMetadata(entry.Key);
            foreach (var tensor in file.Tensors)
                ReadElements(tensor);
            if (file.TryFind("affine1.weight", out _))
                _network.Load(file);
            return true;
        }
        catch (ModelFileException)
        {
            return false;
        }
    }

    private static void ReadElements(SafetensorsTensor tensor)
    {
        _ = tensor.Type switch
        {
            TensorType.BOOL or TensorType.U8 => tensor.ToArray<byte>().Length,
            TensorType.I8 => tensor.ToArray<sbyte>().Length,
            TensorType.I16 => tensor.ToArray<short>().Length,
            TensorType.U16 => tensor.ToArray<ushort>().Length,
            TensorType.I32 => tensor.ToArray<int>().Length,
            TensorType.U32 => tensor.ToArray<uint>().Length,
            TensorType.I64 => tensor.ToArray<long>().Length,
            TensorType.U64 => tensor.ToArray<ulong>().Length,
            _ => tensor.ToArray<double>().Length,
        };
    }

    private static bool ReadModel(byte[] bytes) => bytes is [(byte)'{', ..]
        ? _models.Select(model => Load(With(model, "graph", bytes))).ToArray().Contains(true)
        : Load(Sealed(bytes));

    private static bool Load(byte[] file)
    {
        try
        {
            Serialization.Model.Load<float>(new MemoryStream(file));
            return true;
        }
        catch (ModelFileException)
        {
            return false;
        }
    }

    private static IEnumerable<byte[]> SafetensorsSeeds()
    {
        using var stream = new MemoryStream();
        _network.Save(stream);
        yield return stream.ToArray();
        var writer = new SafetensorsWriter();
        foreach (var entry in _network.Definition.Parameters.Entries)
            writer.Add(entry.Name, entry.Shape, _network.ParameterOf(entry.Name).ToArray());
        foreach (var entry in _network.Definition.State.Entries)
            writer.Add(entry.Name, entry.Shape, _network.StateOf(entry.Name).ToArray());
        yield return Written(writer);

        writer = new SafetensorsWriter();
        writer.AddMetadata("key", "value \u00e4 \"quoted\"");
        writer.Add<double>("none", [3, 0], ReadOnlyMemory<double>.Empty);
        writer.Add("bytes", [], new byte[] { 1 });
        writer.Add("halves", [2, 1], new Half[2]);
        yield return Written(writer);
    }

    private static byte[] Written(SafetensorsWriter writer)
    {
        using var stream = new MemoryStream();
        writer.Write(stream);
        return stream.ToArray();
    }

    private static IEnumerable<byte[]> ModelSeeds() => [.. _models, .. _models.Select(model => TextOf(model, "graph"))];

    private static IEnumerable<byte[]> Models()
    {
        var model = new Model<float>(_network);
        model.ClassNames[_network.Definition.OutputNames.First()] = ["a", "b"];
        model.Entries["key"] = "value";
        yield return Saved(model);

        var graph = new GraphBuilder();
        var words = graph.IndexInput("words", new Shape(3)).Embedding(5, 4).GruLast(2);
        var image = graph.Input("image", 4, 4, 1).Convolution2D(2, 3, padding: 1).BatchNormalization().Relu().MaxPooling2D(2).Flatten().Affine(2);
        graph.Output((words + image).Softmax());
        model = new Model<float>(graph.Build().CreateNetwork<float>(seed: 2));
        model.Vocabularies["words"] = ["a", "b", "c", "d", "e"];
        yield return Saved(model);
    }

    private static byte[] Saved(Model<float> model)
    {
        using var stream = new MemoryStream();
        model.Save(stream);
        return stream.ToArray();
    }

    private static Network<float> Network()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", 3).Affine(2).BatchNormalization());
        return graph.Build().CreateNetwork<float>(seed: 1);
    }
}
