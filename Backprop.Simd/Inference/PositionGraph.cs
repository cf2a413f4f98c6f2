using Backprop.Simd.Execution;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Inference;

/// <summary>A graph that computes one position of a sequence, from a graph that computes all: the same parameters under the same names.</summary>
internal sealed class PositionGraph
{
    /// <summary>The input with the number of positions before.</summary>
    public const string Before = "positions before";

    private readonly Graph _source;
    private readonly GraphBuilder _graph = new();
    private readonly Dictionary<int, Node> _nodes = [];
    private readonly HashSet<int> _onePosition = [];
    private readonly int _maximumLength;
    private Node? _before;

    /// <summary>Makes it.</summary>
    /// <param name="definition">The graph of all positions.</param>
    /// <param name="output">The name of its output.</param>
    /// <param name="maximumLength">M, the positions that are remembered; T if null.</param>
    public PositionGraph(NetworkDefinition definition, string output, int? maximumLength)
    {
        _source = definition.Graph;
        var last = definition.EdgeOf(output);
        var needed = Needed(last);
        var input = Input(needed);
        Tokens = _source.Edges[input].Name;
        _maximumLength = MaximumLength = maximumLength ?? _source.Edges[input].Type.Shape[0];
        _nodes.Add(input, _graph.IndexInput(Tokens, 1));
        _onePosition.Add(input);
        foreach (var node in _source.Nodes)
        {
            if (node.Outputs.Any(needed.Contains))
                Place(node);
        }

        if (!_onePosition.Contains(last))
            throw new ArgumentException($"The output '{output}' does not depend on the input '{Tokens}'.", nameof(output));
        _graph.Output(_nodes[last]);
        Output = output;
        Definition = _graph.Build();
    }

    /// <summary>The graph of one position.</summary>
    public NetworkDefinition Definition { get; }

    /// <summary>The input of the tokens.</summary>
    public string Tokens { get; }

    /// <summary>The output.</summary>
    public string Output { get; }

    /// <summary>The positions that are remembered.</summary>
    public int MaximumLength { get; }

    /// <summary>What is remembered: the input that takes it, the output that gives it, its columns.</summary>
    public List<(string Input, string Output, int Columns)> Memories { get; } = [];

    /// <summary>Whether a layer asks for the number of positions before.</summary>
    public bool AsksForBefore => _before is not null;

    private void Place(NodeInfo node)
    {
        var layer = node.Layer;
        List<Node> inputs = [.. node.Inputs.Select(Map)];
        var isOne = node.Inputs.Any(_onePosition.Contains);
        var declaration = _source.Nodes[node.SharesWith >= 0 ? node.SharesWith : Array.IndexOf(_source.Nodes, node)].Declaration;
        var remembered = 0;
        if (isOne)
        {
            if (!node.Declaration.TakesPositions || node.Inputs.Skip(1).Any(e => declaration.PositionForm is not null && !_onePosition.Contains(e)))
                throw Refused(node, "it does not say that it can compute one position at a time");
            if (declaration.PositionForm is { } form)
            {
                layer = form;
                remembered = declaration.Remembered.Length;
                for (var i = 0; i < remembered; i++)
                    inputs.Add(_graph.Input($"{node.Name}:remembered {i}", _maximumLength, declaration.Remembered[i]));
                inputs.Add(_before ??= _graph.IndexInput(Before));
            }
        }

        var placed = _graph.ApplyAll(_graph.Share(layer), [.. inputs]);
        placed[0].Named(node.Name);
        for (var i = 0; i < node.Outputs.Length; i++)
        {
            _nodes.Add(node.Outputs[i], placed[i]);
            if (!isOne)
                continue;
            _onePosition.Add(node.Outputs[i]);
            Check(node, _source.Edges[node.Outputs[i]].Type.Shape, placed[i].Type.Shape);
        }

        for (var i = 0; i < remembered; i++)
        {
            var memory = placed[node.Outputs.Length + i];
            _graph.Output(memory);
            Memories.Add(($"{node.Name}:remembered {i}", memory.Name, declaration.Remembered[i]));
        }
    }

    /// <summary>Throws unless a shape is the other's, for one position.</summary>
    private static void Check(NodeInfo node, Shape all, Shape one)
    {
        var fits = all.Rank == one.Rank && one.Rank > 0 && one[0] == 1;
        for (var i = 1; fits && i < all.Rank; i++)
            fits = all[i] == one[i];
        if (!fits)
            throw Refused(node, $"its output for all positions is {all}, and for one {one}");
    }

    private static ArgumentException Refused(NodeInfo node, string why) =>
        new($"'{node.Name}', a {node.Layer.Kind} layer, cannot compute one position at a time: {why}.", "network");

    private Node Map(int edge)
    {
        if (_nodes.TryGetValue(edge, out var node))
            return node;
        var info = _source.Edges[edge];
        return _nodes[edge] = _graph.Parameter(info.Name, info.Type.Shape, info.Initializer);
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

    /// <summary>The only input: tokens.</summary>
    private int Input(HashSet<int> needed)
    {
        var inputs = needed.Where(e => _source.Edges[e].Role == EdgeRole.Input).Order().ToArray();
        if (inputs.Length != 1 || _source.Edges[inputs[0]].Type is not { Kind: EdgeKind.Indices, Shape.Rank: 1 })
        {
            throw new ArgumentException("The network must need one input, tokens (indices [T]); it needs "
                + $"{string.Join(", ", inputs.Select(e => $"{_source.Edges[e].Name}: {_source.Edges[e].Type}"))}.", "network");
        }

        return inputs[0];
    }
}
