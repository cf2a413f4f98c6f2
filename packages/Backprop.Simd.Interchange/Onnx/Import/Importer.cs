using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>Builds the layers of an ONNX graph, node by node, and remembers which numbers belong to which parameter.</summary>
internal sealed class Importer(OnnxModel model, GraphBuilder graph, OnnxLoadOptions options)
{
    /// <summary>The most names without a meaning that are tried.</summary>
    private const int LargestUnnamed = 1_000_000;

    private readonly Dictionary<string, ImportValue> _values = [];
    private readonly Dictionary<(double[] Numbers, string Shape), NodeValue> _parameters = [];
    private readonly List<string> _faults = [];
    private readonly HashSet<string> _failed = [];
    private readonly Dictionary<string, string> _notGiven = [];
    private readonly HashSet<string> _used = [];
    private GraphShape? _shape;
    private int _unnamed;
    private Node? _always;
    private long _made;
    private long? _largestMade;

    public GraphBuilder Graph => graph;

    /// <summary>The size that the model gives the batch; null where it is free.</summary>
    public int? FixedRows { get; set; }

    public OnnxLoadOptions Options => options;

    /// <summary>The numbers of parameters and state, by the node of their layer.</summary>
    public List<ImportedNumbers> Numbers { get; } = [];

    /// <summary>Builds everything that some names need.</summary>
    /// <param name="inputs">The nodes of the inputs.</param>
    /// <param name="outputs">The names.</param>
    /// <returns>The values of all names.</returns>
    /// <exception cref="ModelFileException">The graph has operators that are not known or not possible here; all are listed.</exception>
    public IReadOnlyDictionary<string, ImportValue> Run(IReadOnlyDictionary<string, ImportValue> inputs, IReadOnlyList<string> outputs)
    {
        foreach (var (name, value) in inputs)
            _values[name] = value;
        foreach (var (name, tensor) in model.Initializers)
            _values.TryAdd(name, Folded.Of(tensor));
        var nodes = Needed(outputs);
        foreach (var node in nodes.Where(n => n is { Operator: "Constant", Domain: "" }))
            Attempt(node, () => _values[node.Outputs[0]] = Operators.Constant(Operation(node)));
        CheckKnown(nodes);
        Folded? Known(string name) => _values.GetValueOrDefault(name) as Folded;
        _shape = new GraphShape(Patterns.WithoutIdentities(nodes, outputs, Known), outputs, Known);
        Patterns.Apply(_shape);
        if (options.Fold)
            ConvolutionFolding.Apply(_shape, _values, Take);
        for (var i = 0; i < _shape.Count; i++)
        {
            // A node before may have taken this one into itself.
            if (_shape.At(i) is { } node && !_values.ContainsKey(node.Outputs[0]))
                Convert(node);
        }

        foreach (var output in outputs)
        {
            if (!_values.ContainsKey(output) && !_failed.Contains(output))
                _faults.Add(_notGiven.GetValueOrDefault(output, $"nothing makes '{Texts.Shown(output)}'"));
        }

        Throw("cannot be imported");
        return _values;
    }

    /// <summary>Counts known numbers that operators make: all together some times those of the file, so that a file of some bytes does not fill memory.
    /// </summary>
    public void Take(long numbers)
    {
        const long Free = 1 << 22, Times = 32;
        _made += numbers;
        _largestMade ??= Free + Times * model.Initializers.Values.Concat(model.Nodes.SelectMany(n => n.Attributes).Select(a => a.Tensor).OfType<OnnxTensor>())
            .Sum(t => (long)t.Size);
        if (_made > _largestMade)
            throw new UnsupportedException($"the model makes more than {_largestMade} known numbers");
    }

    /// <summary>A value as a node; known numbers become a parameter.</summary>
    public NodeValue ValueOf(ImportValue value) => value switch
    {
        NodeValue node => node,
        Folded { BatchAxis: >= 0 } repeated => Repeated(Parameter(new(repeated.Type, repeated.Shape, repeated.Values), frozen: true), repeated.BatchAxis),
        _ => Parameter((Folded)value),
    };

    /// <summary>What all rows share, for each row of the batch: chosen, always, before a number of an input.</summary>
    /// <param name="value">The value.</param>
    /// <param name="axis">Its dimension of size 1 that becomes the batch.</param>
    public NodeValue Repeated(NodeValue value, int axis)
    {
        var source = _values.Values.OfType<NodeValue>().FirstOrDefault(v => v is { BatchAxis: >= 0, Node.Type.Kind: EdgeKind.Values })
            ?? throw new UnsupportedException("it repeats numbers for the rows of the batch, and no input of numbers has such");
        _always ??= Parameter(new(OnnxType.Float, [1], [1]), frozen: true).Node;
        var number = source.Node.Reshape(source.Node.Type.Shape.Size).Slice(0, 0, 1);
        var shape = value.Node.Type.Shape;
        var node = Node.Where(_always.Value, shape.Rank == 0 ? value.Node.Reshape(1) : value.Node, number);
        return new(node, [.. value.Axes.Select((a, i) => i == axis ? [0] : a)]);
    }

    /// <summary>Known numbers as a parameter of the graph, in ONNX's order.</summary>
    public NodeValue Parameter(Folded numbers, bool frozen = false)
    {
        if (!frozen && !numbers.IsFloat)
            throw new UnsupportedException($"it needs known numbers of {numbers.Type} as values of a node");
        var shape = numbers.Shape.Length <= Shape.MaxRank ? numbers.Shape : throw new UnsupportedException($"it needs {numbers.Text()} as a parameter");
        var key = (numbers.Values, string.Join(",", shape));
        if (_parameters.TryGetValue(key, out var known))
            return known;
        if (numbers.Powers is not null || shape.Contains(0))
            throw new UnsupportedException($"it needs {numbers.Text()} as a parameter");
        var node = NewParameter(numbers.Name, new Shape(shape));
        Take(numbers.Values.Length);

        // A number that stands in the graph, and infinity in a mask, are no weights.
        var isWeight = numbers.Values.All(double.IsFinite) && (numbers.Values.Length > 1 || model.Initializers.ContainsKey(numbers.Name));
        Numbers.Add(new(node, null, numbers.Values) { IsFrozen = frozen || !isWeight });
        var value = new NodeValue(node, [.. Enumerable.Range(1, shape.Length).Select(d => new[] { d })]);
        _parameters[key] = value;
        return value;
    }

    /// <summary>Says which numbers a parameter of a layer has.</summary>
    public void Set(Node node, string parameter, double[] numbers)
    {
        Take(numbers.Length);
        Numbers.Add(new(node, parameter, numbers));
    }

    /// <summary>The known numbers that the only reader of an operator's output adds to it, if they are one for each channel; the sum is then taken
    /// into the operator.</summary>
    /// <param name="o">The operator.</param>
    /// <param name="channels">The number of channels.</param>
    /// <param name="rank">The dimensions of the output.</param>
    /// <param name="behind">How many of them lie behind the channels.</param>
    /// <returns>The numbers; null if there are no such.</returns>
    public double[]? TakeBias(Operation o, int channels, int rank, int behind)
    {
        var output = o.Node.Outputs[0];
        if (_shape!.Next(output, "Add") is not { } sum)
            return null;
        foreach (var (own, other) in GraphShape.Pairs(sum))
        {
            if (own != output || _shape.Constant(other) is not { IsFloat: true, Powers: null } bias || bias.Values.Length != channels
                || bias.Rank <= behind || bias.Rank > rank || bias.Shape[bias.Rank - 1 - behind] != channels)
                continue;
            _shape.Replace(o.Node with { Outputs = sum.Outputs }, o.Node, sum);
            Merged = sum.Outputs[0];
            return bias.Values;
        }

        return null;
    }

    /// <summary>The name of the output under which the operator that is being built goes on, after <see cref="TakeBias"/>.</summary>
    private string? Merged { get; set; }

    private Operation Operation(OnnxNode node) =>
        new(node, [.. node.Inputs.Select(i => i.Length == 0 ? null : _values.GetValueOrDefault(i))], model.Opset, this);

    private void Convert(OnnxNode node)
    {
        // What failed is told once, not again by everything behind it.
        if (node.Inputs.Any(_failed.Contains))
        {
            Fail(node);
            return;
        }

        Attempt(node, () =>
        {
            if (node.Inputs.FirstOrDefault(i => i.Length > 0 && !_values.ContainsKey(i)) is { } missing)
                throw new UnsupportedException(_notGiven.GetValueOrDefault(missing, $"nothing before it makes '{Texts.Shown(missing)}'"));
            var o = Operation(node);
            Merged = null;
            var results = o.Inputs.All(i => i is Folded or null) && Folding.Fold(o) is { } folded ? [folded] : Operators.Build(o);
            o.CheckAllRead();
            for (var i = 0; i < Math.Min(results.Length, node.Outputs.Count); i++)
            {
                if (node.Outputs[i].Length > 0)
                    _values[i == 0 && Merged is not null ? Merged : node.Outputs[i]] = results[i];
            }

            for (var i = results.Length; i < node.Outputs.Count; i++)
            {
                _notGiven.TryAdd(node.Outputs[i], $"output {i} of {Title(node)} is not given");
            }
        });
    }

    private void Attempt(OnnxNode node, Action action)
    {
        try
        {
            action();
        }
        catch (UnsupportedException e)
        {
            Fail(node, e.Message);
        }
        catch (Exception e) when (e is ArgumentException or OverflowException or IndexOutOfRangeException or ModelFileException)
        {
            Fail(node, e.Message);
        }
    }

    private void Fail(OnnxNode node, string? reason = null)
    {
        foreach (var output in node.Outputs)
            _failed.Add(output);
        if (reason is not null)
            _faults.Add($"{Title(node)}: {reason}");
    }

    private static string Title(OnnxNode node) =>
        $"{Texts.Shown(node.Operator)} '{Texts.Shown(node.Name.Length > 0 ? node.Name : node.Outputs.FirstOrDefault(""))}'";

    private void CheckKnown(IEnumerable<OnnxNode> nodes)
    {
        foreach (var node in nodes)
        {
            if (node.Outputs.Count == 0)
                _faults.Add($"{Title(node)} has no output");
            else if (node.Domain.Length > 0 || !Operators.Has(node.Operator))
                _faults.Add($"{Title(node)}{(node.Domain.Length > 0 ? $" of {Texts.Shown(node.Domain)}" : "")}");
        }

        Throw("has operators that are not known here");
    }

    private void Throw(string what)
    {
        const int Shown = 50;
        if (_faults.Count == 0)
            return;
        var more = _faults.Count > Shown ? $" And {_faults.Count - Shown} more." : "";
        throw new ModelFileException($"The model {what}: {string.Join("; ", _faults.Take(Shown))}.{more}");
    }

    /// <summary>The nodes that some names need, in order.</summary>
    private List<OnnxNode> Needed(IReadOnlyList<string> outputs)
    {
        HashSet<string> wanted = [.. outputs];
        var nodes = new List<OnnxNode>();
        for (var i = model.Nodes.Count - 1; i >= 0; i--)
        {
            var node = model.Nodes[i];
            if (!node.Outputs.Any(o => o.Length > 0 && wanted.Contains(o)) || node.Outputs.All(_values.ContainsKey))
                continue;
            wanted.UnionWith(node.Inputs);
            nodes.Add(node);
        }

        nodes.Reverse();
        return nodes;
    }

    /// <summary>A parameter with a name of the model, or, where layers have taken it, with one of its own.</summary>
    private Node NewParameter(string wanted, Shape shape)
    {
        for (var name = wanted; ; name = $"constant{++_unnamed}")
        {
            if (string.IsNullOrWhiteSpace(name) || !_used.Add(name))
                continue;
            try
            {
                return graph.Parameter(options.Prefix + name, shape);
            }
            catch (ArgumentException) when (_unnamed < LargestUnnamed)
            {
            }
        }
    }
}

/// <summary>Numbers of a parameter or state: of a layer, or, where <paramref name="Part"/> is null, a parameter of the graph.</summary>
internal sealed record ImportedNumbers(Node Node, string? Part, double[] Numbers)
{
    /// <summary>Whether training must not change them: a mask.</summary>
    public bool IsFrozen { get; init; }
}
