using System.Numerics.Tensors;
using Backprop.Simd.Data;

namespace Backprop.Simd.Serialization;

/// <summary>
/// NumPy's files of one array, .npy: <c>Npy.Read("x.npy").ToArray&lt;float&gt;()</c>, <c>Npy.Write("y.npy", values, 100, 10)</c>. What
/// <c>numpy.save</c> writes is read, and what is written <c>numpy.load</c> reads.
/// </summary>
/// <remarks>
/// Read are the versions 1.0, 2.0 and 3.0 of the format (<see href="https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"/>),
/// C and Fortran order, both orders of bytes, and the elements of <see cref="ArrayElement"/>; text, objects, complex numbers and records are
/// refused by name. For files larger than memory see <see cref="DataArray.MapNpy"/>.
/// </remarks>
public static class Npy
{
    /// <summary>The most bytes of elements that are read from a stream by default: 1 GiB.</summary>
    internal const long DefaultMaximumBytes = 1L << 30;

    /// <summary>Reads a file. The array must fill it.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The array.</returns>
    /// <exception cref="DataFormatException">The file has another format, is truncated or too long, or no managed array holds its elements.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static NpyArray Read(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read);
        return Read(stream, NpyHeader.ReadFile(path, stream));
    }

    /// <summary>Reads one array from the position of a stream, and leaves the stream behind it: several arrays may follow each other. The stream
    /// need not be seekable, and stays open.</summary>
    /// <param name="stream">The stream.</param>
    /// <param name="maximumBytes">The most bytes that the elements may have. Memory is taken as they arrive, not as the header says.</param>
    /// <returns>The array.</returns>
    /// <exception cref="ArgumentException">The stream cannot be read.</exception>
    /// <exception cref="DataFormatException">The stream holds something else, ends too early, or the elements have more bytes.</exception>
    public static NpyArray Read(Stream stream, long maximumBytes = DefaultMaximumBytes)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfNegative(maximumBytes);
        if (!stream.CanRead)
            throw new ArgumentException("The stream cannot be read.", nameof(stream));
        return Read(stream, "stream", maximumBytes);
    }

    /// <summary>Writes a file completely or not at all: version 1.0, in C order.</summary>
    /// <typeparam name="T">bool, Half, float, double, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="path">The file. Its directory must exist.</param>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="shape">The sizes, each 0 or more, at most 64, which must have as many elements; none for a single number.</param>
    /// <exception cref="ArgumentException">The shape does not have as many elements as there are values.</exception>
    /// <exception cref="NotSupportedException">There are no arrays of <typeparamref name="T"/>.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void Write<T>(string path, ReadOnlySpan<T> values, params ReadOnlySpan<int> shape) where T : unmanaged =>
        AtomicFile.Write(path, new NpyBlock<T>(values, shape), static (stream, block) => block.Write(stream));

    /// <summary>Writes an array to a stream at its current position. The stream stays open.</summary>
    /// <typeparam name="T">bool, Half, float, double, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="stream">Any stream that can be written to.</param>
    /// <param name="values">The elements, row-major.</param>
    /// <param name="shape">The sizes, each 0 or more, at most 64, which must have as many elements; none for a single number.</param>
    /// <exception cref="ArgumentException">The shape does not have as many elements as there are values, or the stream cannot be written.</exception>
    /// <exception cref="NotSupportedException">There are no arrays of <typeparamref name="T"/>.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void Write<T>(Stream stream, ReadOnlySpan<T> values, params ReadOnlySpan<int> shape) where T : unmanaged
    {
        var block = new NpyBlock<T>(values, shape);
        block.Write(Writable(stream));
    }

    /// <summary>Writes a tensor to a file, completely or not at all. A tensor with gaps or another order is copied first, a dense one is not.</summary>
    /// <typeparam name="T">bool, Half, float, double, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="path">The file. Its directory must exist.</param>
    /// <param name="tensor">The tensor; not the default value, which has no sizes.</param>
    /// <exception cref="ArgumentException">The tensor is the default value, or has more than 64 sizes.</exception>
    /// <exception cref="NotSupportedException">There are no arrays of <typeparamref name="T"/>.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public static void WriteTensor<T>(string path, in ReadOnlyTensorSpan<T> tensor) where T : unmanaged =>
        AtomicFile.Write(path, new NpyBlock<T>(tensor), static (stream, block) => block.Write(stream));

    /// <summary>Writes a tensor to a stream at its current position. The stream stays open.</summary>
    /// <typeparam name="T">bool, Half, float, double, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="stream">Any stream that can be written to.</param>
    /// <param name="tensor">The tensor; not the default value, which has no sizes.</param>
    /// <exception cref="ArgumentException">The tensor is the default value, has more than 64 sizes, or the stream cannot be written.</exception>
    /// <exception cref="NotSupportedException">There are no arrays of <typeparamref name="T"/>.</exception>
    /// <exception cref="IOException">The stream cannot be written.</exception>
    public static void WriteTensor<T>(Stream stream, in ReadOnlyTensorSpan<T> tensor) where T : unmanaged
    {
        var block = new NpyBlock<T>(tensor);
        block.Write(Writable(stream));
    }

    /// <summary>Reads from the position of a stream; <paramref name="name"/> is what messages call it.</summary>
    internal static NpyArray Read(Stream stream, string name, long maximumBytes)
    {
        var header = NpyHeader.Read(name, stream);
        return header.Bytes <= maximumBytes ? Read(stream, header) : throw new DataFormatException(
            $"'{name}' holds {ArrayHeader.Text(header.Dimensions)} elements of {header.Element.Size()} bytes: {header.Bytes} bytes, more than the "
            + $"{maximumBytes} of '{nameof(maximumBytes)}'.");
    }

    internal static Stream Writable(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        return stream.CanWrite ? stream : throw new ArgumentException("The stream cannot be written.", nameof(stream));
    }

    private static NpyArray Read(Stream stream, ArrayHeader header)
    {
        Array elements = header.Element switch
        {
            ArrayElement.F4 => NpyContent.Read<float>(stream, header),
            ArrayElement.F8 => NpyContent.Read<double>(stream, header),
            ArrayElement.F2 => NpyContent.Read<Half>(stream, header),
            ArrayElement.B1 => NpyContent.Read<bool>(stream, header),
            ArrayElement.U1 => NpyContent.Read<byte>(stream, header),
            ArrayElement.I1 => NpyContent.Read<sbyte>(stream, header),
            ArrayElement.I2 => NpyContent.Read<short>(stream, header),
            ArrayElement.U2 => NpyContent.Read<ushort>(stream, header),
            ArrayElement.I4 => NpyContent.Read<int>(stream, header),
            ArrayElement.U4 => NpyContent.Read<uint>(stream, header),
            ArrayElement.I8 => NpyContent.Read<long>(stream, header),
            _ => NpyContent.Read<ulong>(stream, header),
        };
        return new NpyArray($"'{header.Path}'", header.Element, header.Dimensions.ToArray(), elements);
    }
}
