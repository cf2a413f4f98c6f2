namespace Backprop.Simd.Tests.Onnx;

/// <summary>One attribute of a node: what it holds is null or empty elsewhere.</summary>
internal sealed record OnnxAttribute(string Name)
{
    public float? Float { get; init; }

    public long? Integer { get; init; }

    public string? Text { get; init; }

    public IReadOnlyList<long> Integers { get; init; } = [];

    public IReadOnlyList<string> Texts { get; init; } = [];
}

/// <summary>One node: an operator, the names of its inputs and outputs (empty for those left out), its attributes.</summary>
internal sealed record OnnxNode(string Operator, string Domain, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs,
    IReadOnlyList<OnnxAttribute> Attributes);

/// <summary>What the tests need of a ModelProto: nodes, initializers, the names of inputs and outputs, the version of the operators.</summary>
internal sealed class OnnxModel
{
    public List<OnnxNode> Nodes { get; } = [];

    public Dictionary<string, OnnxTensor> Initializers { get; } = [];

    /// <summary>The inputs of the graph, without those that have an initializer.</summary>
    public IEnumerable<string> Inputs => _inputs.Where(i => !Initializers.ContainsKey(i));

    public List<string> Outputs { get; } = [];

    /// <summary>The version of the standard operators.</summary>
    public int Opset { get; private set; }

    private readonly List<string> _inputs = [];

    /// <summary>Reads a ModelProto.</summary>
    /// <exception cref="InvalidDataException">The bytes are no model.</exception>
    public static OnnxModel Parse(ReadOnlySpan<byte> message)
    {
        var model = new OnnxModel();
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 7: model.ReadGraph(reader.Bytes()); break;
                case 8: model.ReadOpset(reader.Bytes()); break;
                case >= 1 and <= 6 or 14 or 20 or 25: break; // versions, the producer, notes, functions
                default: throw new InvalidDataException($"A model has the field {reader.Field}.");
            }
        }

        return model;
    }

    private void ReadOpset(ReadOnlySpan<byte> message)
    {
        var (domain, version) = ("", 0);
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field == 1)
                domain = reader.Text();
            else if (reader.Field == 2)
                version = reader.Int32();
        }

        if (domain.Length == 0)
            Opset = version;
    }

    private void ReadGraph(ReadOnlySpan<byte> message)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: Nodes.Add(ReadNode(reader.Bytes())); break;
                case 5: Initializers.Add(NameOf(reader.Bytes(), 8), OnnxTensor.Parse(reader.Bytes())); break;
                case 11: _inputs.Add(NameOf(reader.Bytes(), 1)); break;
                case 12: Outputs.Add(NameOf(reader.Bytes(), 1)); break;
                case 2 or 10 or 13 or 14: break; // name, note, types of inner values, quantization
                default: throw new InvalidDataException($"A graph has the field {reader.Field}.");
            }
        }
    }

    private static OnnxNode ReadNode(ReadOnlySpan<byte> message)
    {
        List<string> inputs = [], outputs = [];
        List<OnnxAttribute> attributes = [];
        string kind = "", domain = "";
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1: inputs.Add(reader.Text()); break;
                case 2: outputs.Add(reader.Text()); break;
                case 4: kind = reader.Text(); break;
                case 5: attributes.Add(ReadAttribute(reader.Bytes())); break;
                case 7: domain = reader.Text(); break;
                case 3 or 6 or 8: break; // name, note, overload
                default: throw new InvalidDataException($"A node has the field {reader.Field}.");
            }
        }

        return new(kind, domain, inputs, outputs, attributes);
    }

    private static OnnxAttribute ReadAttribute(ReadOnlySpan<byte> message)
    {
        var attribute = new OnnxAttribute(NameOf(message, 1));
        List<long> integers = [];
        List<string> texts = [];
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 2: attribute = attribute with { Float = reader.Float() }; break;
                case 3: attribute = attribute with { Integer = reader.Integer() }; break;
                case 4: attribute = attribute with { Text = reader.Text() }; break;
                case 8: reader.Integers(integers); break;
                case 9: texts.Add(reader.Text()); break;
                default: break; // tensors, graphs and types: of operators that are not run
            }
        }

        return attribute with { Integers = integers, Texts = texts };
    }

    private static string NameOf(ReadOnlySpan<byte> message, int field)
    {
        var reader = new ProtobufReader(message);
        while (reader.Next())
        {
            if (reader.Field == field)
                return reader.Text();
        }

        return "";
    }
}
