using System.Globalization;

namespace Backprop.Simd.Data;

/// <summary>The position, type and sizes of an array in a file, checked against the length of the file.</summary>
internal sealed class ArrayHeader
{
    private readonly long[] _dimensions;

    /// <summary>Checks that the array fills the file from its offset to the end.</summary>
    /// <exception cref="DataFormatException">The length of the file is different.</exception>
    public ArrayHeader(string path, ArrayElement element, long[] dimensions, long offset, long length)
    {
        (Element, _dimensions, Offset) = (element, dimensions, offset);
        var bytes = (UInt128)element.Size();
        foreach (var dimension in dimensions)
        {
            if (dimension < 0)
                throw new DataFormatException($"'{path}' has the invalid size {dimension} in {Text(dimensions)}.");
            bytes *= (ulong)dimension; // At most 2^63 before, so that it cannot overflow.
            if (bytes > long.MaxValue)
                throw new DataFormatException($"'{path}' claims to hold {Text(dimensions)} elements of {element.Size()} bytes: more than any file can hold.");
        }

        if ((UInt128)offset + bytes != (ulong)length)
        {
            throw new DataFormatException($"'{path}' has {length} bytes; expected {(UInt128)offset + bytes}: a header of {offset} bytes and "
                + $"{Text(dimensions)} elements of {element.Size()} bytes.");
        }
    }

    public ArrayElement Element { get; }

    public ReadOnlySpan<long> Dimensions => _dimensions;

    public long Offset { get; }

    /// <summary>True if the elements are big-endian.</summary>
    public bool IsBigEndian { get; init; }

    /// <summary>True if the first index varies fastest (Fortran order), false if the last does.</summary>
    public bool IsColumnMajor { get; init; }

    public static string Text(ReadOnlySpan<long> dimensions) =>
        "[" + string.Join(", ", dimensions.ToArray().Select(dimension => dimension.ToString(CultureInfo.InvariantCulture))) + "]";
}
