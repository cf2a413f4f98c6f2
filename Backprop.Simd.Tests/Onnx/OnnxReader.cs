using System.Buffers.Binary;
using System.Text;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>A tensor of ONNX: numbers of any type as doubles, row-major.</summary>
internal sealed record OnnxTensor(int[] Dimensions, double[] Values, int Type)
{
    public bool IsFloat => Type == 1;

    public bool IsDouble => Type == 11;

    public int Rank => Dimensions.Length;

    public int this[int dimension] => Dimensions[dimension < 0 ? dimension + Rank : dimension];

    /// <summary>The product of the dimensions from <paramref name="from"/> up to <paramref name="to"/>.</summary>
    public int Size(int from, int to) => Dimensions[from..to].Aggregate(1, (a, b) => a * b);

    public OnnxTensor Reshape(params int[] dimensions) => this with { Dimensions = dimensions };

    /// <summary>Dimension i of the result is dimension order[i].</summary>
    public OnnxTensor Transpose(params int[] order)
    {
        var strides = new int[Rank];
        for (int d = Rank - 1, stride = 1; d >= 0; stride *= Dimensions[d--])
            strides[d] = stride;
        var dimensions = Array.ConvertAll(order, d => Dimensions[d]);
        var values = new double[Values.Length];
        var index = new int[Rank];
        for (var i = 0; i < values.Length; i++)
        {
            var source = 0;
            for (var d = 0; d < index.Length; d++)
                source += index[d] * strides[order[d]];
            values[i] = Values[source];
            for (var d = index.Length - 1; d >= 0 && ++index[d] == dimensions[d]; d--)
                index[d] = 0;
        }

        return new(dimensions, values, Type);
    }

    /// <summary>The channels, dimension 1, behind all others, or back to their place.</summary>
    public OnnxTensor ChannelsLast() => Transpose([0, .. Enumerable.Range(2, Rank - 2), 1]);

    public OnnxTensor ChannelsFirst() => Transpose([0, Rank - 1, .. Enumerable.Range(1, Rank - 2)]);
}

/// <summary>An attribute of a node: as many of these as it has.</summary>
internal sealed class OnnxAttribute
{
    public float Float { get; set; }

    public long Integer { get; set; }

    public string Text { get; set; } = "";

    public List<int> Integers { get; } = [];
}

/// <summary>One node with the tensors that go in and should come out.</summary>
internal sealed class OnnxNode
{
    public string Operator { get; set; } = "";

    public List<string> Inputs { get; } = [];

    public List<string> Outputs { get; } = [];

    public Dictionary<string, OnnxAttribute> Attributes { get; } = [];

    public float Float(string name, float otherwise) => Attributes.TryGetValue(name, out var a) ? a.Float : otherwise;

    public int Integer(string name, int otherwise) => Attributes.TryGetValue(name, out var a) ? (int)a.Integer : otherwise;

    public string Text(string name, string otherwise) => Attributes.TryGetValue(name, out var a) ? a.Text : otherwise;

    public int[] Integers(string name, params int[] otherwise) => Attributes.TryGetValue(name, out var a) ? [.. a.Integers] : otherwise;
}

/// <summary>The parts of ONNX's protocol buffers that node tests use. Whatever else a file has is skipped; a broken one throws.</summary>
internal static class OnnxReader
{
    /// <summary>The nodes of a model.</summary>
    public static List<OnnxNode> Nodes(byte[] file)
    {
        var nodes = new List<OnnxNode>();
        foreach (var model in Fields(file).Where(f => f.Number == 7))
        {
            foreach (var field in Fields(model.Bytes).Where(f => f.Number == 1))
                nodes.Add(Node(field.Bytes));
        }

        return nodes;
    }

    /// <summary>A tensor.</summary>
    public static OnnxTensor Tensor(byte[] file)
    {
        var dimensions = new List<int>();
        var values = new List<double>();
        var raw = ReadOnlyMemory<byte>.Empty;
        var type = 0;
        foreach (var field in Fields(file))
        {
            switch (field.Number)
            {
                case 1:
                    dimensions.AddRange(Integers(field).Select(i => checked((int)i)));
                    break;
                case 2:
                    type = (int)field.Integer;
                    break;
                case 4:
                    values.AddRange(Numbers(field, 4));
                    break;
                case 5 or 7 or 11:
                    values.AddRange(Integers(field).Select(i => (double)i));
                    break;
                case 9:
                    raw = field.Bytes;
                    break;
                case 10:
                    values.AddRange(Numbers(field, 8));
                    break;
            }
        }

        if (!raw.IsEmpty)
            values.AddRange(Raw(raw, type));
        var tensor = new OnnxTensor([.. dimensions], [.. values], type);
        if (tensor.Values.Length != tensor.Size(0, tensor.Rank))
            throw new InvalidDataException($"A tensor [{string.Join(", ", dimensions)}] of type {type} has {values.Count} elements.");
        return tensor;
    }

    private static OnnxNode Node(ReadOnlyMemory<byte> bytes)
    {
        var node = new OnnxNode();
        foreach (var field in Fields(bytes))
        {
            if (field.Number == 1)
                node.Inputs.Add(Encoding.UTF8.GetString(field.Bytes.Span));
            else if (field.Number == 2)
                node.Outputs.Add(Encoding.UTF8.GetString(field.Bytes.Span));
            else if (field.Number == 4)
                node.Operator = Encoding.UTF8.GetString(field.Bytes.Span);
            else if (field.Number == 5)
                Attribute(node, field.Bytes);
        }

        return node;
    }

    private static void Attribute(OnnxNode node, ReadOnlyMemory<byte> bytes)
    {
        var (name, attribute) = ("", new OnnxAttribute());
        foreach (var field in Fields(bytes))
        {
            switch (field.Number)
            {
                case 1:
                    name = Encoding.UTF8.GetString(field.Bytes.Span);
                    break;
                case 2:
                    attribute.Float = BitConverter.UInt32BitsToSingle((uint)field.Integer);
                    break;
                case 3:
                    attribute.Integer = field.Integer;
                    break;
                case 4:
                    attribute.Text = Encoding.UTF8.GetString(field.Bytes.Span);
                    break;
                case 8:
                    attribute.Integers.AddRange(Integers(field).Select(i => checked((int)i)));
                    break;
            }
        }

        node.Attributes[name] = attribute;
    }

    private static IEnumerable<double> Raw(ReadOnlyMemory<byte> raw, int type)
    {
        var size = type switch { 1 or 6 or 12 => 4, 7 or 11 or 13 => 8, 4 or 5 or 10 or 16 => 2, 2 or 3 or 9 => 1, _ => throw new InvalidDataException($"Type {type} is unknown.") };
        for (var at = 0; at < raw.Length; at += size)
        {
            var bytes = raw.Span.Slice(at, size);
            yield return type switch
            {
                1 => BinaryPrimitives.ReadSingleLittleEndian(bytes),
                4 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
                5 => BinaryPrimitives.ReadInt16LittleEndian(bytes),
                6 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
                7 => BinaryPrimitives.ReadInt64LittleEndian(bytes),
                10 => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
                11 => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
                12 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
                13 => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
                16 => BitConverter.UInt32BitsToSingle((uint)BinaryPrimitives.ReadUInt16LittleEndian(bytes) << 16),
                3 => (sbyte)bytes[0],
                _ => bytes[0],
            };
        }
    }

    /// <summary>One integer, or a packed list.</summary>
    private static List<long> Integers(Field field)
    {
        if (field.Wire == 0)
            return [field.Integer];
        var list = new List<long>();
        for (var at = 0; at < field.Bytes.Length;)
            list.Add((long)Varint(field.Bytes.Span, ref at));
        return list;
    }

    private static IEnumerable<double> Numbers(Field field, int size)
    {
        if (field.Wire != 2)
            return [size == 4 ? BitConverter.UInt32BitsToSingle((uint)field.Integer) : BitConverter.Int64BitsToDouble(field.Integer)];
        return [.. Raw(field.Bytes, size == 4 ? 1 : 11)];
    }

    private static List<Field> Fields(ReadOnlyMemory<byte> bytes)
    {
        var fields = new List<Field>();
        for (var at = 0; at < bytes.Length;)
        {
            var key = Varint(bytes.Span, ref at);
            var (number, wire) = ((int)(key >> 3), (int)(key & 7));
            if (wire == 0)
            {
                fields.Add(new(number, wire, (long)Varint(bytes.Span, ref at), default));
                continue;
            }

            var length = wire switch { 1 => 8, 5 => 4, 2 => checked((int)Varint(bytes.Span, ref at)), _ => throw new InvalidDataException($"Wire type {wire} is unknown.") };
            if (length > bytes.Length - at)
                throw new InvalidDataException($"Field {number} of {length} bytes reaches past the end.");
            var part = bytes.Slice(at, length);
            at += length;
            fields.Add(new(number, wire, wire == 2 ? 0 : wire == 1 ? BinaryPrimitives.ReadInt64LittleEndian(part.Span) : BinaryPrimitives.ReadUInt32LittleEndian(part.Span), part));
        }

        return fields;
    }

    private static ulong Varint(ReadOnlySpan<byte> bytes, ref int at)
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (at >= bytes.Length)
                throw new InvalidDataException("A number is cut off.");
            var b = bytes[at++];
            value |= (ulong)(b & 127) << shift;
            if (b < 128)
                return value;
        }

        throw new InvalidDataException("A number is longer than 64 bits.");
    }

    private readonly record struct Field(int Number, int Wire, long Integer, ReadOnlyMemory<byte> Bytes);
}
