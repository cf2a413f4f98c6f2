using Backprop.Simd.Execution;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Inference;

/// <summary>Splits a graph over a whole sequence into two: one runs once for each sequence, the other once for each position. Parameters keep their
/// names.</summary>
internal sealed class PositionGraph
{
    /// <summary>The input with the number of positions before.</summary>
    public const string Before = "positions before";

    private readonly Graph _source;
    private readonly GraphBuilder _graph = new(), _memory = new();
    private readonly Dictionary<int, Node> _nodes = [], _memoryNodes = [];
    private readonly HashSet<int> _onePosition = [], _whole = [], _needed;
    private readonly Dictionary<string, string> _owned = [];
    private readonly int _steps, _maximumLength;
    private Node? _before;

    /// <summary>Makes it.</summary>
    /// <param name="definition">The graph of all positions.</param>
    /// <param name="output">The name of its output.</param>
    /// <param name="maximumLength">M, the positions that are remembered; T if null.</param>
    /// <param name="tokens">The name of the input of tokens; the only candidate if null.</param>
    public PositionGraph(NetworkDefinition definition, string output, int? maximumLength, string? tokens)
    {
        _source = definition.Graph;
        var last = definition.EdgeOf(output);
        _needed = Needed(last);
        var inputs = _needed.Where(e => _source.Edges[e].Role == EdgeRole.Input).Order().ToArray();
        var input = Input(inputs, tokens);
        Tokens = _source.Edges[input].Name;
        _steps = _source.Edges[input].Type.Shape[0];
        _maximumLength = MaximumLength = maximumLength ?? _steps;
        _nodes.Add(input, _graph.IndexInput(Tokens, 1));
        _onePosition.Add(input);
        foreach (var other in inputs)
        {
            if (other != input)
                _whole.Add(other);
        }

        foreach (var node in _source.Nodes)
        {
            if (!node.Outputs.Any(_needed.Contains))
                continue;
            Place(node);
            FindOwner(node);
        }

        if (!_onePosition.Contains(last))
            throw new ArgumentException($"The output '{output}' does not depend on the input '{Tokens}'.", nameof(output));
        _graph.Output(_nodes[last]);
        Output = output;
        Definition = _graph.Build();
        Memory = Starts.Any(s => s.IsMade) ? _memory.Build() : null;
        foreach (var other in _whole)
        {
            var (name, type) = (_source.Edges[other].Name, _source.Edges[other].Type);
            if (_source.Edges[other].Role == EdgeRole.Input)
                Inputs.Add((name, type, Memory is not null && _memoryNodes.ContainsKey(other), _nodes.ContainsKey(other)));
        }
    }

    /// <summary>The graph of one position.</summary>
    public NetworkDefinition Definition { get; }

    /// <summary>The graph of what is computed once a sequence; null if there is nothing.</summary>
    public NetworkDefinition? Memory { get; }

    /// <summary>The input of the tokens.</summary>
    public string Tokens { get; }

    /// <summary>The output.</summary>
    public string Output { get; }

    /// <summary>The positions that are remembered.</summary>
    public int MaximumLength { get; }

    /// <summary>What is remembered of each position: the input that takes it, the output that gives it, its columns.</summary>
    public List<(string Input, string Output, int Columns)> Memories { get; } = [];

    /// <summary>What is carried from position to position: the input that takes it, the output that gives it.</summary>
    public List<(string Input, string Output)> States { get; } = [];

    /// <summary>What inputs of one position begin a sequence with: an output of <see cref="Memory"/>, an input of the caller, or zeros if null.</summary>
    public List<(string Input, string? From, bool IsMade)> Starts { get; } = [];

    /// <summary>The inputs that hold for a whole sequence, and which of the two graphs have them.</summary>
    public List<(string Name, EdgeType Type, bool InMemory, bool InStep)> Inputs { get; } = [];

    /// <summary>Whether a layer asks for the number of positions before.</summary>
    public bool AsksForBefore => _before is not null;

    /// <summary>The name that a parameter or state of one of the two graphs has in the graph of all positions.</summary>
    public string NameInSource(string name) => _owned.GetValueOrDefault(name, name);

    /// <summary>Notes whose parameters and state a node has: the two graphs may place it without the node that it shares them with.</summary>
    private void FindOwner(NodeInfo node)
    {
        if (node.SharesWith < 0)
            return;
        var owner = _source.Nodes[node.SharesWith];
        var names = owner.Declaration.Parameters.Select(p => p.Name).ToArray();
        if (node.ReadParameter >= 0)
        {
            _owned.Add($"{node.Name}.{node.Declaration.Parameters[0].Name}", $"{owner.Name}.{names[node.ReadParameter]}");
            return;
        }

        foreach (var name in names.Concat(owner.Declaration.States.Select(s => s.Name)))
            _owned.Add($"{node.Name}.{name}", $"{owner.Name}.{name}");
    }

    private void Place(NodeInfo node)
    {
        if (node.Inputs.Any(_onePosition.Contains))
        {
            PlacePosition(node);
            return;
        }

        // What depends on no input may be read by both graphs.
        var isWhole = node.Inputs.Any(_whole.Contains);
        Add(_memory, _memoryNodes, node);
        if (isWhole)
            _whole.UnionWith(node.Outputs);
        else
            Add(_graph, _nodes, node);
    }

    private void Add(GraphBuilder graph, Dictionary<int, Node> nodes, NodeInfo node)
    {
        var placed = graph.ApplyAll(graph.Share(node.Layer), [.. node.Inputs.Select(e => Map(graph, nodes, e))]);
        placed[0].Named(node.Name);
        for (var i = 0; i < placed.Count; i++)
            nodes.Add(node.Outputs[i], placed[i]);
    }

    private void PlacePosition(NodeInfo node)
    {
        var declaration = _source.Nodes[node.SharesWith >= 0 ? node.SharesWith : Array.IndexOf(_source.Nodes, node)].Declaration;
        if (!node.Declaration.TakesPositions)
            throw Refused(node, "it does not say that it can compute one position at a time");
        var states = node.Declaration.PositionStates;
        var (layer, remembered) = (node.Layer, 0);
        List<Node> inputs = [];
        if (states.Length > 0)
            Carry(node, states, inputs);
        else if (declaration.PositionMemory is { } memory)
            (layer, inputs) = (declaration.PositionForm!, Remember(node, memory));
        else
            inputs.AddRange(node.Inputs.Select(e => Map(_graph, _nodes, e)));
        if (declaration is { PositionForm: { } form, PositionMemory: null })
        {
            if (node.Inputs.Skip(1).Any(e => !_onePosition.Contains(e)))
                throw Refused(node, "it has inputs that are not positions");
            layer = form;
            remembered = declaration.Remembered.Length;
            for (var i = 0; i < remembered; i++)
                inputs.Add(_graph.Input($"{node.Name}:remembered {i}", _maximumLength, declaration.Remembered[i]));
            inputs.Add(_before ??= _graph.IndexInput(Before));
        }

        var placed = _graph.ApplyAll(_graph.Share(layer), [.. inputs]);
        placed[0].Named(node.Name);
        for (var i = 0; i < node.Outputs.Length - states.Length; i++)
        {
            _nodes.Add(node.Outputs[i], placed[i]);
            _onePosition.Add(node.Outputs[i]);
            Check(node, _source.Edges[node.Outputs[i]].Type.Shape, placed[i].Type.Shape);
        }

        for (var i = 0; i < states.Length; i++)
        {
            _graph.Output(placed[i + 1]);
            States.Add(($"{node.Name}:state {i}", placed[i + 1].Name));
        }

        for (var i = 0; i < remembered; i++)
        {
            var kept = placed[node.Outputs.Length + i];
            _graph.Output(kept);
            Memories.Add(($"{node.Name}:remembered {i}", kept.Name, declaration.Remembered[i]));
        }
    }

    /// <summary>The inputs of a layer that carries states.</summary>
    private void Carry(NodeInfo node, int[] states, List<Node> inputs)
    {
        if (node.Outputs.Skip(node.Outputs.Length - states.Length).Any(_needed.Contains))
            throw Refused(node, "its state at the end of the sequence is read");
        if (!_onePosition.Contains(node.Inputs[0]) || node.Inputs.Skip(1).Any(e => !_whole.Contains(e)))
            throw Refused(node, "its sequence alone may come position by position");
        inputs.Add(Map(_graph, _nodes, node.Inputs[0]));
        for (var i = 0; i < states.Length; i++)
        {
            var name = $"{node.Name}:state {i}";
            inputs.Add(_graph.Input(name, states[i]));
            if (node.Inputs.Length == 1)
                Starts.Add((name, null, false));
            else
                Start(name, node.Inputs[i + 1]);
        }
    }

    /// <summary>The inputs of a layer whose other inputs hold for the whole sequence, behind what is computed of them once.</summary>
    private List<Node> Remember(NodeInfo node, Layer memory)
    {
        if (!_onePosition.Contains(node.Inputs[0]) || node.Inputs.Skip(1).Any(e => !_whole.Contains(e)))
            throw Refused(node, "its first input alone may come position by position");
        List<Node> inputs = [Map(_graph, _nodes, node.Inputs[0])];
        var isValues = node.Inputs.Skip(1).ToLookup(e => _source.Edges[e].Type.Kind == EdgeKind.Values);
        var made = _memory.ApplyAll(_memory.Share(memory), [.. isValues[true].Select(e => Map(_memory, _memoryNodes, e))]);
        made[0].Named(node.Name);
        for (var i = 0; i < made.Count; i++)
        {
            var name = $"{node.Name}:memory {i}";
            inputs.Add(AddInput(_graph, name, made[i].Type));
            _memory.Output(made[i]);
            Starts.Add((name, made[i].Name, true));
        }

        inputs.AddRange(isValues[false].Select(e => Map(_graph, _nodes, e)));
        return inputs;
    }

    /// <summary>Lets an input of one position begin each sequence with an edge of what is whole.</summary>
    private void Start(string input, int edge)
    {
        if (_source.Edges[edge].Role == EdgeRole.Input)
        {
            Starts.Add((input, _source.Edges[edge].Name, false));
            return;
        }

        var made = _memoryNodes[edge];
        if (!Starts.Any(s => s.IsMade && s.From == made.Name))
            _memory.Output(made);
        Starts.Add((input, made.Name, true));
    }

    /// <summary>Throws unless a shape is the other's, for one position.</summary>
    private void Check(NodeInfo node, Shape all, Shape one)
    {
        var fits = all.Rank == one.Rank && one.Rank > 0 && one[0] == 1 && all[0] == _steps;
        for (var i = 1; fits && i < all.Rank; i++)
            fits = all[i] == one[i];
        if (!fits)
            throw Refused(node, $"its output for all positions is {all}, and for one {one}");
    }

    private static ArgumentException Refused(NodeInfo node, string why) =>
        new($"'{node.Name}', a {node.Layer.Kind} layer, cannot compute one position at a time: {why}.", "network");

    private Node Map(GraphBuilder graph, Dictionary<int, Node> nodes, int edge)
    {
        if (nodes.TryGetValue(edge, out var node))
            return node;
        var info = _source.Edges[edge];
        if (info.Role == EdgeRole.Input)
            return nodes[edge] = AddInput(graph, info.Name, info.Type);
        if (!_whole.Contains(edge))
            return nodes[edge] = graph.Parameter(info.Name, info.Type.Shape, info.Initializer);
        var name = $"{info.Name}:whole";
        Start(name, edge);
        return nodes[edge] = AddInput(graph, name, info.Type);
    }

    private static Node AddInput(GraphBuilder graph, string name, EdgeType type)
    {
        if (type.Kind == EdgeKind.Values)
            return graph.Input(name, type.Shape);
        int[] dimensions = [.. Enumerable.Range(0, type.Shape.Rank).Select(d => type.Shape[d])];
        return type.Kind == EdgeKind.Indices ? graph.IndexInput(name, dimensions) : graph.SharedInput(name, dimensions);
    }

    /// <summary>The edges that an edge depends on.</summary>
    private HashSet<int> Needed(int last)
    {
        HashSet<int> needed = [last];
        for (var i = _source.Nodes.Length - 1; i >= 0; i--)
        {
            if (_source.Nodes[i].Outputs.Any(needed.Contains))
                needed.UnionWith(_source.Nodes[i].Inputs);
        }

        return needed;
    }

    /// <summary>The input of tokens.</summary>
    private int Input(int[] inputs, string? tokens)
    {
        var found = inputs.Where(e => _source.Edges[e].Type is { Kind: EdgeKind.Indices, Shape.Rank: 1 }
            && (tokens is null || _source.Edges[e].Name == tokens)).ToArray();
        if (found.Length == 1)
            return found[0];
        var needs = string.Join(", ", inputs.Select(e => $"{_source.Edges[e].Name}: {_source.Edges[e].Type}"));
        throw tokens is not null
            ? new ArgumentException($"'{tokens}' is no input of tokens (indices [T]) that the output needs; it needs {needs}.", nameof(tokens))
            : new ArgumentException($"The network must need one input of tokens (indices [T]), or its name must be given; it needs {needs}.", "network");
    }
}
