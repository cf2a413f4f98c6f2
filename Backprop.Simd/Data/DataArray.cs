using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Data;

/// <summary>
/// An array in a file, mapped or read into memory. Its first dimension counts examples. Columns read from the array.
/// </summary>
/// <remarks>
/// <para>A mapped array may be larger than memory: the system reads pages when a batch needs them, and drops them again. Do not shorten the file
/// while it is mapped: the system ends a process that reads a missing page.</para>
/// <para>Once the array is disposed, its columns throw <see cref="ObjectDisposedException"/>. A read that is already running completes.</para>
/// </remarks>
public sealed class DataArray : IDisposable
{
    private readonly ArrayHeader _header;
    private readonly ArrayStore _store;
    private volatile bool _disposed;

    private DataArray(string path, ArrayHeader header, ArrayStore store) => (Path, _header, _store) = (path, header, store);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The element type.</summary>
    public ArrayElement Element => _header.Element;

    /// <summary>The sizes. The first is the number of examples.</summary>
    public ReadOnlySpan<long> Dimensions => _header.Dimensions;

    /// <summary>
    /// Maps a NumPy array file (.npy) of version 1.0, 2.0 or 3.0 with Half, float, double, truth values or integers, little-endian and in C order.
    /// <see cref="ReadNpy"/> also reads the other orders.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <returns>The array.</returns>
    /// <exception cref="DataFormatException">The file has another format, is truncated or too long, is big-endian or in Fortran order.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static DataArray MapNpy(string path) => Map(path, (name, stream) =>
    {
        var header = NpyHeader.ReadFile(name, stream);
        return header.IsBigEndian || (header.IsColumnMajor && header.Dimensions.Length > 1)
            ? throw new DataFormatException($"'{name}' is {(header.IsBigEndian ? "big-endian" : "in Fortran order")}; only little-endian elements in "
                + $"C order can be mapped. Read the file into memory with {nameof(DataArray)}.{nameof(ReadNpy)}.")
            : header;
    });

    /// <summary>Maps an uncompressed IDX file of unsigned bytes, of rank 1 to 4.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The array.</returns>
    /// <exception cref="DataFormatException">The file has another format, is truncated or too long.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static DataArray MapIdx(string path) => Map(path, IdxHeader.Read);

    /// <summary>Maps a file of little-endian elements, one example after the other.</summary>
    /// <param name="path">The file.</param>
    /// <param name="element">The element type.</param>
    /// <param name="shape">The shape of one example.</param>
    /// <param name="offset">The bytes before the first element, 0 or more.</param>
    /// <returns>The array. The length of the file gives the number of examples.</returns>
    /// <exception cref="DataFormatException">The file is empty, shorter than the offset, or ends within an example.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static DataArray MapRaw(string path, ArrayElement element, Shape shape, long offset = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var rowBytes = (long)shape.Size * element.Size();
        return Map(path, (name, stream) =>
        {
            var bytes = stream.Length - offset;
            if (bytes < 0 || bytes % rowBytes != 0)
            {
                throw new DataFormatException($"'{name}' has {stream.Length} bytes; expected {offset} and a multiple of {rowBytes}, "
                    + $"the bytes of an example {shape} of {element}.");
            }

            var dimensions = new long[1 + shape.Rank];
            dimensions[0] = bytes / rowBytes;
            for (var i = 0; i < shape.Rank; i++)
                dimensions[i + 1] = shape[i];
            return new ArrayHeader(name, element, dimensions, offset).RequireLength(stream.Length);
        });
    }

    /// <summary>Reads a NumPy array file into memory. Unlike <see cref="MapNpy"/>, it also accepts big-endian elements and Fortran order.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The array. It need not be disposed and does not follow changes of the file.</returns>
    /// <exception cref="DataFormatException">The file has another format, is truncated, too long, or too large for one managed array.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static DataArray ReadNpy(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        var header = NpyHeader.ReadFile(path, stream);
        var bytes = NpyContent.Read<byte>(stream, header);
        return new DataArray(path, new ArrayHeader(path, header.Element, header.Dimensions.ToArray(), offset: 0), ArrayStore.Of<byte>(bytes));
    }

    /// <summary>A column of numbers from Half, float or double, converted to <typeparamref name="T"/> and rounded to nearest.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="shape">The shape of one example; null for the dimensions after the first.</param>
    /// <returns>The column.</returns>
    /// <exception cref="DataFormatException">The elements have another type, or do not fit this shape.</exception>
    public ValueColumn<T> Values<T>(string name, Shape? shape = null) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (row, count) = Rows(name, shape);
        return Element switch
        {
            ArrayElement.F4 when typeof(T) == typeof(float) => Values<T, T, SameElements<T>>(name, row, count, default),
            ArrayElement.F8 when typeof(T) == typeof(double) => Values<T, T, SameElements<T>>(name, row, count, default),
            ArrayElement.F2 => Values<Half, T, RoundedElements<Half, T>>(name, row, count, default),
            ArrayElement.F4 => Values<float, T, RoundedElements<float, T>>(name, row, count, default),
            ArrayElement.F8 => Values<double, T, RoundedElements<double, T>>(name, row, count, default),
            _ => throw Unexpected(name, "F2, F4 or F8"),
        };
    }

    /// <summary>A column of bytes that stand for fractions: byte / maximum, correctly rounded to <typeparamref name="T"/>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="shape">The shape of one example; null for the dimensions after the first.</param>
    /// <param name="maximum">The byte that stands for 1, positive and finite. With 1, the bytes keep their values.</param>
    /// <returns>The column.</returns>
    /// <exception cref="DataFormatException">The elements have another type, or do not fit this shape.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="maximum"/> is not positive and finite.</exception>
    public ValueColumn<T> Bytes<T>(string name, Shape? shape = null, double maximum = 255) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (row, count) = Rows(name, shape);
        return Element == ArrayElement.U1
            ? Values<byte, T, ScaledBytes<T>>(name, row, count, new(maximum))
            : throw Unexpected(name, "U1");
    }

    /// <summary>A column of integers from integers or truth values (1 for true). Reading an integer that does not fit 32 bits throws.</summary>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="shape">The shape of one example; null for the dimensions after the first.</param>
    /// <returns>The column.</returns>
    /// <exception cref="DataFormatException">The elements have another type, or do not fit this shape.</exception>
    public IndexColumn Indices(string name, Shape? shape = null)
    {
        var (row, count) = Rows(name, shape);
        return Element switch
        {
            ArrayElement.U1 => Indices<byte, RoundedElements<byte, int>>(name, row, count),
            ArrayElement.I4 => Indices<int, SameElements<int>>(name, row, count),
            ArrayElement.I8 => Indices<long, NarrowedElements<long>>(name, row, count),
            ArrayElement.U4 => Indices<uint, NarrowedElements<uint>>(name, row, count),
            ArrayElement.U8 => Indices<ulong, NarrowedElements<ulong>>(name, row, count),
            ArrayElement.I1 => Indices<sbyte, RoundedElements<sbyte, int>>(name, row, count),
            ArrayElement.I2 => Indices<short, RoundedElements<short, int>>(name, row, count),
            ArrayElement.U2 => Indices<ushort, RoundedElements<ushort, int>>(name, row, count),
            ArrayElement.B1 => Indices<byte, TruthElements>(name, row, count),
            _ => throw Unexpected(name, "integers or truth values"),
        };
    }

    /// <summary>A column of class labels. All dimensions of the array after the first must have size 1.</summary>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="classes">The number of classes, to read and check all labels now; null to let the loss check them.</param>
    /// <returns>The column, of shape <see cref="Shape.Scalar"/>.</returns>
    /// <exception cref="DataFormatException">The elements have another type, an example has more than one, or a label is outside 0 to
    /// <paramref name="classes"/> - 1.</exception>
    public IndexColumn Labels(string name, int? classes = null)
    {
        var labels = Indices(name, Shape.Scalar);
        if (classes is not { } limit)
            return labels;
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1, nameof(classes));
        int[] rows = new int[Math.Min(labels.Count, 1 << 12)], read = new int[rows.Length];
        for (var start = 0; start < labels.Count; start += rows.Length)
        {
            var n = Math.Min(rows.Length, labels.Count - start);
            for (var i = 0; i < n; i++)
                rows[i] = start + i;
            labels.Read(rows.AsSpan(0, n), read);
            var outside = read.AsSpan(0, n).IndexOfAnyExceptInRange(0, limit - 1);
            if (outside >= 0)
                throw new DataFormatException($"'{Path}' has the label {read[outside]} in row {start + outside}; expected 0 to {limit - 1}.");
        }

        return labels;
    }

    /// <summary>Ends the mapping when running reads are done. From now on, columns of this array throw.</summary>
    public void Dispose()
    {
        _disposed = true;
        (_store as IDisposable)?.Dispose();
    }

    private static DataArray Map(string path, Func<string, Stream, ArrayHeader> read)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArrayHeader header;
        long length;
        using (var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read))
        {
            length = stream.Length;
            header = length > 0 ? read(path, stream) : throw new DataFormatException($"'{path}' is empty.");
        }

        var store = new MappedStore(path);
        if (store.Length == length)
            return new DataArray(path, header, store);
        store.Dispose();
        throw new DataFormatException($"'{path}' had {length} bytes and now has {store.Length}: somebody is writing to it.");
    }

    /// <summary>The shape of one example, and the number of examples.</summary>
    private (Shape Row, int Count) Rows(string name, Shape? shape)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (Dimensions.IsEmpty)
            throw new DataFormatException($"'{Path}' holds a single number; '{name}' needs a dimension that counts examples.");
        if (Dimensions[0] > int.MaxValue)
            throw new DataFormatException($"'{Path}' holds {Dimensions[0]} examples; a column has at most {int.MaxValue}.");
        var size = (UInt128)1;
        foreach (var dimension in Dimensions[1..])
            size = size * (ulong)dimension <= int.MaxValue ? size * (ulong)dimension : int.MaxValue + 1UL;
        if (shape is { } row)
        {
            return size == (UInt128)row.Size ? (row, (int)Dimensions[0])
                : throw new DataFormatException($"'{Path}' holds {ArrayHeader.Text(Dimensions)}; '{name}' {row} takes {row.Size} elements for each example.");
        }

        if (size == 0 || size > int.MaxValue || Dimensions.Length > Shape.MaxRank + 1)
        {
            throw new DataFormatException($"'{Path}' holds {ArrayHeader.Text(Dimensions)}; an example must have 1 to {Shape.MaxRank} dimensions, "
                + "each 1 or more, and at most 2^31 - 1 elements.");
        }

        var sizes = new int[Dimensions.Length - 1];
        for (var i = 0; i < sizes.Length; i++)
            sizes[i] = (int)Dimensions[i + 1];
        return (new Shape(sizes), (int)Dimensions[0]);
    }

    private StoredValues<TStored, T, TConversion> Values<TStored, T, TConversion>(string name, Shape shape, int count, TConversion conversion)
        where TStored : unmanaged
        where T : unmanaged, IFloatingPointIeee754<T>
        where TConversion : struct, IElementConversion<TStored, T> => new(name, shape, count, _store, _header.Offset, conversion);

    private StoredIndices<TStored, TConversion> Indices<TStored, TConversion>(string name, Shape shape, int count)
        where TStored : unmanaged
        where TConversion : struct, IElementConversion<TStored, int> => new(name, shape, count, _store, _header.Offset, default);

    private DataFormatException Unexpected(string name, string expected) =>
        new($"'{Path}' holds elements of type {Element}; '{name}' takes {expected}.");
}
