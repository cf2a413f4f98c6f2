using System.Buffers.Binary;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>The element types of ONNX's TensorProto that its tests use, by their numbers there.</summary>
internal enum OnnxType
{
    Float = 1,
    Byte = 2,
    SByte = 3,
    UInt16 = 4,
    Int16 = 5,
    Int32 = 6,
    Int64 = 7,
    Text = 8,
    Bool = 9,
    Half = 10,
    Double = 11,
    UInt32 = 12,
    UInt64 = 13,
    BFloat16 = 16,
}

/// <summary>A tensor, row-major. Floats are kept as doubles, which hold them exactly, and bools as 0 and 1.</summary>
internal sealed class OnnxTensor
{
    private readonly double[]? _numbers;
    private readonly long[]? _integers;

    private OnnxTensor(OnnxType type, int[] shape, double[]? numbers, long[]? integers) =>
        (Type, Shape, _numbers, _integers) = (type, shape, numbers, integers);

    public OnnxType Type { get; }

    public int[] Shape { get; }

    public int Rank => Shape.Length;

    public int Size => Product(Shape);

    public bool IsInteger => _integers is not null;

    /// <summary>The elements, of a tensor of floats or doubles.</summary>
    /// <exception cref="LeftOutException">The elements have a type in which the library does not compute.</exception>
    public double[] Numbers => _numbers ?? throw new LeftOutException($"elements of type {Type}");

    /// <summary>The elements, of a tensor of 32- or 64-bit integers or bools.</summary>
    public long[] Integers => _integers ?? throw new InvalidDataException($"A tensor of integers was expected; it holds {Type}.");

    /// <summary>The one element.</summary>
    public double Scalar => Size == 1 ? Numbers[0] : throw new InvalidDataException($"One number was expected; the shape is [{string.Join(", ", Shape)}].");

    public static int Product(int[] shape)
    {
        var product = 1;
        foreach (var dimension in shape)
            product = checked(product * dimension);
        return product;
    }

    public static OnnxTensor Of(OnnxType type, int[] shape, double[] numbers) => Checked(new(type, shape, numbers, null), numbers.Length);

    public static OnnxTensor OfIntegers(OnnxType type, int[] shape, long[] integers) => Checked(new(type, shape, null, integers), integers.Length);

    /// <summary>The same elements in another shape.</summary>
    public OnnxTensor As(params int[] shape) => Checked(new(Type, shape, _numbers, _integers), Size);

    /// <summary>Dimension d of the result is dimension <paramref name="axes"/>[d] here.</summary>
    public OnnxTensor Transposed(params int[] axes)
    {
        var numbers = new double[Size];
        var shape = axes.Select(a => Shape[a]).ToArray();
        var index = new int[Rank];
        for (var i = 0; i < numbers.Length; i++)
        {
            var source = 0;
            for (var d = 0; d < Rank; d++)
                source = source * Shape[d] + index[Array.IndexOf(axes, d)];
            numbers[i] = Numbers[source];
            for (var d = Rank - 1; d >= 0 && ++index[d] == shape[d]; d--)
                index[d] = 0;
        }

        return Of(Type, shape, numbers);
    }

    /// <summary>Moves one dimension to another place; the rest stay in their order.</summary>
    public OnnxTensor Moved(int from, int to)
    {
        var axes = Enumerable.Range(0, Rank).Where(d => d != from).ToList();
        axes.Insert(to, from);
        return Transposed([.. axes]);
    }

    /// <summary>[N, C, ...] as [N, ..., C].</summary>
    public OnnxTensor ChannelsLast() => Moved(1, Rank - 1);

    /// <summary>[N, ..., C] as [N, C, ...].</summary>
    public OnnxTensor ChannelsFirst() => Moved(Rank - 1, 1);

    /// <summary>Reads a TensorProto.</summary>
    /// <exception cref="InvalidDataException">The bytes are no tensor.</exception>
    public static OnnxTensor Parse(ReadOnlySpan<byte> message)
    {
        List<long> dimensions = [], integers = [];
        List<double> floats = [], doubles = [];
        OnnxType type = 0;
        byte[]? raw = null;
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: reader.Integers(dimensions); break;
                case 2: type = (OnnxType)reader.Int32(); break;
                case 4: reader.Floats(floats); break;
                case 5 or 7 or 11: reader.Integers(integers); break;
                case 6 or 8 or 12: break; // strings, the name, a note
                case 9: raw = reader.Bytes().ToArray(); break;
                case 10: reader.Doubles(doubles); break;
                default: throw new InvalidDataException($"A tensor has the field {reader.Field}.");
            }
        }

        if (!Enum.IsDefined(type))
            throw new InvalidDataException($"A tensor has the element type {type}.");
        int[] shape = [.. dimensions.Select(d => checked((int)d))];
        return type switch
        {
            OnnxType.Float => Of(type, shape, raw is null ? [.. floats] : Split(raw, 4, b => (double)BinaryPrimitives.ReadSingleLittleEndian(b))),
            OnnxType.Double => Of(type, shape, raw is null ? [.. doubles] : Split(raw, 8, BinaryPrimitives.ReadDoubleLittleEndian)),
            OnnxType.Int32 => OfIntegers(type, shape, raw is null ? [.. integers] : Split(raw, 4, b => (long)BinaryPrimitives.ReadInt32LittleEndian(b))),
            OnnxType.Int64 => OfIntegers(type, shape, raw is null ? [.. integers] : Split(raw, 8, BinaryPrimitives.ReadInt64LittleEndian)),
            OnnxType.Bool => OfIntegers(type, shape, raw is null ? [.. integers] : Split(raw, 1, b => (long)b[0])),
            _ => new(type, shape, null, null),
        };
    }

    private delegate TElement Element<TElement>(ReadOnlySpan<byte> bytes);

    private static TElement[] Split<TElement>(byte[] raw, int size, Element<TElement> read)
    {
        if (raw.Length % size != 0)
            throw new InvalidDataException($"A tensor holds {raw.Length} bytes, of elements of {size}.");
        var values = new TElement[raw.Length / size];
        for (var i = 0; i < values.Length; i++)
            values[i] = read(raw.AsSpan(i * size, size));
        return values;
    }

    private static OnnxTensor Checked(OnnxTensor tensor, int elements)
    {
        if (tensor.Size != elements)
            throw new InvalidDataException($"A tensor [{string.Join(", ", tensor.Shape)}] has {elements} elements.");
        return tensor;
    }
}
