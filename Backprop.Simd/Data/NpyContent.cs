using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Data;

/// <summary>Reads the elements of a NumPy file and converts them to the order of columns: little-endian, last index fastest.</summary>
internal static class NpyContent
{
    /// <summary>Reads the elements after a header.</summary>
    public static byte[] Read(Stream stream, ArrayHeader header)
    {
        var bytes = new byte[stream.Length - header.Offset];
        stream.Position = header.Offset;
        stream.ReadExactly(bytes);
        return header.Element.Size() switch
        {
            1 => Order<byte>(bytes, header, static _ => { }),
            2 => Order<ushort>(bytes, header, static e => BinaryPrimitives.ReverseEndianness(e, e)),
            4 => Order<uint>(bytes, header, static e => BinaryPrimitives.ReverseEndianness(e, e)),
            _ => Order<ulong>(bytes, header, static e => BinaryPrimitives.ReverseEndianness(e, e)),
        };
    }

    private delegate void InPlace<TElement>(Span<TElement> elements);

    private static byte[] Order<TElement>(byte[] bytes, ArrayHeader header, InPlace<TElement> reverse) where TElement : unmanaged
    {
        var elements = MemoryMarshal.Cast<byte, TElement>(bytes.AsSpan());
        if (header.IsBigEndian)
            reverse(elements);
        if (!header.IsColumnMajor || header.Dimensions.Length < 2)
            return bytes;
        var ordered = new byte[bytes.Length];
        ToRowMajor(elements, MemoryMarshal.Cast<byte, TElement>(ordered.AsSpan()), header.Dimensions);
        return ordered;
    }

    /// <summary>Reads the elements in the order of the file (first index fastest) and stores each at its position.</summary>
    private static void ToRowMajor<TElement>(ReadOnlySpan<TElement> source, Span<TElement> destination, ReadOnlySpan<long> dimensions)
    {
        var (index, strides, stride) = (new long[dimensions.Length], new long[dimensions.Length], 1L);
        for (var d = dimensions.Length - 1; d >= 0; d--)
        {
            strides[d] = stride;
            stride *= dimensions[d];
        }

        var at = 0L;
        foreach (var element in source)
        {
            destination[(int)at] = element;
            for (var d = 0; d < index.Length; d++)
            {
                at += strides[d];
                if (++index[d] < dimensions[d])
                    break;
                at -= strides[d] * dimensions[d];
                index[d] = 0;
            }
        }
    }
}
