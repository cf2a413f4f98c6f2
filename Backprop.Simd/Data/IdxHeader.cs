using System.Buffers.Binary;

namespace Backprop.Simd.Data;

/// <summary>
/// The header of an IDX file of unsigned bytes, the format of MNIST (<see href="http://yann.lecun.com/exdb/mnist/"/>): two zero bytes, the
/// type 8, the rank, and a big-endian 32-bit size for each dimension.
/// </summary>
internal static class IdxHeader
{
    private const byte UnsignedByte = 8;

    /// <summary>Reads a header and checks it against the length of the file.</summary>
    /// <exception cref="DataFormatException">The file has another format, is compressed, truncated or too long.</exception>
    public static ArrayHeader Read(string path, Stream stream)
    {
        Span<byte> header = stackalloc byte[4 + 4 * 4];
        var read = stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (read >= 2 && header[0] == 0x1F && header[1] == 0x8B)
            throw new DataFormatException($"'{path}' is compressed with gzip; only an uncompressed file can be mapped.");
        if (read < 4 || header[0] != 0 || header[1] != 0 || header[2] != UnsignedByte || header[3] is < 1 or > 4)
        {
            throw new DataFormatException($"'{path}' starts with {Convert.ToHexString(header[..Math.Min(read, 4)])}; expected 00000801 to 00000804: "
                + "IDX, unsigned bytes, rank 1 to 4.");
        }

        var dimensions = new long[header[3]];
        if (read < 4 + 4 * dimensions.Length)
            throw new DataFormatException($"'{path}' has {read} bytes; its IDX header alone takes {4 + 4 * dimensions.Length}.");
        for (var i = 0; i < dimensions.Length; i++)
            dimensions[i] = BinaryPrimitives.ReadUInt32BigEndian(header[(4 + 4 * i)..]);
        return new ArrayHeader(path, ArrayElement.U1, dimensions, 4 + 4 * dimensions.Length).RequireLength(stream.Length);
    }
}
