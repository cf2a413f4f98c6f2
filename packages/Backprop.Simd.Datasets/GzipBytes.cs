namespace Backprop.Simd.Datasets;

/// <summary>
/// The bytes of a gzip file, handed to a decompressor in pieces that show where the compressed data of a member end. The
/// decompressor itself does not tell.
/// </summary>
/// <remarks>
/// The data of a member are followed by eight bytes of checksum and length, then by the magic bytes of the next member or the end of
/// the file. The last byte before such a place is handed over alone. If the decompressor takes it and asks for no more, the data end
/// there; if it ends within a longer piece, something else follows its data.
/// </remarks>
/// <param name="file">The file from its position on; it stays open.</param>
internal sealed class GzipBytes(Stream file) : ReadOnlyStream
{
    /// <summary>The bytes of checksum and length.</summary>
    public const int TrailerLength = 8;

    private readonly byte[] _block = new byte[1 << 16];
    private int _at;
    private int _filled;

    /// <summary>The bytes taken so far.</summary>
    public long Taken { get; private set; }

    /// <summary>How many bytes the decompressor got last: 1 if its data may end there.</summary>
    public int LastLength { get; private set; }

    /// <summary>The first bytes of a member: the magic number and deflate, the only method.</summary>
    private static ReadOnlySpan<byte> Magic => [0x1F, 0x8B, 8];

    /// <summary>Whether at least so many bytes are left.</summary>
    public bool Has(int count)
    {
        if (_filled - _at < count)
        {
            _block.AsSpan(_at, _filled - _at).CopyTo(_block);
            (_at, _filled) = (0, _filled - _at);
            _filled += file.ReadAtLeast(_block.AsSpan(_filled), count - _filled, throwOnEndOfStream: false);
        }

        return _filled - _at >= count;
    }

    /// <summary>Takes bytes of a header or trailer; false if the file ends before.</summary>
    public bool TryTake(Span<byte> bytes) => Has(bytes.Length) && Take(bytes) == bytes.Length;

    /// <summary>For the decompressor: the next bytes up to a byte that may be the last, or that byte alone.</summary>
    public override int Read(Span<byte> buffer)
    {
        int behind = TrailerLength + Magic.Length;
        bool more = Has(1 + behind);
        ReadOnlySpan<byte> ahead = _block.AsSpan(_at, Math.Min(_filled - _at, buffer.Length + 1 + behind));

        // The length up to the first byte that may be the last; 0 if the buffer shows none.
        int end = more ? 1 + ahead[(1 + TrailerLength)..].IndexOf(Magic) : Math.Max(ahead.Length - TrailerLength, 0);
        int count = end > 1 ? end - 1 : end == 1 ? 1 : more ? ahead.Length - behind : 0;
        return LastLength = Take(buffer[..Math.Min(count, buffer.Length)]);
    }

    private int Take(Span<byte> bytes)
    {
        _block.AsSpan(_at, bytes.Length).CopyTo(bytes);
        _at += bytes.Length;
        Taken += bytes.Length;
        return bytes.Length;
    }
}
