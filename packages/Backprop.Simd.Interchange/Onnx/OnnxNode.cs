namespace Backprop.Simd.Interchange;

/// <summary>One attribute of a node: what it does not hold is null or empty.</summary>
internal sealed record OnnxAttribute(string Name)
{
    public float? Float { get; init; }

    public long? Integer { get; init; }

    public string? Text { get; init; }

    public OnnxTensor? Tensor { get; init; }

    public IReadOnlyList<long> Integers { get; init; } = [];

    public IReadOnlyList<float> Floats { get; init; } = [];

    public IReadOnlyList<string> Texts { get; init; } = [];

    /// <summary>The kind, as AttributeProto numbers it.</summary>
    public int Kind => Float is not null ? 1 : Integer is not null ? 2 : Text is not null ? 3 : Tensor is not null ? 4
        : Floats.Count > 0 ? 6 : Texts.Count > 0 ? 8 : 7;

    /// <summary>Reads an AttributeProto.</summary>
    public static OnnxAttribute Parse(ReadOnlyMemory<byte> message)
    {
        var attribute = new OnnxAttribute("");
        List<long> integers = [];
        List<double> floats = [];
        List<string> texts = [];
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: attribute = attribute with { Name = reader.Text() }; break;
                case 2: attribute = attribute with { Float = reader.Float() }; break;
                case 3: attribute = attribute with { Integer = reader.Integer() }; break;
                case 4: attribute = attribute with { Text = reader.Text() }; break;
                case 5: attribute = attribute with { Tensor = OnnxTensor.Parse(reader.Bytes()) }; break;
                case 7: reader.Floats(floats); break;
                case 8: reader.Integers(integers); break;
                case 9: texts.Add(reader.Text()); break;
                default: break; // graphs, types and what later versions add: of operators that are not known here
            }
        }

        return attribute with { Integers = integers, Floats = [.. floats.Select(f => (float)f)], Texts = texts };
    }

    /// <summary>An AttributeProto.</summary>
    public ProtobufWriter Write()
    {
        var writer = new ProtobufWriter().Text(1, Name);
        if (Float is { } number)
            writer.Float(2, number);
        if (Integer is { } integer)
            writer.Integer(3, integer);
        if (Text is not null)
            writer.Text(4, Text);
        if (Tensor is not null)
            writer.Message(5, Tensor.Write(""));
        foreach (var value in Floats)
            writer.Float(7, value);
        foreach (var value in Integers)
            writer.Integer(8, value);
        foreach (var text in Texts)
            writer.Text(9, text);
        return writer.Integer(20, Kind);
    }
}

/// <summary>One node: an operator, the names of its inputs and outputs (empty for those left out), its attributes.</summary>
internal sealed record OnnxNode(string Operator, string Domain, IReadOnlyList<string> Inputs, IReadOnlyList<string> Outputs,
    IReadOnlyList<OnnxAttribute> Attributes)
{
    /// <summary>The name, empty where there is none.</summary>
    public string Name { get; init; } = "";

    /// <summary>Reads a NodeProto.</summary>
    public static OnnxNode Parse(ReadOnlyMemory<byte> message)
    {
        List<string> inputs = [], outputs = [];
        List<OnnxAttribute> attributes = [];
        string kind = "", domain = "", name = "";
        for (var reader = new ProtobufReader(message); reader.Next();)
        {
            switch (reader.Field)
            {
                case 1: inputs.Add(reader.Text()); break;
                case 2: outputs.Add(reader.Text()); break;
                case 3: name = reader.Text(); break;
                case 4: kind = reader.Text(); break;
                case 5: attributes.Add(OnnxAttribute.Parse(reader.Bytes())); break;
                case 7: domain = reader.Text(); break;
                default: break; // notes, overloads
            }
        }

        return new(kind, domain == "ai.onnx" ? "" : domain, inputs, outputs, attributes) { Name = name };
    }

    /// <summary>A NodeProto.</summary>
    public ProtobufWriter Write()
    {
        var writer = new ProtobufWriter();
        foreach (var input in Inputs)
            writer.Text(1, input);
        foreach (var output in Outputs)
            writer.Text(2, output);
        if (Name.Length > 0)
            writer.Text(3, Name);
        writer.Text(4, Operator);
        foreach (var attribute in Attributes)
            writer.Message(5, attribute.Write());
        if (Domain.Length > 0)
            writer.Text(7, Domain);
        return writer;
    }
}
