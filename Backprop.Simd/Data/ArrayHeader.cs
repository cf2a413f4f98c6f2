using System.Globalization;

namespace Backprop.Simd.Data;

/// <summary>The position, type and sizes of an array in a file.</summary>
internal sealed class ArrayHeader
{
    private readonly long[] _dimensions;

    /// <summary>Checks that some file can hold the array.</summary>
    /// <exception cref="DataFormatException">No file can.</exception>
    public ArrayHeader(string path, ArrayElement element, long[] dimensions, long offset)
    {
        (Path, Element, _dimensions, Offset) = (path, element, dimensions, offset);
        var bytes = (UInt128)element.Size();
        foreach (var dimension in dimensions)
        {
            if (dimension < 0)
                throw new DataFormatException($"'{path}' has the invalid size {dimension} in {Text(dimensions)}.");
            bytes *= (ulong)dimension; // At most 2^63 before, so that it cannot overflow.
            if (bytes > long.MaxValue)
                throw new DataFormatException($"'{path}' claims to hold {Text(dimensions)} elements of {element.Size()} bytes: more than any file can hold.");
        }

        Bytes = (long)bytes;
    }

    public string Path { get; }

    public ArrayElement Element { get; }

    public ReadOnlySpan<long> Dimensions => _dimensions;

    /// <summary>Where the elements begin in the file.</summary>
    public long Offset { get; }

    /// <summary>The bytes of all elements: what the file says.</summary>
    public long Bytes { get; }

    /// <summary>The number of elements.</summary>
    public long Count => Bytes / Element.Size();

    /// <summary>True if the elements are big-endian.</summary>
    public bool IsBigEndian { get; init; }

    /// <summary>True if the first index varies fastest (Fortran order), false if the last does.</summary>
    public bool IsColumnMajor { get; init; }

    /// <summary>Checks that the array fills the file from its offset to the end.</summary>
    /// <exception cref="DataFormatException">The length of the file is different.</exception>
    public ArrayHeader RequireLength(long length) => (UInt128)Offset + (ulong)Bytes == (ulong)length ? this
        : throw new DataFormatException($"'{Path}' has {length} bytes; expected {(UInt128)Offset + (ulong)Bytes}: a header of {Offset} bytes and "
            + $"{Text(_dimensions)} elements of {Element.Size()} bytes.");

    public static string Text(ReadOnlySpan<long> dimensions) =>
        "[" + string.Join(", ", dimensions.ToArray().Select(dimension => dimension.ToString(CultureInfo.InvariantCulture))) + "]";
}
