using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Data;

/// <summary>Reads the elements of a NumPy file and brings them into the order of this machine and of C: last index fastest.</summary>
internal static class NpyContent
{
    /// <summary>Bytes of the first array for a stream whose length is not known, and of each read.</summary>
    private const int BlockBytes = 1 << 16;

    /// <summary>Reads the elements behind a header. A stream that cannot say its length fills an array that grows with what has arrived.</summary>
    /// <typeparam name="TStored">What the array is made of: the element type, or bytes.</typeparam>
    /// <exception cref="DataFormatException">The stream ends too early, or no array holds the elements.</exception>
    public static TStored[] Read<TStored>(Stream stream, ArrayHeader header) where TStored : unmanaged
    {
        var count = header.Bytes / Unsafe.SizeOf<TStored>();
        if (count > Array.MaxLength)
        {
            throw new DataFormatException($"'{header.Path}' holds {ArrayHeader.Text(header.Dimensions)} elements of {header.Element.Size()} bytes, more than "
                + "one managed array holds. Map the file instead.");
        }

        var elements = Fill<TStored>(stream, header, (int)count);
        switch (header.Element.Size())
        {
            case 1:
                return header.Element == ArrayElement.B1 ? Order(Truths(elements), header, static (Span<byte> _) => { })
                    : Order(elements, header, static (Span<byte> _) => { });
            case 2:
                return Order(elements, header, static (Span<ushort> e) => BinaryPrimitives.ReverseEndianness(e, e));
            case 4:
                return Order(elements, header, static (Span<uint> e) => BinaryPrimitives.ReverseEndianness(e, e));
            default:
                return Order(elements, header, static (Span<ulong> e) => BinaryPrimitives.ReverseEndianness(e, e));
        }
    }

    private delegate void InPlace<TElement>(Span<TElement> elements);

    private static TStored[] Fill<TStored>(Stream stream, ArrayHeader header, int count) where TStored : unmanaged
    {
        var block = BlockBytes / Unsafe.SizeOf<TStored>();
        var isThere = false;
        if (stream.CanSeek)
        {
            var rest = Math.Max(0, stream.Length - stream.Position);
            isThere = rest >= header.Bytes;
            if (!isThere)
                throw Ends(header, rest);
        }

        var elements = new TStored[isThere ? count : Math.Min(count, block)];
        for (var filled = 0; filled < count;)
        {
            if (filled == elements.Length)
                Array.Resize(ref elements, (int)Math.Min(count, 2L * elements.Length));
            var part = MemoryMarshal.AsBytes(elements.AsSpan(filled, Math.Min(block, elements.Length - filled)));
            var read = stream.ReadAtLeast(part, part.Length, throwOnEndOfStream: false);
            if (read < part.Length)
                throw Ends(header, (long)filled * Unsafe.SizeOf<TStored>() + read);
            filled += part.Length / Unsafe.SizeOf<TStored>();
        }

        return elements;
    }

    private static DataFormatException Ends(ArrayHeader header, long read) => new($"'{header.Path}' ends after {read} bytes of its elements; "
        + $"{ArrayHeader.Text(header.Dimensions)} elements of {header.Element.Size()} bytes take {header.Bytes}.");

    /// <summary>Makes each byte 0 or 1: a bool has no other.</summary>
    private static TStored[] Truths<TStored>(TStored[] elements) where TStored : unmanaged
    {
        foreach (ref var value in MemoryMarshal.Cast<TStored, byte>(elements.AsSpan()))
            value = value == 0 ? (byte)0 : (byte)1;
        return elements;
    }

    private static TStored[] Order<TStored, TElement>(TStored[] stored, ArrayHeader header, InPlace<TElement> reverse)
        where TStored : unmanaged
        where TElement : unmanaged
    {
        var elements = MemoryMarshal.Cast<TStored, TElement>(stored.AsSpan());
        if (header.IsBigEndian == BitConverter.IsLittleEndian)
            reverse(elements);
        if (!header.IsColumnMajor || header.Dimensions.Length < 2)
            return stored;
        var ordered = new TStored[stored.Length];
        ToRowMajor(elements, MemoryMarshal.Cast<TStored, TElement>(ordered.AsSpan()), header.Dimensions);
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
