using System.Buffers.Binary;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>A tensor, row-major. Floats of all widths are doubles here, which hold them exactly; bools are 0 and 1.</summary>
internal sealed class OnnxTensor
{
    private const int LargestRank = 32;

    private readonly double[]? _numbers;
    private readonly long[]? _integers;

    private OnnxTensor(OnnxType type, int[] shape, double[]? numbers, long[]? integers) =>
        (Type, Shape, _numbers, _integers) = (type, shape, numbers, integers);

    /// <summary>The name in the file; empty where it has none.</summary>
    public string Name { get; private init; } = "";

    public OnnxType Type { get; }

    public int[] Shape { get; }

    public int Rank => Shape.Length;

    public int Size => Product(Shape);

    public bool IsInteger => _integers is not null;

    /// <summary>The elements, of a tensor of floats.</summary>
    public double[] Numbers => _numbers ?? throw new ModelFileException($"A tensor '{Texts.Shown(Name)}' of numbers was expected; it holds {Type}.");

    /// <summary>The elements, of a tensor of integers or bools.</summary>
    public long[] Integers => _integers ?? throw new ModelFileException($"A tensor '{Texts.Shown(Name)}' of integers was expected; it holds {Type}.");

    /// <summary>The elements as doubles, whatever their type.</summary>
    public double[] Values => _numbers ?? [.. Integers.Select(i => (double)i)];

    /// <summary>The one element.</summary>
    public double Scalar => Size == 1 ? Values[0] : throw new ModelFileException($"One number was expected; the shape is [{string.Join(", ", Shape)}].");

    public static int Product(ReadOnlySpan<int> shape)
    {
        long product = 1;
        foreach (var dimension in shape)
        {
            product *= dimension;
            if (dimension < 0 || product > Array.MaxLength)
                throw new ModelFileException($"A tensor has the shape [{string.Join(", ", shape.ToArray())}].");
        }

        return (int)product;
    }

    public static OnnxTensor Of(OnnxType type, int[] shape, double[] numbers) => Checked(new(type, shape, numbers, null), numbers.Length);

    public static OnnxTensor OfIntegers(OnnxType type, int[] shape, long[] integers) => Checked(new(type, shape, null, integers), integers.Length);

    /// <summary>The same elements in another shape.</summary>
    public OnnxTensor As(params int[] shape) => Checked(new(Type, shape, _numbers, _integers) { Name = Name }, Size);

    /// <summary>Dimension d of the result is dimension <paramref name="axes"/>[d] here.</summary>
    public OnnxTensor Transposed(params int[] axes)
    {
        var shape = axes.Select(a => Shape[a]).ToArray();
        var strides = new int[Rank];
        for (var (d, stride) = (Rank - 1, 1); d >= 0; stride *= Shape[d--])
            strides[d] = stride;
        var sources = new int[Size];
        var index = new int[Rank];
        for (var (i, source) = (0, 0); i < sources.Length; i++)
        {
            sources[i] = source;
            for (var d = Rank - 1; d >= 0; d--)
            {
                source += strides[axes[d]];
                if (++index[d] < shape[d])
                    break;
                source -= strides[axes[d]] * shape[d];
                index[d] = 0;
            }
        }

        var numbers = _numbers is { } n ? Array.ConvertAll(sources, s => n[s]) : null;
        var integers = _integers is { } l ? Array.ConvertAll(sources, s => l[s]) : null;
        return new(Type, shape, numbers, integers) { Name = Name };
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
    /// <exception cref="ModelFileException">The bytes are no tensor, or its elements lie in another file.</exception>
    public static OnnxTensor Parse(ReadOnlyMemory<byte> message)
    {
        List<long> dimensions = [], integers = [];
        List<double> floats = [], doubles = [];
        OnnxType type = 0;
        ReadOnlyMemory<byte>? raw = null;
        var name = "";
        var isExternal = false;
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: reader.Integers(dimensions); break;
                case 2: type = (OnnxType)reader.Int32(); break;
                case 4: reader.Floats(floats); break;
                case 5 or 7 or 11: reader.Integers(integers); break;
                case 8: name = reader.Text(); break;
                case 9: raw = reader.Bytes(); break;
                case 10: reader.Doubles(doubles); break;
                case 14: isExternal = reader.Integer() == 1; break;
                default: break; // strings, segments, notes
            }
        }

        if (isExternal)
            throw new ModelFileException($"The elements of '{Texts.Shown(name)}' lie in another file. Save the model in one file.");
        if (!Enum.IsDefined(type))
            throw new ModelFileException($"The tensor '{Texts.Shown(name)}' has the element type {(int)type}.");
        if (dimensions.Count > LargestRank || dimensions.Exists(d => d is < 0 or > int.MaxValue))
            throw new ModelFileException($"The tensor '{Texts.Shown(name)}' has the shape [{string.Join(", ", dimensions.Take(LargestRank))}].");
        int[] shape = [.. dimensions.Select(d => (int)d)];
        var bytes = raw ?? default;
        OnnxTensor tensor = type switch
        {
            OnnxType.Float => new(type, shape, raw is null ? [.. floats] : Split(bytes, 4, b => (double)BinaryPrimitives.ReadSingleLittleEndian(b)), null),
            OnnxType.Double => new(type, shape, raw is null ? [.. doubles] : Split(bytes, 8, BinaryPrimitives.ReadDoubleLittleEndian), null),
            OnnxType.Half => new(type, shape, raw is null ? [.. integers.Select(i => FromHalf((ushort)i))]
                : Split(bytes, 2, b => FromHalf(BinaryPrimitives.ReadUInt16LittleEndian(b))), null),
            OnnxType.BFloat16 => new(type, shape, raw is null ? [.. integers.Select(i => FromBFloat16((ushort)i))]
                : Split(bytes, 2, b => FromBFloat16(BinaryPrimitives.ReadUInt16LittleEndian(b))), null),
            OnnxType.Int32 => new(type, shape, null, raw is null ? [.. integers] : Split(bytes, 4, b => (long)BinaryPrimitives.ReadInt32LittleEndian(b))),
            OnnxType.Int64 => new(type, shape, null, raw is null ? [.. integers] : Split(bytes, 8, BinaryPrimitives.ReadInt64LittleEndian)),
            OnnxType.Bool or OnnxType.Byte => new(type, shape, null, raw is null ? [.. integers] : Split(bytes, 1, b => (long)b[0])),
            OnnxType.SByte => new(type, shape, null, raw is null ? [.. integers] : Split(bytes, 1, b => (long)(sbyte)b[0])),
            _ => new(type, shape, null, null) { Name = name },
        };
        var elements = tensor._numbers?.Length ?? tensor._integers?.Length ?? tensor.Size;
        return Checked(new(type, shape, tensor._numbers, tensor._integers) { Name = name }, elements);
    }

    /// <summary>A TensorProto.</summary>
    public ProtobufWriter Write(string name)
    {
        var writer = new ProtobufWriter();
        foreach (var dimension in Shape)
            writer.Integer(1, dimension);
        return writer.Integer(2, (int)Type).Text(8, name).Block(9, Raw());
    }

    private byte[] Raw() => Type switch
    {
        OnnxType.Float => Joined(Numbers, 4, static (to, value) => BinaryPrimitives.WriteSingleLittleEndian(to, (float)value)),
        OnnxType.Double => Joined(Numbers, 8, BinaryPrimitives.WriteDoubleLittleEndian),
        OnnxType.Int32 => Joined(Integers, 4, static (to, value) => BinaryPrimitives.WriteInt32LittleEndian(to, (int)value)),
        OnnxType.Int64 => Joined(Integers, 8, BinaryPrimitives.WriteInt64LittleEndian),
        OnnxType.Bool => Joined(Integers, 1, static (to, value) => to[0] = (byte)value),
        _ => throw new InvalidOperationException($"A tensor of {Type} is not written."),
    };

    private static byte[] Joined<TElement>(TElement[] values, int size, Action<Span<byte>, TElement> write)
    {
        var bytes = new byte[checked(values.Length * size)];
        for (var i = 0; i < values.Length; i++)
            write(bytes.AsSpan(i * size), values[i]);
        return bytes;
    }

    private delegate TElement Element<TElement>(ReadOnlySpan<byte> bytes);

    private static TElement[] Split<TElement>(ReadOnlyMemory<byte> raw, int size, Element<TElement> read)
    {
        if (raw.Length % size != 0)
            throw new ModelFileException($"A tensor holds {raw.Length} bytes, of elements of {size}.");
        var values = new TElement[raw.Length / size];
        var bytes = raw.Span;
        for (var i = 0; i < values.Length; i++)
            values[i] = read(bytes.Slice(i * size, size));
        return values;
    }

    private static double FromHalf(ushort bits) => (double)BitConverter.UInt16BitsToHalf(bits);

    private static double FromBFloat16(ushort bits) => BitConverter.UInt32BitsToSingle((uint)bits << 16);

    private static OnnxTensor Checked(OnnxTensor tensor, int elements) => tensor.Size == elements ? tensor
        : throw new ModelFileException($"The tensor '{Texts.Shown(tensor.Name)}' [{string.Join(", ", tensor.Shape)}] has {elements} elements.");
}
