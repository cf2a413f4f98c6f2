using System.Runtime.InteropServices;

namespace Backprop.Simd.Bench;

/// <summary>Writes a network as an ONNX model: Gemm, activation, Gemm, ... with the weights inside. Field numbers are those of onnx.proto.</summary>
internal static class OnnxModel
{
    public const string Input = "x", Output = "y";

    /// <summary>ir_version and operator set: Gemm-13, Sigmoid-13 and Relu-13 are in force at 13.</summary>
    private const int IrVersion = 8, OperatorSet = 13;

    private const int Float = 1;

    public static byte[] Write(NetworkProblem problem)
    {
        var graph = new ProtobufWriter();
        var layers = problem.Layers();
        var (value, inputs) = (Input, problem.Shape.Inputs);
        for (var i = 0; i < layers.Count; i++)
        {
            var (weights, biases) = layers[i];
            var last = i == layers.Count - 1;
            var sum = last ? Output : $"z{i}";
            graph.Message(1, Node("Gemm", sum, value, $"w{i}", $"b{i}"));
            graph.Message(5, Tensor($"w{i}", weights, inputs, biases.Length));
            graph.Message(5, Tensor($"b{i}", biases, biases.Length));
            if (!last)
                graph.Message(1, Node(problem.Shape.Activation == "relu" ? "Relu" : "Sigmoid", $"a{i}", sum));
            (value, inputs) = ($"a{i}", biases.Length);
        }

        graph.Text(2, "network")
            .Message(11, ValueInfo(Input, problem.Batch, problem.Shape.Inputs))
            .Message(12, ValueInfo(Output, problem.Batch, problem.Shape.Classes));
        return new ProtobufWriter()
            .Varint(1, IrVersion)
            .Message(7, graph)
            .Message(8, new ProtobufWriter().Text(1, "").Varint(2, OperatorSet))
            .ToArray();
    }

    private static ProtobufWriter Node(string operation, string output, params ReadOnlySpan<string> inputs)
    {
        var node = new ProtobufWriter();
        foreach (var input in inputs)
            node.Text(1, input);
        return node.Text(2, output).Text(3, output).Text(4, operation);
    }

    private static ProtobufWriter Tensor(string name, float[] values, params ReadOnlySpan<int> shape)
    {
        var tensor = new ProtobufWriter();
        foreach (var size in shape)
            tensor.Varint(1, size);
        return tensor.Varint(2, Float).Text(8, name).Bytes(9, MemoryMarshal.AsBytes<float>(values));
    }

    private static ProtobufWriter ValueInfo(string name, int rows, int columns)
    {
        var shape = new ProtobufWriter()
            .Message(1, new ProtobufWriter().Varint(1, rows))
            .Message(1, new ProtobufWriter().Varint(1, columns));
        var type = new ProtobufWriter().Message(1, new ProtobufWriter().Varint(1, Float).Message(2, shape));
        return new ProtobufWriter().Text(1, name).Message(2, type);
    }
}
