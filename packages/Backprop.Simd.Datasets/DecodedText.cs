using System.Text;

namespace Backprop.Simd.Datasets;

/// <summary>
/// The text of a stream. A byte order mark decides the encoding, else the caller does. Bytes that are not text in that encoding
/// come out as <see cref="Mark"/>, so that their place in the text is known.
/// </summary>
/// <param name="stream">The bytes; the stream stays open.</param>
/// <param name="encoding">The encoding of a stream without a byte order mark; null for UTF-8.</param>
internal sealed class DecodedText(Stream stream, Encoding? encoding) : TextReader
{
    /// <summary>Stands for bytes that are not text: a code point that no text has.</summary>
    public const char Mark = '\uFFFF';

    // The mark of UTF-32 begins with the mark of UTF-16.
    private static readonly Encoding[] Marked =
        [Encoding.UTF32, new UTF32Encoding(bigEndian: true, byteOrderMark: true), Encoding.UTF8, Encoding.Unicode, Encoding.BigEndianUnicode];

    private readonly MarkingFallback _fallback = new();
    private readonly byte[] _bytes = new byte[1 << 16];

    // The decoder never writes half a surrogate pair, and so may find no room in a caller's short buffer.
    private readonly char[] _chars = new char[1 << 14];
    private ReadOnlyMemory<char> _rest;
    private Decoder? _decoder;
    private int _at;
    private int _filled;

    /// <summary>The message about the first bytes that are not text; null if all are text.</summary>
    public string? Problem { get; private set; }

    public override int Read(Span<char> buffer)
    {
        if (_rest.IsEmpty && !buffer.IsEmpty)
        {
            _rest = _chars.AsMemory(0, Decode());
        }

        int read = Math.Min(buffer.Length, _rest.Length);
        _rest.Span[..read].CopyTo(buffer);
        _rest = _rest[read..];
        return read;
    }

    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    // The number of characters; 0 at the end.
    private int Decode()
    {
        _decoder ??= Start();
        while (true)
        {
            if (_at == _filled)
            {
                (_at, _filled) = (0, stream.Read(_bytes));
            }

            bool isEnd = _filled == 0;
            _decoder.Convert(_bytes.AsSpan(_at, _filled - _at), _chars, isEnd, out int taken, out int given, out _);
            _at += taken;
            if (given > 0 || isEnd)
            {
                return given;
            }
        }
    }

    private Decoder Start()
    {
        _filled = stream.ReadAtLeast(_bytes, 4, throwOnEndOfStream: false);
        Encoding chosen = Marked.FirstOrDefault(e => _bytes.AsSpan(0, _filled).StartsWith(e.Preamble)) ?? encoding ?? Encoding.UTF8;
        chosen = (Encoding)chosen.Clone();
        chosen.DecoderFallback = _fallback;
        _fallback.Found = bytes => Problem ??= $"the bytes {Convert.ToHexString(bytes)} are no text in {chosen.WebName}";
        return chosen.GetDecoder();
    }

    private sealed class MarkingFallback : DecoderFallback
    {
        public Action<byte[]> Found { get; set; } = _ => { };

        public override int MaxCharCount => 1;

        public override DecoderFallbackBuffer CreateFallbackBuffer() => new MarkingBuffer(this);
    }

    private sealed class MarkingBuffer(MarkingFallback fallback) : DecoderFallbackBuffer
    {
        private bool _isFull;

        public override int Remaining => _isFull ? 1 : 0;

        public override bool Fallback(byte[] bytesUnknown, int index)
        {
            fallback.Found(bytesUnknown);
            return _isFull = true;
        }

        public override char GetNextChar()
        {
            char next = _isFull ? Mark : '\0';
            _isFull = false;
            return next;
        }

        public override bool MovePrevious() => false;

        public override void Reset() => _isFull = false;
    }
}
