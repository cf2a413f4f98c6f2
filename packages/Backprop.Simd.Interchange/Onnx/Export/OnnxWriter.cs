using System.Globalization;

namespace Backprop.Simd.Interchange;

/// <summary>
/// The graph of a model while it is written: nodes in their order, and constants. The same node on the same inputs is written once, and a
/// constant is transposed or reshaped here rather than at run time.
/// </summary>
/// <param name="numbers">The element type of numbers.</param>
/// <param name="opset">The version of the operators.</param>
internal sealed partial class OnnxWriter(OnnxType numbers, int opset)
{
    private readonly List<OnnxNode> _nodes = [];
    private readonly Dictionary<string, OnnxTensor> _constants = [];
    private readonly Dictionary<string, string[]> _made = [];
    private readonly HashSet<string> _names = [];

    public OnnxType Numbers => numbers;

    public int Opset => opset;

    /// <summary>The name of the layer that is written: what new tensors are named by.</summary>
    public string Scope { get; set; } = "";

    /// <summary>Takes a name of an input or output, so that nothing else has it.</summary>
    public void Reserve(string name) => _names.Add(name);

    /// <summary>A node with one output.</summary>
    public string Node(string kind, ReadOnlySpan<string> inputs, params ReadOnlySpan<OnnxAttribute> attributes) => Nodes(kind, 1, inputs, attributes)[0];

    /// <summary>A node with several outputs.</summary>
    public string[] Nodes(string kind, int outputs, ReadOnlySpan<string> inputs, params ReadOnlySpan<OnnxAttribute> attributes)
    {
        var key = $"{kind} {outputs} {string.Join('\n', inputs.ToArray())}\n{string.Join('\n', attributes.ToArray().Select(KeyOf))}";
        if (!kind.StartsWith("Random", StringComparison.Ordinal) && _made.TryGetValue(key, out var made))
            return made;
        made = [.. Enumerable.Range(0, outputs).Select(_ => NewName(kind))];
        _nodes.Add(new(kind, "", inputs.ToArray(), made, attributes.ToArray()) { Name = made[0] });
        _made[key] = made;
        return made;
    }

    /// <summary>Numbers that do not change.</summary>
    public string Constant(double[] values, params int[] shape) => Constant(numbers, values, shape);

    /// <summary>Numbers that do not change, of an element type of their own.</summary>
    public string Constant(OnnxType type, double[] values, params int[] shape) =>
        Keep("number", type, shape, string.Join(' ', values.Take(MostCompared).Select(BitConverter.DoubleToInt64Bits)), values.Length,
            () => OnnxTensor.Of(type, shape, values));

    /// <summary>One number without dimensions.</summary>
    public string Number(double value) => Constant([value]);

    /// <summary>A vector of 64-bit integers: sizes, axes.</summary>
    public string Integers(params IEnumerable<long> values) => Whole(OnnxType.Int64, [.. values], values.Count());

    /// <summary>Integers that do not change.</summary>
    public string Whole(OnnxType type, long[] values, params int[] shape) => Keep("integer", type, shape, string.Join(' ', values.Take(MostCompared)),
        values.Length, () => OnnxTensor.OfIntegers(type, shape, values));

    /// <summary>The numbers of a parameter or a state, once for all layers that share it.</summary>
    public string Parameter(string name, Func<OnnxTensor> make)
    {
        if (!_made.TryGetValue("parameter " + name, out var made))
            _made["parameter " + name] = made = [Add(name, make())];
        return made[0];
    }

    /// <summary>A tensor with its dimensions in another order.</summary>
    public string Transposed(string x, params int[] order)
    {
        if (order.SequenceEqual(Enumerable.Range(0, order.Length)))
            return x;
        return Folded(x, $"transposed {string.Join(' ', order)}", constant => constant.Transposed(order))
            ?? Node("Transpose", [x], OnnxAttributes.Whole("perm", order.Select(o => (long)o)));
    }

    /// <summary>A tensor with more dimensions, of size 1.</summary>
    public string Unsqueezed(string x, params IReadOnlyList<int> axes)
    {
        if (axes.Count == 0)
            return x;
        return Folded(x, $"unsqueezed {string.Join(' ', axes)}", constant =>
        {
            var shape = constant.Shape.ToList();
            foreach (var axis in axes.Order())
                shape.Insert(axis, 1);
            return constant.As([.. shape]);
        }) ?? Node("Unsqueeze", [x, Integers(axes.Select(a => (long)a))]);
    }

    public string Squeezed(string x, params IReadOnlyList<int> axes) => axes.Count == 0 ? x : Node("Squeeze", [x, Integers(axes.Select(a => (long)a))]);

    /// <summary>The elements of a tensor in another shape; 0 keeps the size of a dimension, -1 follows from the others.</summary>
    public string Reshaped(string x, params ReadOnlySpan<OnnxSize> sizes)
    {
        var shape = sizes.ToArray();
        if (Array.TrueForAll(shape, s => s is { Tensor: null, Number: > 0 })
            && Folded(x, $"reshaped {string.Join(' ', shape)}", c => c.As([.. shape.Select(s => (int)s.Number)])) is { } folded)
        {
            return folded;
        }

        return Node("Reshape", [x, Sizes(shape)]);
    }

    /// <summary>Sizes as one vector.</summary>
    public string Sizes(params ReadOnlySpan<OnnxSize> sizes)
    {
        List<string> parts = [];
        List<long> run = [];
        foreach (var size in sizes)
        {
            if (size.Tensor is null)
            {
                run.Add(size.Number);
                continue;
            }

            Flush();
            parts.Add(size.Tensor);
        }

        if (run.Count > 0 || parts.Count == 0)
            parts.Add(Integers([.. run]));
        return parts.Count == 1 ? parts[0] : Node("Concat", [.. parts], OnnxAttributes.Whole("axis", 0));

        void Flush()
        {
            if (run.Count > 0)
                parts.Add(Integers([.. run]));
            run.Clear();
        }
    }

    /// <summary>Some sizes of a tensor at run time, as a vector; to its end without a last one.</summary>
    public string SizesOf(string x, int start, int? end = null)
    {
        var first = OnnxAttributes.Whole("start", start);
        return end is { } last ? Node("Shape", [x], first, OnnxAttributes.Whole("end", last)) : Node("Shape", [x], first);
    }

    /// <summary>A range of one dimension.</summary>
    public string Slice(string x, int axis, OnnxSize start, OnnxSize end, long step = 1) =>
        Node("Slice", [x, Sizes(start), Sizes(end), Integers(axis), Integers(step)]);

    /// <summary>A reduction along some dimensions.</summary>
    public string Reduce(string kind, string x, IEnumerable<int> axes, bool keep)
    {
        long[] along = [.. axes];
        var kept = OnnxAttributes.Whole("keepdims", keep ? 1 : 0);
        return opset >= 18 || kind == "ReduceSum" ? Node(kind, [x, Integers(along)], kept) : Node(kind, [x], OnnxAttributes.Whole("axes", along), kept);
    }

    public string Cast(string x, OnnxType type) => Node("Cast", [x], OnnxAttributes.Whole("to", (int)type));

    /// <summary>What the graph computes of its nodes and constants; outputs have their names.</summary>
    /// <param name="model">Takes nodes and constants.</param>
    /// <param name="inputs">The inputs.</param>
    /// <param name="outputs">The tensor of each output, by its name.</param>
    public void WriteTo(OnnxModel model, IReadOnlyCollection<string> inputs, IReadOnlyDictionary<string, string> outputs)
    {
        var renamed = new Dictionary<string, string>();
        foreach (var (name, tensor) in outputs)
        {
            if (name == tensor)
                continue;
            if (inputs.Contains(tensor) || _constants.ContainsKey(tensor) || !renamed.TryAdd(tensor, name))
                _nodes.Add(new("Identity", "", [tensor], [name], []) { Name = name });
        }

        var used = outputs.Select(o => o.Key).Concat(outputs.Values).ToHashSet();
        var kept = new List<OnnxNode>();
        foreach (var node in Enumerable.Reverse(_nodes).Where(n => n.Outputs.Any(used.Contains)))
        {
            used.UnionWith(node.Inputs);
            kept.Add(node);
        }

        kept.Reverse();
        foreach (var node in kept)
        {
            model.Nodes.Add(node with
            {
                Name = renamed.GetValueOrDefault(node.Name, node.Name),
                Inputs = [.. node.Inputs.Select(i => renamed.GetValueOrDefault(i, i))],
                Outputs = [.. node.Outputs.Select(o => renamed.GetValueOrDefault(o, o))],
            });
        }

        foreach (var (name, tensor) in _constants.Where(c => used.Contains(c.Key)))
            model.Initializers.Add(name, tensor);
    }
}
