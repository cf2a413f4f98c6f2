using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Backprop.Simd.Interchange;

/// <summary>Writes the fields of one protobuf message. A message inside is written into a writer of its own first, for its length stands before it;
/// what is long is not copied.</summary>
internal sealed class ProtobufWriter
{
    /// <summary>From so many bytes on, a block is kept by reference.</summary>
    private const int LeastKept = 1024;

    private readonly List<ReadOnlyMemory<byte>> _parts = [];
    private ArrayBufferWriter<byte> _bytes = new();
    private long _closed;

    /// <summary>The bytes written so far.</summary>
    public long Length => _closed + _bytes.WrittenCount;

    public void CopyTo(Stream stream)
    {
        foreach (var part in _parts)
            stream.Write(part.Span);
        stream.Write(_bytes.WrittenSpan);
    }

    public byte[] ToArray()
    {
        using var stream = new MemoryStream(checked((int)Length));
        CopyTo(stream);
        return stream.ToArray();
    }

    public ProtobufWriter Integer(int field, long value)
    {
        Varint((ulong)field << 3);
        Varint((ulong)value);
        return this;
    }

    public ProtobufWriter Float(int field, float value)
    {
        Varint((ulong)field << 3 | 5);
        BinaryPrimitives.WriteSingleLittleEndian(_bytes.GetSpan(4), value);
        _bytes.Advance(4);
        return this;
    }

    public ProtobufWriter Text(int field, string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        Begin(field, bytes.Length);
        _bytes.Write(bytes);
        return this;
    }

    /// <summary>Bytes that do not change any more.</summary>
    public ProtobufWriter Block(int field, ReadOnlyMemory<byte> value)
    {
        Begin(field, value.Length);
        Append(value);
        return this;
    }

    /// <summary>A message, to which nothing is written any more.</summary>
    public ProtobufWriter Message(int field, ProtobufWriter value)
    {
        Begin(field, value.Length);
        foreach (var part in value._parts)
            Append(part);
        Append(value._bytes.WrittenMemory);
        return this;
    }

    /// <summary>A packed field of integers.</summary>
    public ProtobufWriter Integers(int field, IReadOnlyList<long> values)
    {
        var packed = new ProtobufWriter();
        foreach (var value in values)
            packed.Varint((ulong)value);
        return Message(field, packed);
    }

    private void Begin(int field, long length)
    {
        Varint((ulong)field << 3 | 2);
        Varint((ulong)length);
    }

    private void Append(ReadOnlyMemory<byte> block)
    {
        if (block.Length < LeastKept)
        {
            _bytes.Write(block.Span);
            return;
        }

        if (_bytes.WrittenCount > 0)
            _parts.Add(_bytes.WrittenMemory);
        _parts.Add(block);
        _closed += _bytes.WrittenCount + (long)block.Length;
        _bytes = new();
    }

    private void Varint(ulong value)
    {
        var span = _bytes.GetSpan(10);
        var length = 0;
        for (; value >= 0x80; value >>= 7)
            span[length++] = (byte)(value | 0x80);
        span[length++] = (byte)value;
        _bytes.Advance(length);
    }
}
