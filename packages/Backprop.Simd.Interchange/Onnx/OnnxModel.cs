using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>A ModelProto as far as networks need it: nodes, initializers, inputs and outputs, the version of the operators.</summary>
/// <remarks>Field numbers are those of onnx.proto. Fields that are not known are skipped, as protobuf wants it.</remarks>
internal sealed class OnnxModel
{
    /// <summary>The version of the format that is written, of ONNX 1.12: it holds operators up to version 20 as every runtime since reads them.</summary>
    private const int FormatVersion = 8;

    private const string Producer = "Backprop.Simd";

    public List<OnnxNode> Nodes { get; } = [];

    public Dictionary<string, OnnxTensor> Initializers { get; } = [];

    /// <summary>The inputs of the graph; before version 4 of the format also those that have an initializer.</summary>
    public List<OnnxValue> AllInputs { get; } = [];

    /// <summary>The inputs without those that have an initializer.</summary>
    public IEnumerable<OnnxValue> Inputs => AllInputs.Where(i => !Initializers.ContainsKey(i.Name));

    public List<OnnxValue> Outputs { get; } = [];

    /// <summary>The version of the standard operators.</summary>
    public int Opset { get; set; }

    /// <summary>Entries of the producer.</summary>
    public Dictionary<string, string> Metadata { get; } = [];

    /// <summary>Reads a ModelProto.</summary>
    /// <exception cref="ModelFileException">The bytes are no model.</exception>
    public static OnnxModel Parse(ReadOnlyMemory<byte> message)
    {
        var model = new OnnxModel();
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            if (reader.Field == 7)
                model.ReadGraph(reader.Bytes());
            else if (reader.Field == 8)
                model.ReadOpset(reader.Bytes());
            else if (reader.Field == 14)
                model.ReadEntry(reader.Bytes());
        }

        return model;
    }

    /// <summary>A ModelProto.</summary>
    public ProtobufWriter Write()
    {
        var graph = new ProtobufWriter();
        foreach (var node in Nodes)
            graph.Message(1, node.Write());
        graph.Text(2, "network");
        foreach (var (name, tensor) in Initializers)
            graph.Message(5, tensor.Write(name));
        foreach (var input in AllInputs)
            graph.Message(11, input.Write());
        foreach (var output in Outputs)
            graph.Message(12, output.Write());
        var writer = new ProtobufWriter().Integer(1, FormatVersion).Text(2, Producer).Message(7, graph)
            .Message(8, new ProtobufWriter().Text(1, "").Integer(2, Opset));
        foreach (var (key, value) in Metadata)
            writer.Message(14, new ProtobufWriter().Text(1, key).Text(2, value));
        return writer;
    }

    private void ReadOpset(ReadOnlyMemory<byte> message)
    {
        var (domain, version) = ("", 0);
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            if (reader.Field == 1)
                domain = reader.Text();
            else if (reader.Field == 2)
                version = reader.Int32();
        }

        if (domain is "" or "ai.onnx")
            Opset = version;
    }

    private void ReadEntry(ReadOnlyMemory<byte> message)
    {
        var (key, value) = ("", "");
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            if (reader.Field == 1)
                key = reader.Text();
            else if (reader.Field == 2)
                value = reader.Text();
        }

        Metadata[key] = value;
    }

    private void ReadGraph(ReadOnlyMemory<byte> message)
    {
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: Nodes.Add(OnnxNode.Parse(reader.Bytes())); break;
                case 5: ReadInitializer(reader.Bytes()); break;
                case 11: AllInputs.Add(OnnxValue.Parse(reader.Bytes())); break;
                case 12: Outputs.Add(OnnxValue.Parse(reader.Bytes())); break;
                case 15: throw new ModelFileException("The model has sparse initializers, which are not read here.");
                default: break; // the name, notes, types of inner values, quantization
            }
        }
    }

    private void ReadInitializer(ReadOnlyMemory<byte> message)
    {
        var tensor = OnnxTensor.Parse(message);
        if (!Initializers.TryAdd(tensor.Name, tensor))
            throw new ModelFileException($"The model has the initializer '{Texts.Shown(tensor.Name)}' twice.");
    }
}
