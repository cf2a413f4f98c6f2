using System.Buffers.Binary;
using System.Text;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>
/// Walks through the fields of one protobuf message: <c>while (reader.Next()) switch (reader.Field)</c>. What is cut short or of
/// another wire type than asked for throws <see cref="ModelFileException"/>. Nothing is copied.
/// </summary>
/// <param name="data">The message.</param>
internal struct ProtobufReader(ReadOnlyMemory<byte> data)
{
    private const int LastField = (1 << 29) - 1;

    private ReadOnlyMemory<byte> _rest = data;
    private ReadOnlyMemory<byte> _bytes;
    private ulong _number;
    private int _wire;

    /// <summary>The number of the field that <see cref="Next"/> came to.</summary>
    public int Field { get; private set; }

    /// <summary>Goes to the next field.</summary>
    /// <returns>False at the end of the message.</returns>
    public bool Next()
    {
        if (_rest.IsEmpty)
            return false;
        var key = Varint(ref _rest);
        (Field, _wire) = ((int)Math.Min(key >> 3, int.MaxValue), (int)(key & 7));
        if (Field is 0 or > LastField)
            throw new ModelFileException($"A protobuf field has the number {key >> 3}.");
        _bytes = default;
        switch (_wire)
        {
            case 0:
                _number = Varint(ref _rest);
                break;
            case 1:
                _number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8).Span);
                break;
            case 2:
                _bytes = Take(Varint(ref _rest));
                break;
            case 5:
                _number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4).Span);
                break;
            default:
                throw new ModelFileException($"Protobuf field {Field} has the wire type {_wire}.");
        }

        return true;
    }

    /// <summary>A varint as a signed number.</summary>
    public readonly long Integer() => _wire == 0 ? (long)_number : throw Unexpected("a varint");

    /// <summary>A varint that is a 32-bit number.</summary>
    public readonly int Int32() => Integer() is >= int.MinValue and <= int.MaxValue and var number ? (int)number
        : throw new ModelFileException($"Protobuf field {Field} is {Integer()}, which is no 32-bit number.");

    /// <summary>A 32-bit float.</summary>
    public readonly float Float() => _wire == 5 ? BitConverter.UInt32BitsToSingle((uint)_number) : throw Unexpected("a float");

    /// <summary>Bytes, or a message.</summary>
    public readonly ReadOnlyMemory<byte> Bytes() => _wire == 2 ? _bytes : throw Unexpected("bytes");

    /// <summary>Text.</summary>
    public readonly string Text() => Encoding.UTF8.GetString(Bytes().Span);

    /// <summary>Adds the numbers of a repeated field, packed or one of them.</summary>
    public readonly void Integers(List<long> values)
    {
        if (_wire != 2)
        {
            values.Add(Integer());
            return;
        }

        for (var rest = _bytes; !rest.IsEmpty;)
            values.Add((long)Varint(ref rest));
    }

    /// <summary>Adds the floats of a repeated field, packed or one of them.</summary>
    public readonly void Floats(List<double> values)
    {
        if (_wire != 2)
        {
            values.Add(Float());
            return;
        }

        if (_bytes.Length % 4 != 0)
            throw new ModelFileException($"Protobuf field {Field} holds {_bytes.Length} bytes of floats.");
        for (var i = 0; i < _bytes.Length; i += 4)
            values.Add(BinaryPrimitives.ReadSingleLittleEndian(_bytes.Span[i..]));
    }

    /// <summary>Adds the doubles of a repeated field, packed or one of them.</summary>
    public readonly void Doubles(List<double> values)
    {
        if (_wire == 1)
        {
            values.Add(BitConverter.UInt64BitsToDouble(_number));
            return;
        }

        if (Bytes().Length % 8 != 0)
            throw new ModelFileException($"Protobuf field {Field} holds {_bytes.Length} bytes of doubles.");
        for (var i = 0; i < _bytes.Length; i += 8)
            values.Add(BinaryPrimitives.ReadDoubleLittleEndian(_bytes.Span[i..]));
    }

    private static ulong Varint(ref ReadOnlyMemory<byte> memory)
    {
        ulong value = 0;
        var from = memory.Span;
        for (var i = 0; i < 10; i++)
        {
            if (i >= from.Length)
                throw new ModelFileException("A protobuf varint is cut short.");
            if (i == 9 && from[i] > 1)
                break;
            value |= (ulong)(from[i] & 127) << (7 * i);
            if (from[i] >= 128)
                continue;
            memory = memory[(i + 1)..];
            return value;
        }

        throw new ModelFileException("A protobuf varint has more than 64 bits.");
    }

    private readonly ModelFileException Unexpected(string what) => new($"Protobuf field {Field} must be {what}; its wire type is {_wire}.");

    private ReadOnlyMemory<byte> Take(ulong length)
    {
        if (length > (ulong)_rest.Length)
            throw new ModelFileException($"A protobuf field of {length} bytes is cut short after {_rest.Length}.");
        var taken = _rest[..(int)length];
        _rest = _rest[(int)length..];
        return taken;
    }
}
