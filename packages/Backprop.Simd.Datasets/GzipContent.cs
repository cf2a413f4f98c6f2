using System.Buffers.Binary;
using System.IO.Compression;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Datasets;

/// <summary>
/// The content of a gzip file (RFC 1952), from the position of a stream to its end: one or more members. Reading to the end
/// checks everything: each member, even an empty one, has its checksum and length, and nothing, not even zeros, stands between
/// members or after the last.
/// </summary>
/// <remarks><see cref="GZipStream"/> ends silently at a cut, and before anything that is not a member.</remarks>
/// <param name="file">The file from its position on; it stays open.</param>
/// <param name="name">Its name in messages.</param>
internal sealed class GzipContent(Stream file, string name) : ReadOnlyStream
{
    // Small enough that decompressed bytes are still in the cache when their checksum is computed.
    private const int LargestBlock = 1 << 16;

    private readonly GzipBytes _bytes = new(file);
    private DeflateStream? _member;
    private Crc32 _checksum;
    private uint _length;
    private bool _ended;

    /// <summary>Whether a gzip file begins at the position of a stream. The position stays.</summary>
    public static bool IsAhead(Stream file)
    {
        long start = file.Position;
        Span<byte> magic = stackalloc byte[2];
        bool ahead = file.ReadAtLeast(magic, 2, throwOnEndOfStream: false) == 2 && magic is [0x1F, 0x8B];
        file.Position = start;
        return ahead;
    }

    public override int Read(Span<byte> buffer)
    {
        buffer = buffer[..Math.Min(buffer.Length, LargestBlock)];
        while (!_ended && !buffer.IsEmpty)
        {
            if (_member is null)
            {
                StartMember();
            }

            int read = Decompress(buffer);
            if (read > 0)
            {
                _checksum.Append(buffer[..read]);
                _length += (uint)read;
                return read;
            }

            EndMember();
        }

        return 0;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _member?.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Decompress(Span<byte> buffer)
    {
        try
        {
            return _member!.Read(buffer);
        }
        catch (InvalidDataException error)
        {
            throw Broken($"its compressed data are corrupt ({error.Message})", error);
        }
    }

    // Magic, method 8, flags, time (4), extra flags, system; then what the flags announce.
    private void StartMember()
    {
        Span<byte> header = stackalloc byte[10];
        long start = _bytes.Taken;
        if (!_bytes.TryTake(header) || header is not [0x1F, 0x8B, 8, ..] || (header[3] & 0xE0) != 0)
        {
            throw Broken($"a header, at its byte {start}, is cut or of an unknown kind");
        }

        _checksum = default;
        _checksum.Append(header);
        int flags = header[3];
        if ((flags & 0x04) != 0)
        {
            for (int extra = HeaderByte() | (HeaderByte() << 8); extra > 0; extra--)
            {
                HeaderByte();
            }
        }

        for (int texts = ((flags >> 3) & 1) + ((flags >> 4) & 1); texts > 0; texts--)
        {
            while (HeaderByte() != 0)
            {
            }
        }

        uint headerChecksum = _checksum.Value & 0xFFFF;
        if ((flags & 0x02) != 0 && (HeaderByte() | (HeaderByte() << 8)) != headerChecksum)
        {
            throw Broken($"the checksum of a header, at its byte {start}, is wrong");
        }

        _member = new DeflateStream(_bytes, CompressionMode.Decompress, leaveOpen: true);
        _checksum = default;
        _length = 0;
    }

    private void EndMember()
    {
        _member!.Dispose();
        _member = null;
        Span<byte> trailer = stackalloc byte[GzipBytes.TrailerLength];
        if (_bytes.LastLength != 1 || !_bytes.TryTake(trailer))
        {
            throw Broken("it is cut, or something stands between the data of a member and their checksum, or behind that");
        }

        if (BinaryPrimitives.ReadUInt32LittleEndian(trailer) != _checksum.Value || BinaryPrimitives.ReadUInt32LittleEndian(trailer[4..]) != _length)
        {
            throw Broken("the checksum or the length of a member differs from that of its content");
        }

        _ended = !_bytes.Has(1);
    }

    private int HeaderByte()
    {
        Span<byte> value = stackalloc byte[1];
        if (!_bytes.TryTake(value))
        {
            throw Broken("a header is cut");
        }

        _checksum.Append(value);
        return value[0];
    }

    private DatasetFormatException Broken(string why, Exception? inner = null) =>
        inner is null ? new($"{name} is not a whole gzip file: {why}.") : new($"{name} is not a whole gzip file: {why}.", inner);
}
