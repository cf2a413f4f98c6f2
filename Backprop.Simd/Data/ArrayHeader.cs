using System.Globalization;

namespace Backprop.Simd.Data;

/// <summary>Where an array lies in a file, and what it is; checked against the length of the file.</summary>
internal sealed class ArrayHeader
{
    private readonly long[] _dimensions;

    /// <summary>Checks that the array fills the file from its offset to the end.</summary>
    /// <exception cref="DataFormatException">It does not.</exception>
    public ArrayHeader(string path, ArrayElement element, long[] dimensions, long offset, long length)
    {
        (Element, _dimensions, Offset) = (element, dimensions, offset);
        var bytes = (UInt128)element.Size();
        foreach (var dimension in dimensions)
        {
            if (dimension < 0)
                throw new DataFormatException($"'{path}' has the size {dimension} in {Text(dimensions)}: not a size.");
            bytes *= (ulong)dimension; // 2^63 at most before, so that nothing overflows.
            if (bytes > long.MaxValue)
                throw new DataFormatException($"'{path}' says that it holds {Text(dimensions)} elements of {element.Size()} bytes: more than any file.");
        }

        if ((UInt128)offset + bytes != (ulong)length)
            throw new DataFormatException($"'{path}' has {length} bytes; {Text(dimensions)} elements of {element.Size()} bytes behind {offset} bytes of header make {(UInt128)offset + bytes}.");
    }

    public ArrayElement Element { get; }

    public ReadOnlySpan<long> Dimensions => _dimensions;

    public long Offset { get; }

    /// <summary>True where the bytes of an element stand in the other order.</summary>
    public bool IsBigEndian { get; init; }

    /// <summary>True where the first index counts fastest (Fortran order), not the last.</summary>
    public bool IsColumnMajor { get; init; }

    public static string Text(ReadOnlySpan<long> dimensions) =>
        "[" + string.Join(", ", dimensions.ToArray().Select(dimension => dimension.ToString(CultureInfo.InvariantCulture))) + "]";
}
