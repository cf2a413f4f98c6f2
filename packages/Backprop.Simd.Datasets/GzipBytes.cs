namespace Backprop.Simd.Datasets;

/// <summary>
/// The bytes of a gzip file, handed to a decompressor so that it is known where the compressed data of a member end, which a
/// decompressor does not tell.
/// </summary>
/// <remarks>
/// Behind the data of a member stand eight bytes of checksum and length, then the magic bytes of the next member or the end of the file.
/// The last byte before such a place is handed over alone: a decompressor that asked for it and then asks for no more has its end there,
/// and one that ends within a longer piece has something else behind its data.
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

    /// <summary>How many bytes the decompressor got last: 1 where it may have come to its end.</summary>
    public int LastLength { get; private set; }

    /// <summary>The first bytes of a member: the magic number and deflate, the only method.</summary>
    private static ReadOnlySpan<byte> Magic => [0x1F, 0x8B, 8];

    /// <summary>Whether so many bytes are still there.</summary>
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

    /// <summary>Takes bytes of a header or trailer; false where the file ends before.</summary>
    public bool TryTake(Span<byte> bytes) => Has(bytes.Length) && Take(bytes) == bytes.Length;

    /// <summary>For the decompressor: what comes next, up to the byte before a possible last one, or that byte.</summary>
    public override int Read(Span<byte> buffer)
    {
        int behind = TrailerLength + Magic.Length;
        bool more = Has(1 + behind);
        ReadOnlySpan<byte> ahead = _block.AsSpan(_at, Math.Min(_filled - _at, buffer.Length + 1 + behind));

        // The length up to the first byte that may be the last one; 0 where there is none as far as can be seen.
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
