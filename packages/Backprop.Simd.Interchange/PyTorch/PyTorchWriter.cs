using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>Writes tensors as <c>torch.save</c> writes a state dictionary: a zip archive, not compressed, with a pickle of protocol 2.</summary>
internal static class PyTorchWriter
{
    private const string Folder = "archive";

    /// <summary>Writes tensors of one type to a stream.</summary>
    public static void Write<T>(Stream stream, ITensorFile tensors)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
        Write(archive, "data.pkl", Pickle<T>(tensors));
        Write(archive, "byteorder", "little"u8);
        for (var i = 0; i < tensors.Tensors.Count; i++)
        {
            var tensor = tensors.Tensors[i];
            var values = new T[Count(tensor)];
            tensor.Read<T>(values);
            using var data = archive.CreateEntry($"{Folder}/data/{i}", CompressionLevel.NoCompression).Open();
            const int Block = 1 << 17; // Elements; the bytes of a block fit an int.
            for (var rest = values.AsSpan(); !rest.IsEmpty; rest = rest[Math.Min(Block, rest.Length)..])
                data.Write(MemoryMarshal.AsBytes(rest[..Math.Min(Block, rest.Length)]));
        }

        Write(archive, "version", "3\n"u8);
    }

    private static void Write(ZipArchive archive, string name, ReadOnlySpan<byte> bytes)
    {
        using var entry = archive.CreateEntry($"{Folder}/{name}", CompressionLevel.NoCompression).Open();
        entry.Write(bytes);
    }

    private static byte[] Pickle<T>(ITensorFile tensors)
        where T : unmanaged
    {
        var pickle = new MemoryStream();
        pickle.Write([0x80, 2]);
        EmptyDictionary(pickle);
        pickle.WriteByte((byte)'(');
        for (var i = 0; i < tensors.Tensors.Count; i++)
        {
            var tensor = tensors.Tensors[i];
            var shape = tensor.Shape;
            var strides = new long[shape.Length];
            for (var (d, stride) = (shape.Length - 1, 1L); d >= 0; stride *= shape[d--])
                strides[d] = stride;
            Text(pickle, tensor.Name);
            pickle.Write("ctorch._utils\n_rebuild_tensor_v2\n(("u8);
            Text(pickle, "storage");
            pickle.Write(Encoding.ASCII.GetBytes($"ctorch\n{PickleCalls.StorageOf(TensorElements.Of<T>())}\n"));
            Text(pickle, i.ToString(System.Globalization.CultureInfo.InvariantCulture));
            Text(pickle, "cpu");
            Integer(pickle, Count(tensor));
            pickle.Write("tQ"u8);
            Integer(pickle, 0);
            Tuple(pickle, shape);
            Tuple(pickle, strides);
            pickle.WriteByte(0x89);
            EmptyDictionary(pickle);
            pickle.Write("tR"u8);
        }

        pickle.Write("u."u8);
        return pickle.ToArray();
    }

    private static void EmptyDictionary(Stream pickle) => pickle.Write("ccollections\nOrderedDict\n)R"u8);

    private static void Tuple(Stream pickle, ReadOnlySpan<long> numbers)
    {
        pickle.WriteByte((byte)'(');
        foreach (var number in numbers)
            Integer(pickle, number);
        pickle.WriteByte((byte)'t');
    }

    private static void Integer(Stream pickle, long number)
    {
        Span<byte> bytes = stackalloc byte[10];
        if (number == (int)number)
        {
            bytes[0] = (byte)'J';
            BinaryPrimitives.WriteInt32LittleEndian(bytes[1..], (int)number);
            pickle.Write(bytes[..5]);
            return;
        }

        (bytes[0], bytes[1]) = (0x8a, 8);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[2..], number);
        pickle.Write(bytes);
    }

    private static void Text(Stream pickle, string text)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        Span<byte> length = stackalloc byte[5];
        length[0] = (byte)'X';
        BinaryPrimitives.WriteInt32LittleEndian(length[1..], utf8.Length);
        pickle.Write(length);
        pickle.Write(utf8);
    }

    private static long Count(INamedTensor tensor)
    {
        var count = 1L;
        foreach (var size in tensor.Shape)
            count *= size;
        return count;
    }
}
