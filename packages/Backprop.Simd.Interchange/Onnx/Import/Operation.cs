namespace Backprop.Simd.Interchange;

/// <summary>One node of an ONNX graph while it is imported: its inputs as values, and its attributes, of which none may stay unread.</summary>
internal sealed class Operation(OnnxNode node, ImportValue?[] inputs, int opset, Importer importer)
{
    private readonly HashSet<string> _read = [];

    public OnnxNode Node => node;

    public int Opset => opset;

    public Importer Importer => importer;

    public int InputCount => inputs.Length;

    public IReadOnlyList<ImportValue?> Inputs => inputs;

    /// <summary>How many outputs are asked for.</summary>
    public int OutputCount => node.Outputs.Count;

    /// <summary>Whether an output has a name.</summary>
    public bool HasOutput(int index) => index < node.Outputs.Count && node.Outputs[index].Length > 0;

    public bool HasInput(int index) => index < inputs.Length && inputs[index] is not null;

    public ImportValue Input(int index) => index < inputs.Length && inputs[index] is { } value ? value
        : throw new UnsupportedException($"its input {index} is missing");

    /// <summary>An input as a node; known numbers become a parameter.</summary>
    public NodeValue Value(int index) => importer.ValueOf(Input(index));

    /// <summary>An input that has to be known; null where it is left out.</summary>
    public Folded? Constant(int index) => !HasInput(index) ? null
        : Input(index) is Folded { BatchAxis: < 0 } known ? known : throw new UnsupportedException($"its input {index} is computed; here it has to be known");

    public Folded RequiredConstant(int index) => Constant(index) ?? throw new UnsupportedException($"its input {index} is missing");

    public int Integer(string name, int otherwise) => Attribute(name)?.Integer is { } value
        ? value is >= int.MinValue and <= int.MaxValue ? (int)value : throw new UnsupportedException($"'{name}' is {value}") : otherwise;

    public int RequiredInteger(string name) => Attribute(name)?.Integer is { } ? Integer(name, 0) : throw new UnsupportedException($"'{name}' is missing");

    public double Float(string name, double otherwise) => Attribute(name)?.Float ?? otherwise;

    public string Text(string name, string otherwise) => Attribute(name)?.Text ?? otherwise;

    public bool Flag(string name, bool otherwise = false) => Integer(name, otherwise ? 1 : 0) == 1;

    /// <summary>Integers; null where the attribute is left out.</summary>
    public int[]? Integers(string name) => Attribute(name) is { } a
        ? [.. a.Integers.Select(i => i is >= int.MinValue and <= int.MaxValue ? (int)i : throw new UnsupportedException($"'{name}' has {i}"))] : null;

    public IReadOnlyList<string> Texts(string name) => Attribute(name)?.Texts ?? [];

    public IReadOnlyList<float> Floats(string name) => Attribute(name)?.Floats ?? [];

    public OnnxTensor? Tensor(string name) => Attribute(name)?.Tensor;

    /// <summary>Integers that are an attribute in old versions and an input in new ones; null where both are left out.</summary>
    public int[]? IntegersOrInput(string name, int input)
    {
        const int Most = 1 << 14; // of a node's dimensions, or parts
        if (Constant(input) is { } known)
            return known.Values.Length <= Most ? known.Integers : throw new UnsupportedException($"its input {input} has {known.Values.Length} numbers");
        return Integers(name);
    }

    /// <summary>Attributes that make no difference to what is computed here.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            _read.Add(name);
    }

    /// <summary>A dimension as ONNX counts it, from the end where it is negative.</summary>
    public static int Axis(int axis, int rank) => Place(axis, rank) ?? throw new UnsupportedException($"there is no dimension {axis} of {rank}");

    /// <summary>A place in a dimension of some size, from the end where it is negative; null if it lies outside.</summary>
    public static int? Place(int place, int size) => place >= -size && place < size ? place < 0 ? place + size : place : null;

    /// <summary>Throws if an attribute was not understood.</summary>
    public void CheckAllRead()
    {
        foreach (var attribute in node.Attributes)
        {
            if (!_read.Contains(attribute.Name))
                throw new UnsupportedException($"its attribute '{Interchange.Texts.Shown(attribute.Name)}' is not known");
        }
    }

    private OnnxAttribute? Attribute(string name)
    {
        _read.Add(name);
        return node.Attributes.FirstOrDefault(a => a.Name == name);
    }
}
