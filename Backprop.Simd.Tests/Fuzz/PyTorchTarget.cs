using System.IO.Compression;
using Backprop.Simd.Interchange;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Fuzz;

/// <summary>Files of PyTorch.</summary>
internal static class PyTorchTarget
{
    /// <summary>Bytes that begin like a zip file are one, others are the pickle in one.</summary>
    public static Target Pickle { get; } = new("pickle", Read, Seeds);

    private static readonly Lazy<(Network<float> Network, byte[] Saved)> _network = new(Made);

    private static bool Read(byte[] bytes)
    {
        byte[] numbers = new byte[64];
        using var stream = new MemoryStream(bytes is [(byte)'P', (byte)'K', ..] ? bytes
            : Zip.Of(CompressionLevel.NoCompression, ("a/data.pkl", bytes), ("a/data/0", numbers), ("a/data/1", numbers), ("a/data/2", numbers),
                ("a/data/3", numbers), ("a/data/4", numbers), ("a/data/5", numbers), ("a/data/6", numbers)));
        try
        {
            using var file = PyTorchFile.Open(stream);
            foreach (var tensor in file.Tensors)
                ReadElements(tensor);
            if (file.TryFind("affine1.weight", out _))
                _network.Value.Network.LoadPyTorch(file);
            return true;
        }
        catch (ModelFileException)
        {
            return false;
        }
    }

    private static void ReadElements(PyTorchTensor tensor)
    {
        // A tensor whose sizes repeat a few numbers may be larger than the file.
        if (tensor.Count > 1 << 16)
            return;
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

    private static IEnumerable<byte[]> Seeds()
    {
        var saved = _network.Value.Saved;
        yield return saved;
        yield return Zip.Entry(saved, "data.pkl");
        yield return Zip.Of(CompressionLevel.Optimal, ("a/data.pkl", Zip.Entry(saved, "data.pkl")), ("a/byteorder", "big"u8.ToArray()),
            ("a/data/0", new byte[64]),
            ("a/data/1", new byte[64]), ("a/data/2", new byte[64]), ("a/data/3", new byte[64]), ("a/data/4", new byte[64]), ("a/data/5", new byte[64]));

        // The instructions of other protocols: lists, tuples, frames, names by stack, attributes.
        yield return
        [
            0x80, 4, 0x95, 20, 0, 0, 0, 0, 0, 0, 0, (byte)'}', 0x94, (byte)'(', 0x8c, 1, (byte)'a', 0x94, (byte)']', (byte)'(', (byte)'K', 1, (byte)'M', 1, 1,
            (byte)'J', 1, 0, 0, 0, 0x8a, 1, 1, (byte)'e', 0x8c, 1, (byte)'b', (byte)'G', 0, 0, 0, 0, 0, 0, 0, 0, 0x8c, 1, (byte)'c', 0x8c, 11,
            .. "collections"u8, 0x8c, 11, .. "OrderedDict"u8, 0x93, (byte)')', (byte)'R', (byte)'}', (byte)'b', (byte)'X', 1, 0, 0, 0, (byte)'d',
            (byte)'N', 0x85, 0x8c, 1, (byte)'w', 0x8c, 12, .. "torch._utils"u8, 0x8c, 18, .. "_rebuild_tensor_v2"u8, 0x93, (byte)'(', (byte)'(',
            0x8c, 7, .. "storage"u8, 0x8c, 5, .. "torch"u8, 0x8c, 12, .. "FloatStorage"u8, 0x93, 0x8c, 1, (byte)'0', 0x8c, 3, .. "cpu"u8, (byte)'K', 16,
            (byte)'t', (byte)'Q', (byte)'K', 0, (byte)'K', 2, (byte)'K', 3, 0x86, (byte)'K', 3, (byte)'K', 1, 0x86, 0x89, (byte)'}', (byte)'t', (byte)'R',
            0x8c, 1, (byte)'v', (byte)'h', 1, (byte)'u', (byte)'.',
        ];
    }

    private static (Network<float>, byte[]) Made()
    {
        var network = GraphBuilder.Chain(3).Affine(2).BatchNormalization().Build<float>(seed: 1);
        using var stream = new MemoryStream();
        network.SavePyTorch(stream);
        return (network, stream.ToArray());
    }
}
