using System.IO.Compression;
using System.Text;

namespace Backprop.Simd.Tests.Interchange;

/// <summary>Makes archives and pickles, right ones and others.</summary>
internal static class PyTorchZip
{
    public static byte[] Of(params (string Name, byte[] Bytes)[] entries)
    {
        var memory = new MemoryStream();
        using (var archive = new ZipArchive(memory, ZipArchiveMode.Create))
        {
            foreach (var (name, bytes) in entries)
            {
                using var stream = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
                stream.Write(bytes);
            }
        }

        return memory.ToArray();
    }

    /// <summary>The same entries, compressed.</summary>
    public static byte[] Repacked(Stream file, CompressionLevel level)
    {
        var memory = new MemoryStream();
        using var from = new ZipArchive(file, ZipArchiveMode.Read, leaveOpen: true);
        using (var to = new ZipArchive(memory, ZipArchiveMode.Create))
        {
            foreach (var entry in from.Entries)
            {
                using var source = entry.Open();
                using var copy = to.CreateEntry(entry.FullName, level).Open();
                source.CopyTo(copy);
            }
        }

        file.Position = 0;
        return memory.ToArray();
    }

    /// <summary>An archive of a pickle and a storage of some bytes.</summary>
    public static byte[] File(byte[] pickle, int bytes = 64) => Of(("a/data.pkl", pickle), ("a/data/0", new byte[bytes]));

    /// <summary>The pickle of a dictionary with one value, w.</summary>
    public static byte[] Pickle(byte[] value) => [0x80, 2, (byte)'}', .. Text("w"), .. value, (byte)'s', (byte)'.'];

    /// <summary>A tensor of floats in a storage.</summary>
    public static byte[] Tensor(long count, long[] sizes, long[] strides, long offset = 0) =>
    [
        .. "ctorch._utils\n_rebuild_tensor_v2\n(("u8, .. Text("storage"), .. "ctorch\nFloatStorage\n"u8, .. Text("0"), .. Text("cpu"),
        .. Integer(count), .. "tQ"u8, .. Integer(offset), .. Tuple(sizes), .. Tuple(strides), 0x89, .. "}tR"u8,
    ];

    public static byte[] Text(string text) => [(byte)'X', .. BitConverter.GetBytes(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Integer(long number) => [0x8a, 8, .. BitConverter.GetBytes(number)];

    private static byte[] Tuple(long[] numbers) => [(byte)'(', .. numbers.SelectMany(Integer), (byte)'t'];
}
