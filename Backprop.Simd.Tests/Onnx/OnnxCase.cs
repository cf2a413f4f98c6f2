using Backprop.Simd.Interchange;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>A case is left out: the library does not do what it asks for.</summary>
/// <param name="reason">What that is.</param>
internal sealed class LeftOutException(string reason) : Exception(reason);

/// <summary>One test of ONNX: a directory with a model of one operator, inputs and the outputs expected.</summary>
internal sealed class OnnxCase
{
    private static readonly string[] Groups = ["node", "pytorch-converted", "pytorch-operator", "simple"];

    private readonly string _directory;
    private readonly HashSet<string> _read = [];
    private Dictionary<string, OnnxTensor>? _values;

    private OnnxCase(string name, string directory)
    {
        (Name, _directory) = (name, directory);
        Model = OnnxModel.Parse(File.ReadAllBytes(Path.Combine(directory, "model.onnx")));
        Node = Model.Nodes[^1];
    }

    /// <summary>Where Debian's package libonnx-testdata has its data, or <c>BACKPROP_ONNX_TESTDATA</c>.</summary>
    public static string Root { get; } = Environment.GetEnvironmentVariable("BACKPROP_ONNX_TESTDATA") ?? "/usr/share/libonnx-testdata/data";

    /// <summary>Whether the data are there.</summary>
    public static bool IsInstalled => Directory.Exists(Path.Combine(Root, "node"));

    public string Name { get; }

    public OnnxModel Model { get; }

    /// <summary>The one node, or the last: that of the gradient.</summary>
    public OnnxNode Node { get; }

    /// <summary>The model, some of its inputs as initializers. Cases of versions before 7 are of operators that did not change.</summary>
    public OnnxModel With(IReadOnlySet<string> known)
    {
        var model = new OnnxModel { Opset = Math.Max(7, Model.Opset) };
        model.Nodes.AddRange(Model.Nodes);
        model.AllInputs.AddRange(Model.AllInputs);
        model.Outputs.AddRange(Model.Outputs);
        foreach (var (name, tensor) in Model.Initializers)
            model.Initializers.Add(name, tensor);
        foreach (var name in known)
            model.Initializers.Add(name, Value(name));
        return model;
    }

    public int InputCount => Node.Inputs.Count;

    /// <summary>The names of the outputs that a row of <see cref="OnnxOperators"/> computes, in its order.</summary>
    public IReadOnlyList<string> OutputNames => Model.Nodes.Count == 1 ? Node.Outputs : [.. Model.Outputs.Select(o => o.Name)];

    public static IEnumerable<string> Names() =>
        from @group in Groups
        let directory = Path.Combine(Root, @group)
        where Directory.Exists(directory)
        from path in Directory.EnumerateDirectories(directory).Order(StringComparer.Ordinal)
        where File.Exists(Path.Combine(path, "model.onnx"))
        select $"{@group}/{Path.GetFileName(path)}";

    public static OnnxCase Open(string name) => new(name, Path.Combine(Root, name));

    public OnnxTensor Value(string name)
    {
        _values ??= Model.Inputs.Select((input, i) => (input.Name, Tensor: Read($"input_{i}.pb")))
            .Concat(Model.Initializers.Select(i => (i.Key, i.Value))).ToDictionary();
        var value = _values[name];
        return value.Type is OnnxType.Float or OnnxType.Double or OnnxType.Int32 or OnnxType.Int64 or OnnxType.Bool ? value
            : throw new LeftOutException($"elements of type {value.Type}");
    }

    public OnnxTensor Input(int index) => Value(Node.Inputs[index]);

    public OnnxTensor? Optional(int index) => index < InputCount && Node.Inputs[index].Length > 0 ? Input(index) : null;

    public OnnxTensor Expected(string output) => Read($"output_{Model.Outputs.FindIndex(o => o.Name == output)}.pb");

    public int Integer(string name, int otherwise) => checked((int)(Attribute(name)?.Integer ?? otherwise));

    public int? Integer(string name) => checked((int?)Attribute(name)?.Integer);

    public float Float(string name, float otherwise) => Attribute(name)?.Float ?? otherwise;

    public string Text(string name, string otherwise) => Attribute(name)?.Text ?? otherwise;

    public int[] Integers(string name, params int[] otherwise) => Attribute(name) is { } a ? [.. a.Integers.Select(i => checked((int)i))] : otherwise;

    public IReadOnlyList<string> Texts(string name) => Attribute(name)?.Texts ?? [];

    /// <summary>An attribute that makes no difference to what is computed.</summary>
    public void Ignore(string name) => _read.Add(name);

    /// <summary>Attributes that nobody has asked for: the case is not understood.</summary>
    public IEnumerable<string> Unread() => Node.Attributes.Select(a => a.Name).Where(a => !_read.Contains(a));

    public override string ToString() => $"{Name}: {Node.Operator}";

    private OnnxAttribute? Attribute(string name)
    {
        _read.Add(name);
        return Node.Attributes.SingleOrDefault(a => a.Name == name);
    }

    private OnnxTensor Read(string file) => OnnxTensor.Parse(File.ReadAllBytes(Path.Combine(_directory, "test_data_set_0", file)));
}
