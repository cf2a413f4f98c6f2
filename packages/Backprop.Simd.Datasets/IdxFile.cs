using System.Buffers.Binary;

namespace Backprop.Simd.Datasets;

/// <summary>
/// The content of an IDX file of unsigned bytes, the format of MNIST (<see href="http://yann.lecun.com/exdb/mnist/"/>):
/// two zero bytes, the element type (0x08), the rank, then one big-endian 32-bit size per dimension, then the elements
/// in row-major order. A file may be compressed with gzip, which its first two bytes (1F 8B) show.
/// </summary>
/// <remarks>
/// The header is checked against the length of the file before anything is allocated; a plain file is then read straight into
/// its array. The length of a gzip file's content is not known ahead: the buffer starts at no more than eight times the file and grows
/// with the bytes that really come, never with what the header claims, and never beyond a maximum. Several members, empty ones too, are
/// one file. A wrong checksum, a cut, and anything between members or after the last, even padding, are refused.
/// </remarks>
public sealed class IdxFile
{
    /// <summary>The bytes that a gzip file may decompress to by default: 1 GiB.</summary>
    public const long DefaultMaximumDecompressedBytes = 1L << 30;

    private const byte UnsignedByte = 0x08;
    private const int FirstBuffer = 1 << 16;

    // MNIST shrinks to 1 / 4.7.
    private const int LikelyRatio = 8;

    private readonly int[] _dimensions;
    private readonly byte[] _data;

    private IdxFile(int[] dimensions, byte[] data)
    {
        _dimensions = dimensions;
        _data = data;
    }

    /// <summary>The sizes: <c>[images, rows, columns]</c> or <c>[labels]</c>.</summary>
    public ReadOnlyMemory<int> Dimensions => _dimensions;

    /// <summary>The elements in row-major order: the product of <see cref="Dimensions"/>.</summary>
    public ReadOnlyMemory<byte> Data => _data;

    /// <summary>Reads images: unsigned bytes of rank 3, <c>[images, rows, columns]</c>.</summary>
    /// <param name="path">The file, plain or gzip.</param>
    /// <param name="maximumDecompressedBytes">The most bytes that a gzip file may decompress to, header included.</param>
    /// <returns>The content.</returns>
    /// <exception cref="DatasetFormatException">The file is not such an IDX file, or is truncated, too long or corrupt,
    /// or decompresses to more than the maximum.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static IdxFile ReadImages(string path, long maximumDecompressedBytes = DefaultMaximumDecompressedBytes) =>
        ReadFile(path, rank: 3, maximumDecompressedBytes);

    /// <summary>Reads images from the position of a stream to its end. The stream stays open.</summary>
    /// <param name="stream">A stream that can seek, plain or gzip.</param>
    /// <param name="maximumDecompressedBytes">The most bytes that a gzip file may decompress to, header included.</param>
    /// <returns>The content.</returns>
    /// <exception cref="ArgumentException">The stream cannot read or seek.</exception>
    /// <exception cref="DatasetFormatException">The bytes are not such an IDX file, or are truncated, too long or corrupt,
    /// or decompress to more than the maximum.</exception>
    public static IdxFile ReadImages(Stream stream, long maximumDecompressedBytes = DefaultMaximumDecompressedBytes) =>
        ReadStream(stream, rank: 3, maximumDecompressedBytes, name: "The stream");

    /// <summary>Reads labels: unsigned bytes of rank 1.</summary>
    /// <param name="path">The file, plain or gzip.</param>
    /// <param name="maximumDecompressedBytes">The most bytes that a gzip file may decompress to, header included.</param>
    /// <returns>The content.</returns>
    /// <exception cref="DatasetFormatException">The file is not such an IDX file, or is truncated, too long or corrupt,
    /// or decompresses to more than the maximum.</exception>
    /// <exception cref="IOException">The file does not exist or cannot be read.</exception>
    public static IdxFile ReadLabels(string path, long maximumDecompressedBytes = DefaultMaximumDecompressedBytes) =>
        ReadFile(path, rank: 1, maximumDecompressedBytes);

    /// <summary>Reads labels from the position of a stream to its end. The stream stays open.</summary>
    /// <param name="stream">A stream that can seek, plain or gzip.</param>
    /// <param name="maximumDecompressedBytes">The most bytes that a gzip file may decompress to, header included.</param>
    /// <returns>The content.</returns>
    /// <exception cref="ArgumentException">The stream cannot read or seek.</exception>
    /// <exception cref="DatasetFormatException">The bytes are not such an IDX file, or are truncated, too long or corrupt,
    /// or decompress to more than the maximum.</exception>
    public static IdxFile ReadLabels(Stream stream, long maximumDecompressedBytes = DefaultMaximumDecompressedBytes) =>
        ReadStream(stream, rank: 1, maximumDecompressedBytes, name: "The stream");

    private static IdxFile ReadFile(string path, int rank, long maximumDecompressedBytes)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);

        // Unbuffered: a read goes straight into its array.
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return ReadStream(stream, rank, maximumDecompressedBytes, $"'{path}'");
    }

    private static IdxFile ReadStream(Stream stream, int rank, long maximumDecompressedBytes, string name)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentOutOfRangeException.ThrowIfLessThan(maximumDecompressedBytes, 1);
        if (!stream.CanRead || !stream.CanSeek)
        {
            throw new ArgumentException("Expected a stream that can read and seek.", nameof(stream));
        }

        if (!GzipContent.IsAhead(stream))
        {
            long length = stream.Length - stream.Position;
            return ReadContent(stream, length, maximum: long.MaxValue, firstBuffer: length, rank, name);
        }

        long likely = Math.Max(FirstBuffer, LikelyRatio * (stream.Length - stream.Position));
        using var content = new GzipContent(stream, name);
        return ReadContent(content, length: null, maximumDecompressedBytes, likely, rank, name);
    }

    private static IdxFile ReadContent(
        Stream content, long? length, long maximum, long firstBuffer, int rank, string name)
    {
        Span<byte> header = stackalloc byte[4 + (4 * rank)];
        int read = content.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (read >= 4 && (header[0] != 0 || header[1] != 0 || header[2] != UnsignedByte || header[3] != rank))
        {
            throw new DatasetFormatException(
                $"{name} starts with {Convert.ToHexString(header[..4])}; expected 000008{rank:X2}, IDX unsigned bytes of rank {rank}.");
        }

        if (read < header.Length)
        {
            throw new DatasetFormatException($"{name} has {read} bytes; the IDX header alone takes {header.Length}.");
        }

        // Sizes after the first must be positive, so that the running product bounds every partial product.
        var dimensions = new int[rank];
        long size = 1;
        for (int i = rank - 1; i >= 0; i--)
        {
            uint dimension = BinaryPrimitives.ReadUInt32BigEndian(header[(4 + (4 * i))..]);
            size = dimension <= int.MaxValue ? size * dimension : long.MaxValue;
            if (size > Array.MaxLength || (dimension == 0 && i > 0))
            {
                throw new DatasetFormatException($"{name} has the size {dimension} in dimension {i}: not a size that can be read.");
            }

            dimensions[i] = (int)dimension;
        }

        if (length is { } known && known != header.Length + size)
        {
            throw new DatasetFormatException(
                $"{name} has {known} bytes; its header [{string.Join(", ", dimensions)}] asks for {header.Length + size}.");
        }

        if (header.Length + size > maximum)
        {
            throw new DatasetFormatException(
                $"{name} would decompress to {header.Length + size} bytes; the maximum is {maximum}.");
        }

        byte[] data = ReadBody(content, (int)size, firstBuffer, name);
        return content.ReadByte() < 0
            ? new IdxFile(dimensions, data)
            : throw new DatasetFormatException($"{name} goes on after the {size} bytes that its header [{string.Join(", ", dimensions)}] asks for.");
    }

    // Data that fit the first buffer go straight into their array. Beyond it, at most twice the bytes that really come are
    // allocated.
    private static byte[] ReadBody(Stream content, int size, long firstBuffer, string name)
    {
        byte[] data = GC.AllocateUninitializedArray<byte>((int)Math.Min(size, firstBuffer));
        int filled = 0;
        while (true)
        {
            int wanted = data.Length - filled;
            int read = content.ReadAtLeast(data.AsSpan(filled), wanted, throwOnEndOfStream: false);
            filled += read;
            if (read < wanted)
            {
                throw new DatasetFormatException($"{name} ends after {filled} of {size} bytes of data.");
            }

            if (filled == size)
            {
                return data;
            }

            byte[] larger = GC.AllocateUninitializedArray<byte>((int)Math.Min(size, 2L * data.Length));
            data.CopyTo(larger, 0);
            data = larger;
        }
    }
}
