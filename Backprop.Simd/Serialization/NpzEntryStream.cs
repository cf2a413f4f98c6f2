using Backprop.Simd.Data;

namespace Backprop.Simd.Serialization;

/// <summary>The expanded bytes of an entry of a zip file: counts them against a limit, and sums them. What the entry claims is not asked.</summary>
internal sealed class NpzEntryStream(Stream expanded, string name, long allowed) : Stream
{
    private Crc32 _checksum;

    /// <summary>The bytes read so far.</summary>
    public long Count { get; private set; }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(Span<byte> buffer)
    {
        var read = expanded.Read(buffer);
        _checksum.Append(buffer[..read]);
        Count += read;
        return Count <= allowed ? read : throw new DataFormatException($"'{name}' expands to more bytes than allowed; {allowed} were left.");
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>Throws unless the entry ends here and has this checksum.</summary>
    public void RequireEnd(uint checksum)
    {
        Span<byte> more = stackalloc byte[1];
        if (Read(more) > 0)
            throw new DataFormatException($"'{name}' has bytes behind its array.");
        if (_checksum.Value != checksum)
            throw new DataFormatException($"'{name}' is damaged: its checksum is {_checksum.Value:X8}; expected {checksum:X8}.");
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
