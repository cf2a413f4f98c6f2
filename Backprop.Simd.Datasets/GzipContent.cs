using System.Buffers.Binary;
using System.IO.Compression;

namespace Backprop.Simd.Datasets;

/// <summary>
/// The content of a gzip file (RFC 1952) from the position of a stream to its end: one member or several behind each other.
/// Reading to the end checks everything: each member has its checksum and its length, and nothing comes after the last.
/// </summary>
/// <remarks>
/// <see cref="GZipStream"/> ends silently where a file is cut, and before anything that is no member. Here the checksum is
/// computed from the content, and its eight bytes are looked for behind the compressed data, in the last block that the
/// decompressor took: where they are, the member ends.
/// </remarks>
/// <param name="file">A stream that can seek; it stays open.</param>
/// <param name="name">What messages call it.</param>
internal sealed class GzipContent(Stream file, string name) : ReadOnlyStream
{
    private const int TrailerLength = 8;

    // What is decompressed is still in the cache when its checksum is computed.
    private const int LargestBlock = 1 << 16;

    private readonly Taken _taken = new(file);
    private DeflateStream? _member;
    private Crc32 _checksum;
    private uint _length;
    private bool _ended;

    /// <summary>Whether a stream goes on with a gzip file; its position stays.</summary>
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
        int read = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        if (!header[..read].StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B]))
        {
            throw Broken($"something else begins at its byte {file.Position - read}");
        }

        if (read < header.Length || header[2] != 8 || (header[3] & 0xE0) != 0)
        {
            throw Broken("its header is cut, or of an unknown kind");
        }

        int flags = header[3];
        if ((flags & 0x04) != 0)
        {
            int extra = HeaderByte() | (HeaderByte() << 8);
            Skip(extra);
        }

        for (int texts = ((flags >> 3) & 1) + ((flags >> 4) & 1); texts > 0; texts--)
        {
            while (HeaderByte() != 0)
            {
            }
        }

        Skip((flags & 0x02) != 0 ? 2 : 0);
        _taken.Clear();
        _member = new DeflateStream(_taken, CompressionMode.Decompress, leaveOpen: true);
        _checksum = default;
        _length = 0;
    }

    private void EndMember()
    {
        _member!.Dispose();
        _member = null;
        Span<byte> trailer = stackalloc byte[TrailerLength];
        BinaryPrimitives.WriteUInt32LittleEndian(trailer, _checksum.Value);
        BinaryPrimitives.WriteUInt32LittleEndian(trailer[4..], _length);

        // At least one byte of the last block belongs to the compressed data.
        var block = new byte[_taken.LastLength + TrailerLength];
        file.Position = _taken.LastStart;
        int read = file.ReadAtLeast(block, block.Length, throwOnEndOfStream: false);
        int at = read == 0 ? -1 : block.AsSpan(1, read - 1).IndexOf(trailer);
        if (at < 0)
        {
            throw Broken("it is cut, or its checksum or length differs from that of its content");
        }

        file.Position = _taken.LastStart + 1 + at + TrailerLength;
        _ended = file.Position >= file.Length;
    }

    private void Skip(int count)
    {
        for (int i = 0; i < count; i++)
        {
            HeaderByte();
        }
    }

    private int HeaderByte()
    {
        int value = file.ReadByte();
        return value >= 0 ? value : throw Broken("its header is cut");
    }

    private DatasetFormatException Broken(string why, Exception? inner = null) =>
        inner is null ? new($"{name} is not a whole gzip file: {why}.") : new($"{name} is not a whole gzip file: {why}.", inner);

    /// <summary>Hands the file on to the decompressor and remembers the last block that it took.</summary>
    private sealed class Taken(Stream file) : ReadOnlyStream
    {
        public long LastStart { get; private set; }

        public int LastLength { get; private set; }

        public void Clear() => (LastStart, LastLength) = (file.Position, 0);

        public override int Read(Span<byte> buffer)
        {
            long start = file.Position;
            int read = file.Read(buffer);
            if (read > 0)
            {
                (LastStart, LastLength) = (start, read);
            }

            return read;
        }
    }
}
