using System.IO.Compression;
using Backprop.Simd.Data;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Fuzz;

/// <summary>Files of NumPy.</summary>
internal static class ArrayTargets
{
    public static Target Npy { get; } = new("npy", bytes => Take(() => Use(Serialization.Npy.Read(new MemoryStream(bytes)))), Arrays);

    /// <summary>Bytes that begin like a zip file are one, others are the array in one: the checksum of an entry hides what reads it.</summary>
    public static Target Npz { get; } = new("npz", ReadArchive, Archives);

    private static bool ReadArchive(byte[] bytes) => Take(() =>
    {
        var file = bytes is [(byte)'P', (byte)'K', ..] ? bytes : Zip.Of(CompressionLevel.Fastest, ("x.npy", bytes));
        foreach (var array in Serialization.Npz.Read(new MemoryStream(file)).Values)
            Use(array);
    });

    private static void Use(NpyArray array) => _ = array.Element is ArrayElement.F2 or ArrayElement.F4 or ArrayElement.F8
        ? array.ToArray<double>().Length : array.ToArray<decimal>().Length;

    private static bool Take(Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (DataFormatException)
        {
            return false;
        }
    }

    private static IEnumerable<byte[]> Arrays() =>
    [
        Written<float>([1, 2, 3, 4, 5, 6], 2, 3), Written<double>([1.5], []), Written<bool>([true, false], 2), Written<long>([], 0, 3),
        Written<Half>([(Half)1, (Half)2, (Half)3, (Half)4, (Half)5, (Half)6, (Half)7, (Half)8], 2, 2, 2),
        [0x93, .. "NUMPY"u8, 2, 0, 72, 0, 0, 0, .. "{'descr': '>i2', 'fortran_order': True, 'shape': (2L, 2), }            \n"u8, 0, 1, 0, 2, 0, 3, 0, 4],
    ];

    private static IEnumerable<byte[]> Archives()
    {
        foreach (var compress in (bool[])[false, true])
        {
            using var stream = new MemoryStream();
            Serialization.Npz.Write(stream, file =>
            {
                file.Add<float>("x", [1, 2, 3, 4], 2, 2);
                file.Add<byte>("a/y", new byte[100], 100);
            }, compress);
            yield return stream.ToArray();
        }

        foreach (var array in Arrays())
            yield return array;
    }

    private static byte[] Written<T>(ReadOnlySpan<T> values, params ReadOnlySpan<int> shape)
        where T : unmanaged
    {
        using var stream = new MemoryStream();
        Serialization.Npy.Write(stream, values, shape);
        return stream.ToArray();
    }
}
