using System.Buffers.Binary;
using System.Text;

namespace Backprop.Simd.Tests.Fuzz;

/// <summary>Small models of ONNX, written field by field as onnx.proto numbers them.</summary>
internal static class OnnxSeeds
{
    private const int Float = 1, Int64 = 7;

    public static IEnumerable<byte[]> All() => [Image(), Sequence(), Attention(), Shapes()];

    /// <summary>Convolution, batch normalization, pooling, an affine layer.</summary>
    private static byte[] Image() => Model(17, "x", Float, [0, 1, 4, 4], "y",
        Floats("w", [2, 1, 3, 3]), Floats("scale", [2]), Floats("shift", [2]), Floats("a", [8, 3]), Floats("b", [3]),
        Node("Conv", "x w", "c", Integers("pads", 1, 1, 1, 1), Integers("kernel_shape", 3, 3)),
        Node("BatchNormalization", "c scale shift shift scale", "n"),
        Node("Relu", "n", "r"),
        Node("MaxPool", "r", "p", Integers("kernel_shape", 2, 2), Integers("strides", 2, 2)),
        Node("Flatten", "p", "f"),
        Node("Gemm", "f a b", "g"),
        Node("Softmax", "g", "y"));

    /// <summary>A recurrence and a mean over time.</summary>
    private static byte[] Sequence() => Model(14, "x", Float, [3, 0, 2], "y",
        Floats("w", [1, 8, 2]), Floats("r", [1, 8, 2]), Floats("b", [1, 16]), Numbers("axes", 0),
        Node("LSTM", "x w r b", "s", Integer("hidden_size", 2)),
        Node("Squeeze", "s one", "q"), Numbers("one", 1),
        Node("ReduceMean", "q", "y", Integers("axes", 0), Integer("keepdims", 0)));

    /// <summary>Words, scores and layer normalization from its parts.</summary>
    private static byte[] Attention() => Model(13, "x", Int64, [0, 3], "y",
        Floats("words", [5, 4]), Floats("k", [4, 4]), Floats("two", []), Numbers("last", -1),
        Node("Gather", "words x", "e"),
        Node("MatMul", "e k", "q"),
        Node("Transpose", "q", "t", Integers("perm", 0, 2, 1)),
        Node("MatMul", "e t", "s"),
        Node("Softmax", "s", "p", Integer("axis", -1)),
        Node("MatMul", "p q", "v"),
        Node("ReduceMean", "v", "m", Integers("axes", -1)),
        Node("Sub", "v m", "d"),
        Node("Pow", "d two", "square"),
        Node("ReduceMean", "square", "variance", Integers("axes", -1)),
        Node("Sqrt", "variance", "deviation"),
        Node("Div", "d deviation", "y"));

    /// <summary>Sizes that are computed from sizes.</summary>
    private static byte[] Shapes() => Model(18, "x", Float, [0, 0, 4], "y",
        Numbers("zero", 0), Numbers("minus", -1), Numbers("two", 2), Floats("half", []),
        Node("Shape", "x", "s"),
        Node("Gather", "s zero", "first", Integer("axis", 0)),
        Node("Cast", "minus", "rest", Integer("to", Int64)),
        Node("Slice", "s two minus zero", "none"),
        Node("Concat", "first rest two", "sizes", Integer("axis", 0)),
        Node("Reshape", "x sizes", "z"),
        Node("Mul", "z half", "h"),
        Node("Split", "h", "u v", Integer("axis", 2)),
        Node("Unsqueeze", "u one", "w"), Numbers("one", 1),
        Node("Where", "mask w half", "y"), Numbers("mask", 1));

    /// <param name="opset">The version of the operators.</param>
    /// <param name="input">The name of the input.</param>
    /// <param name="type">Its type.</param>
    /// <param name="sizes">Its sizes; 0 for a free one.</param>
    /// <param name="output">The name of the output.</param>
    /// <param name="parts">Nodes and initializers.</param>
    private static byte[] Model(int opset, string input, int type, long[] sizes, string output, params byte[][] parts)
    {
        byte[] dimensions = [.. sizes.SelectMany(size => Message(1, size == 0 ? Text(2, "n") : Integer(1, size)))];
        byte[] graph =
        [
            .. parts.SelectMany(part => part), .. Message(11, [.. Text(1, input), .. Message(2, Message(1, [.. Integer(1, type), .. Message(2, dimensions)]))]),
            .. Message(12, Text(1, output)),
        ];
        return [.. Integer(1, 8), .. Text(2, "fuzz"), .. Message(7, graph), .. Message(8, [.. Text(1, ""), .. Integer(2, opset)])];
    }

    private static byte[] Node(string kind, string inputs, string outputs, params byte[][] attributes) => Message(1,
    [
        .. inputs.Split(' ').SelectMany(name => Text(1, name)), .. outputs.Split(' ').SelectMany(name => Text(2, name)), .. Text(4, kind),
        .. attributes.SelectMany(attribute => attribute),
    ]);

    private static byte[] Integer(string name, long value) => Message(5, [.. Text(1, name), .. Integer(3, value), .. Integer(20, 2)]);

    private static byte[] Integers(string name, params long[] values) =>
        Message(5, [.. Text(1, name), .. values.SelectMany(value => Integer(8, value)), .. Integer(20, 7)]);

    private static byte[] Floats(string name, long[] shape)
    {
        var bytes = new byte[4 * shape.Aggregate(1L, (product, size) => product * size)];
        for (var i = 0; i < bytes.Length; i += 4)
            BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(i), (i % 5) + 0.5f);
        return Message(5, [.. shape.SelectMany(size => Integer(1, size)), .. Integer(2, Float), .. Text(8, name), .. Message(9, bytes)]);
    }

    private static byte[] Numbers(string name, params long[] values) =>
        Message(5, [.. Integer(1, values.Length), .. Integer(2, Int64), .. values.SelectMany(value => Integer(7, value)), .. Text(8, name)]);

    private static byte[] Integer(int field, long value) => [.. Varint((ulong)field << 3), .. Varint((ulong)value)];

    private static byte[] Text(int field, string text) => Message(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Message(int field, byte[] bytes) => [.. Varint(((ulong)field << 3) | 2), .. Varint((ulong)bytes.Length), .. bytes];

    private static List<byte> Varint(ulong value)
    {
        List<byte> bytes = [];
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        bytes.Add((byte)value);
        return bytes;
    }
}
