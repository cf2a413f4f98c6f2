using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Microsoft.ML.OnnxRuntime;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>What versions of operators say differently, compared with ONNX Runtime; and graphs as TensorFlow's and scikit-learn's exporters write
/// them.</summary>
public sealed class OperatorVersionTests
{
    private static OnnxAttribute I(string name, long value) => new(name) { Integer = value };

    private static OnnxAttribute Is(string name, params long[] values) => new(name) { Integers = values };

    private static OnnxAttribute F(string name, float value) => new(name) { Float = value };

    private static OnnxAttribute S(string name, string value) => new(name) { Text = value };

    private static OnnxTensor Floats(int[] shape, params double[] values) => OnnxTensor.Of(OnnxType.Float, shape, values);

    private static OnnxTensor Longs(params long[] values) => OnnxTensor.OfIntegers(OnnxType.Int64, [values.Length], values);

    private static OnnxTensor Random(params int[] shape)
    {
        var random = new Random(3);
        return Floats(shape, [.. Enumerable.Range(0, OnnxTensor.Product(shape)).Select(_ => Math.Round(random.NextDouble() * 2 - 1, 3))]);
    }

    private static OnnxNode Node(string kind, string inputs, string outputs, params OnnxAttribute[] attributes) =>
        new(kind, "", inputs.Split(' ').Select(i => i == "-" ? "" : i).ToArray(), outputs.Split(' '), attributes);

    private static OnnxModel Model(int opset, int[] row, OnnxNode[] nodes, params (string Name, OnnxTensor Values)[] known)
    {
        var model = new OnnxModel { Opset = opset };
        model.AllInputs.Add(new("x", OnnxType.Float, [new(null, "n"), .. row.Select(d => new OnnxDimension(d, null))]));
        model.Nodes.AddRange(nodes);
        foreach (var (name, values) in known)
            model.Initializers.Add(name, values);
        HashSet<string> read = [.. nodes.SelectMany(n => n.Inputs)];
        foreach (var name in nodes.SelectMany(n => n.Outputs).Where(o => !read.Contains(o) && o != "mask"))
            model.Outputs.Add(new(name, name == "i" ? OnnxType.Int64 : OnnxType.Float, null));
        return model;
    }

    private static ImportedModel AssertSame(OnnxModel model, int[] row)
    {
        var inputs = new Dictionary<string, OnnxTensor> { ["x"] = Random([2, .. row]) };
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        using var session = new InferenceSession(model.Write().ToArray(), options);
        var expected = OnnxRuntime.Run(session, [.. model.Outputs.Select(o => o.Name)], ("x", inputs["x"]));
        var imported = new ImportedModel(model);
        var actual = imported.Run<float>(inputs);
        for (var i = 0; i < expected.Length; i++)
        {
            Assert.Equal(expected[i].Shape, actual[i].Shape);
            for (var k = 0; k < expected[i].Size; k++)
                Assert.Equal(expected[i].Values[k], actual[i].Values[k], 1e-5 * Math.Max(1, Math.Abs(expected[i].Values[k])));
        }

        return imported;
    }

    private static readonly (string Name, int Opset, int[] Row, OnnxNode[] Nodes, (string, OnnxTensor)[] Known)[] _cases =
    [
        ("Squeeze 1", 11, [1, 3], [Node("Squeeze", "x", "y", Is("axes", 1))], []),
        ("Squeeze 13", 13, [1, 3], [Node("Squeeze", "x a", "y")], [("a", Longs(-2))]),
        ("Unsqueeze 1", 11, [3], [Node("Unsqueeze", "x", "y", Is("axes", 1, 3))], []),
        ("Unsqueeze 13", 13, [3], [Node("Unsqueeze", "x a", "y")], [("a", Longs(-1, 1))]),
        ("ReduceSum 11", 11, [2, 3], [Node("ReduceSum", "x", "y", Is("axes", 2))], []),
        ("ReduceSum 13", 13, [2, 3], [Node("ReduceSum", "x a", "y", I("keepdims", 0))], [("a", Longs(1, 2))]),
        ("ReduceSum of nothing", 13, [2, 3], [Node("ReduceSum", "x", "y", I("noop_with_empty_axes", 1))], []),
        ("ReduceMean 13", 13, [2, 3], [Node("ReduceMean", "x", "y", Is("axes", -1))], []),
        ("ReduceMean 18", 18, [2, 3], [Node("ReduceMean", "x a", "y", I("keepdims", 0))], [("a", Longs(-1))]),
        ("ReduceL2 18", 18, [2, 3], [Node("ReduceL2", "x a", "y")], [("a", Longs(1))]),
        ("Split 2", 11, [5], [Node("Split", "x", "y z", I("axis", 1), Is("split", 2, 3))], []),
        ("Split 13", 13, [5], [Node("Split", "x s", "y z", I("axis", -1))], [("s", Longs(4, 1))]),
        ("Split 18", 18, [5], [Node("Split", "x", "y z", I("axis", 1), I("num_outputs", 2))], []),
        ("Clip 6", 9, [4], [Node("Clip", "x", "y", F("min", -0.25f), F("max", 0.5f))], []),
        ("Clip 11", 11, [4], [Node("Clip", "x - h", "y")], [("h", Floats([], 0.25))]),
        ("Dropout 7", 9, [4], [Node("Dropout", "x", "d", F("ratio", 0.4f)), Node("Neg", "d", "y")], []),
        ("Dropout 12", 12, [4], [Node("Dropout", "x r", "d mask"), Node("Neg", "d", "y")], [("r", Floats([], 0.4))]),
        ("Softmax 1", 11, [2, 3], [Node("Softmax", "x", "y")], []),
        ("Softmax 13", 13, [2, 3], [Node("Softmax", "x", "y", I("axis", 1))], []),
        ("LogSoftmax 11", 11, [2, 3], [Node("LogSoftmax", "x", "y", I("axis", 2))], []),
        ("Pad 2", 9, [2, 3], [Node("Pad", "x", "y", Is("pads", 0, 1, 0, 0, 0, 2), F("value", 0.5f))], []),
        ("Pad 11", 11, [2, 3], [Node("Pad", "x p", "y", S("mode", "reflect"))], [("p", Longs(0, 1, 0, 0, 0, 2))]),
        ("Pad 18", 18, [2, 3], [Node("Pad", "x p v a", "y")], [("p", Longs(1, 2)), ("v", Floats([], 0.5)), ("a", Longs(-1))]),
        ("Slice 1", 9, [2, 5], [Node("Slice", "x", "y", Is("starts", 1, -4), Is("ends", 9, -1), Is("axes", 1, 2))], []),
        ("Slice 10", 10, [2, 5], [Node("Slice", "x s e a t", "y")], [("s", Longs(-1)), ("e", Longs(long.MinValue)), ("a", Longs(2)), ("t", Longs(-2))]),
        ("TopK 1", 9, [5], [Node("TopK", "x", "y i", I("k", 3))], []),
        ("TopK 11", 11, [5, 2], [Node("TopK", "x k", "y i", I("axis", 1), I("largest", 0))], [("k", Longs(2))]),
        ("Upsample 7", 8, [2, 3, 2], [Node("Upsample", "x", "y", new OnnxAttribute("scales") { Floats = [1, 1, 2, 3] })], []),
        ("Upsample 9", 9, [2, 3, 2], [Node("Upsample", "x s", "y")], [("s", Floats([4], 1, 1, 2, 2))]),
        ("Resize 10", 10, [2, 3, 2], [Node("Resize", "x s", "y")], [("s", Floats([4], 1, 1, 2, 2))]),
        ("Resize 11", 11, [2, 3, 4], [Node("Resize", "x r s", "y", S("mode", "linear"))], [("r", Floats([0])), ("s", Floats([4], 1, 1, 2, 1.5))]),
        ("Resize 13", 13, [2, 3, 4], [Node("Resize", "x - s", "y", S("mode", "nearest"), S("coordinate_transformation_mode", "asymmetric"),
            S("nearest_mode", "floor"))], [("s", Floats([4], 1, 1, 3, 2))]),
        ("Resize 18", 18, [2, 3, 4], [Node("Resize", "x - s", "y", S("mode", "linear"), S("coordinate_transformation_mode", "align_corners"))], [("s",
            Floats([4], 1, 1, 2, 2))]),
        ("Resize 19", 19, [2, 3, 4], [Node("Resize", "x - s", "y", S("mode", "linear"))], [("s", Floats([4], 1, 1, 2, 2))]),
        ("BatchNormalization 7", 8, [3, 2], [Node("BatchNormalization", "x s b m v", "y", F("epsilon", 0.01f))], Statistics),
        ("BatchNormalization 9", 9, [3], [Node("BatchNormalization", "x s b m v", "y")], Statistics),
        ("BatchNormalization 14", 14, [3, 2, 2], [Node("BatchNormalization", "x s b m v", "y", I("training_mode", 0))], Statistics),
        ("BatchNormalization 15", 15, [3, 4], [Node("BatchNormalization", "x s b m v", "y", F("momentum", 0.8f))], Statistics),
        ("Gelu 20", 20, [4], [Node("Gelu", "x", "y"), Node("Gelu", "x", "z", S("approximate", "tanh"))], []),
        ("GroupNormalization 18", 18, [4, 3], [Node("GroupNormalization", "x s b", "y", I("num_groups", 2))], [("s", Floats([2], 0.5, -1)), ("b",
            Floats([2], 1, 0.2))]),
        ("GroupNormalization 21", 21, [4, 3], [Node("GroupNormalization", "x s b", "y", I("num_groups", 2))], [("s", Floats([4], 0.5, -1, 2, 1)), ("b",
            Floats([4], 1, 0.2, 0, 3))]),
        ("LayerNormalization 17", 17, [2, 3], [Node("LayerNormalization", "x s b", "y", I("axis", 1))], [("s", Random(2, 3)), ("b", Random(2, 3))]),
        ("HardSwish 14", 14, [5], [Node("HardSwish", "x", "y")], []),
        ("Mish 18", 18, [5], [Node("Mish", "x", "y")], []),
        ("Shape 15", 15, [4, 3], [Node("Shape", "x", "s", I("start", -1)), Node("Reshape", "x t", "r"), Node("Concat", "m s", "t", I("axis", 0))], [("m",
            Longs(-1))]),
        ("Flatten 9", 9, [2, 3], [Node("Flatten", "x", "y", I("axis", 2))], []),
        ("AveragePool 7", 7, [2, 5, 5], [Node("AveragePool", "x", "y", Is("kernel_shape", 3, 3), Is("pads", 1, 1, 1, 1), Is("strides", 2, 2))], []),
        ("AveragePool 11", 11, [2, 5, 5], [Node("AveragePool", "x", "y", Is("kernel_shape", 2, 2), Is("strides", 2, 2), I("ceil_mode", 1),
            I("count_include_pad", 1))], []),
        ("MaxPool 10", 10, [2, 5, 6], [Node("MaxPool", "x", "y", Is("kernel_shape", 2, 3), Is("strides", 2, 2), I("ceil_mode", 1), Is("dilations", 2, 1))], []),
        ("Conv of padded sides", 11, [2, 5, 6], [Node("Conv", "x w", "y", S("auto_pad", "SAME_LOWER"), Is("strides", 2, 2))], [("w", Random(3, 2, 2, 3))]),
    ];

    private static (string, OnnxTensor)[] Statistics =>
        [("s", Floats([3], 0.5, -1, 2)), ("b", Floats([3], 1, 0.2, -0.3)), ("m", Floats([3], 0.1, 0, -0.4)), ("v", Floats([3], 0.5, 1, 2))];

    public static TheoryData<string> Names => [.. _cases.Select(c => c.Name)];

    [Theory, MemberData(nameof(Names))]
    public void Each_version_of_an_operator_gives_the_outputs_of_ONNX_Runtime(string name)
    {
        var (_, opset, row, nodes, known) = _cases.Single(c => c.Name == name);
        if (name == "Shape 15")
            nodes = [nodes[0], nodes[2], nodes[1]];
        AssertSame(Model(opset, row, nodes, known), row);
    }

    [Fact]
    public void Transpositions_around_the_operators_of_TensorFlow_vanish()
    {
        // NHWC in and out: each convolution stands between two transpositions; a bias is a sum, batch normalization a product and a sum.
        OnnxNode[] nodes =
        [
            Node("Transpose", "x", "a", Is("perm", 0, 3, 1, 2)), Node("Conv", "a w", "b", Is("pads", 1, 1, 1, 1)), Node("Transpose", "b", "c", Is("perm",
                0, 2, 3, 1)),
            Node("Add", "c bias", "d"), Node("Mul", "d scale", "e"), Node("Add", "e shift", "f"), Node("Relu", "f", "g"), Node("Transpose", "g", "h",
                Is("perm", 0, 3, 1, 2)),
            Node("MaxPool", "h", "i", Is("kernel_shape", 2, 2), Is("strides", 2, 2)), Node("Transpose", "i", "j", Is("perm", 0, 2, 3, 1)),
            Node("Reshape", "j shape", "k"), Node("MatMul", "k dense", "l"), Node("Add", "l last", "y"),
        ];
        var imported = AssertSame(Model(13, [4, 4, 2], nodes, ("w", Random(3, 2, 3, 3)), ("bias", Random(3)), ("scale", Random(3)), ("shift", Random(3)),
            ("shape", Longs(-1, 12)), ("dense", Random(12, 5)), ("last", Random(5))), [4, 4, 2]);
        Assert.DoesNotContain(imported.Graph.Build().Nodes, n => n.Layer is Transpose);
    }

    [Fact]
    public void Networks_of_scikit_learn_are_read()
    {
        OnnxNode[] nodes =
        [
            Node("Cast", "x", "a", I("to", 1)), Node("Sub", "a mean", "b"), Node("Div", "b deviation", "c"), Node("Gemm", "c w v", "d", F("alpha", 1),
                F("beta", 1)),
            Node("Relu", "d", "e"), Node("MatMul", "e u", "f"), Node("Add", "f t", "g"), Node("Softmax", "g", "y", I("axis", 1)),
        ];
        AssertSame(Model(12, [4], nodes, ("mean", Random(4)), ("deviation", Floats([1, 4], 1, 2, 0.5, 4)), ("w", Random(4, 6)), ("v", Random(6)), ("u",
            Random(6, 3)),
            ("t", Random(1, 3))), [4]);
    }
}
