using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;

namespace Backprop.Simd.Networks;

/// <content>Names that are kept, and parameters of layers as nodes.</content>
public sealed partial class GraphBuilder
{
    private readonly HashSet<string> _reserved = [];

    /// <summary>Keeps names free of the automatic names of nodes, for nodes that get them later (<see cref="Node.Named"/>).</summary>
    /// <param name="names">The names.</param>
    public void Reserve(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            ArgumentNullException.ThrowIfNull(name, nameof(names));
            _reserved.Add(name);
        }
    }

    /// <summary>Whether a node must not get a name automatically.</summary>
    private bool IsTaken(string name) => _names.Contains(name) || _reserved.Contains(name);

    /// <summary>Throws if a name is taken, before a parameter is made.</summary>
    internal void RequireFree(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (_names.Contains(name))
                throw new ArgumentException($"The graph already has a node named '{name}'.", nameof(name));
        }
    }

    /// <summary>A parameter of the layer that computes a node, as a node of its own.</summary>
    internal Node ParameterOf(Node node, string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        var producer = _edges[node.Edge].Producer;
        var declared = producer < 0 ? [] : _nodes[producer].Declaration.Parameters;
        var at = declared.FindIndex(p => p.Name == name);
        if (at < 0)
        {
            var what = declared.Count == 0 ? "none" : string.Join(", ", declared.Select(p => $"'{p.Name}' {p.Shape}"));
            throw new ArgumentException($"The layer of {node} has no parameter '{name}'; it has {what}.", nameof(name));
        }

        var first = _nodes[producer].SharesWith is >= 0 and var shared ? shared : producer;
        var output = Place(new ParameterReader(declared[at].Shape), [])[0];
        (_nodes[^1].SharesWith, _nodes[^1].ReadParameter) = (first, _nodes[producer].ReadParameter >= 0 ? _nodes[producer].ReadParameter : at);
        return new(this, output);
    }
}
