using System.Diagnostics.CodeAnalysis;
using Backprop.Simd.Execution;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>The modules that a network is in PyTorch, in execution order, and their names.</summary>
internal sealed class PyTorchModules
{
    /// <summary>What weight normalization names the two parts of its weight.</summary>
    public const string Length = "weight_g", Direction = "weight_v";

    private readonly NetworkDefinition _definition;
    private readonly FeatureOrders _orders;
    private readonly IReadOnlyDictionary<string, string> _names;
    private readonly List<PyTorchModule> _modules = [];

    /// <param name="definition">The network.</param>
    /// <param name="names">Names of nodes or parameters of the graph, with the names of their modules there.</param>
    /// <exception cref="ArgumentException">A name is not the network's.</exception>
    public PyTorchModules(NetworkDefinition definition, IReadOnlyDictionary<string, string> names)
    {
        (_definition, _orders, _names) = (definition, new FeatureOrders(definition.Graph), names);
        AddParametersOfGraph();
        var paired = new HashSet<NodeInfo>();
        foreach (var node in definition.Graph.Nodes)
        {
            if (node.SharesWith < 0 && node.Parameters.Length + node.States.Length > 0 && !paired.Contains(node))
                AddNode(node, paired);
        }

        foreach (var name in names.Keys)
        {
            if (!_modules.Exists(m => m.Name == name || m.Reverse?.Name == name))
            {
                throw new ArgumentException($"'{name}' has no parameters and no state of its own. The network has: "
                    + $"{string.Join(", ", _modules.Select(static m => m.Name))}.", nameof(names));
            }
        }
    }

    /// <summary>The modules; each level of recurrences is one.</summary>
    public IReadOnlyList<PyTorchModule> All => _modules;

    /// <summary>Whether the caller has named a module.</summary>
    public bool TryName(PyTorchModule module, [NotNullWhen(true)] out string? name)
    {
        if (_names.TryGetValue(module.Name, out name))
            return true;
        return module.Below is { } below && TryName(below, out name);
    }

    /// <summary>The name of a module: the caller's, or that of its node; a level above another has the name of the lowest.</summary>
    public string NameOf(PyTorchModule module) => TryName(module, out var name) ? name : module.Below is { } below ? NameOf(below) : module.Name;

    /// <summary>The level of a recurrence, from 0: a level with another name than the one below it begins a module.</summary>
    public int LevelOf(PyTorchModule module) => module.Below is { } below && NameOf(below) == NameOf(module) ? LevelOf(below) + 1 : 0;

    /// <summary>The whole name of a tensor of a module.</summary>
    public static string TensorName(string module, int level, string tensor)
    {
        if (level > 0)
            tensor = tensor.Replace("_l0", $"_l{level}", StringComparison.Ordinal);
        return tensor.Length == 0 ? module : module.Length == 0 ? tensor : module + "." + tensor;
    }

    /// <summary>Parameters of the graph, each alone; direction and length of a weight-normalized map together.</summary>
    private void AddParametersOfGraph()
    {
        var taken = new HashSet<string>();
        var graph = _definition.Graph;
        for (var e = 0; e < graph.Edges.Length; e++)
        {
            var edge = graph.Edges[e];
            if (edge.Role != EdgeRole.Parameter || taken.Contains(edge.Name))
                continue;
            if (edge.Name.EndsWith(".direction", StringComparison.Ordinal) && AddNormalizedMap(edge.Name[..^".direction".Length], e, taken))
                continue;
            AddParameter(edge.Name, _orders.Of(e));
        }
    }

    private bool AddNormalizedMap(string name, int direction, HashSet<string> taken)
    {
        var (graph, v) = (_definition.Graph, _definition.Parameters[name + ".direction"].Shape);
        if (v.Rank != 2 || !_definition.Parameters.TryFind(name + ".length", out var g) || g.Shape != new Shape(1, v[1]))
            return false;
        var module = new PyTorchModule(_definition, _orders, null, name);

        // The weight is an expression of both; the product that takes it has the input's and the output's order.
        var product = graph.Consumers[direction].Select(n => graph.Nodes[n].Outputs[0]).SelectMany(e => graph.Consumers[e])
            .Select(n => graph.Nodes[n]).FirstOrDefault(static node => node.Layer.Kind == "matrixproduct");
        int[]? inputs = product is null ? null : _orders.Of(product.Inputs[0]), outputs = product is null ? null : _orders.Of(product.Outputs[0]);
        module.Add(Length, name + ".length", [1, 0], outputs);
        module.Add(Direction, name + ".direction", [1, 0], outputs, inputs);
        module.Add("bias", name + ".bias", [], outputs);
        foreach (var part in (string[])[".length", ".direction", ".bias"])
            taken.Add(name + part);
        _modules.RemoveAll(m => taken.Contains(m.Name));
        _modules.Add(module);
        return true;
    }

    private void AddParameter(string name, int[]? order)
    {
        var module = new PyTorchModule(_definition, _orders, null, name);
        var rank = _definition.Parameters.TryFind(name, out var entry) ? entry.Shape.Rank : 0;
        module.Add("", name, [], rank == 0 ? [] : [.. Enumerable.Repeat<int[]?>(null, rank - 1), order]);
        _modules.Add(module);
    }

    private void AddNode(NodeInfo node, HashSet<NodeInfo> paired)
    {
        var kind = FeatureOrders.KindOf(node);
        var module = new PyTorchModule(_definition, _orders, node, node.Name);
        if (!PyTorchKinds.TryDescribe(kind, module))
        {
            AddUnknown(node, module);
            return;
        }

        if (PyTorchKinds.IsRecurrence(kind))
        {
            if (!IsReverse(node) && Partner(node, kind, paired) is { } reverse)
            {
                paired.Add(reverse);
                module.TurnTo(reverse);
                PyTorchKinds.TryDescribe(kind, module);
            }

            module.Below = Below(node, module);
        }

        if (module.Parts.Count > 0 || module.Obstacle is not null)
            _modules.Add(module);
    }

    /// <summary>A layer that PyTorch does not have: its entries under their own names.</summary>
    private void AddUnknown(NodeInfo node, PyTorchModule module)
    {
        foreach (var entry in node.Declaration.Parameters.Select(static p => p.Name).Concat(node.Declaration.States.Select(static s => s.Name)))
        {
            if (PyTorchNames.IsOfModules(entry))
            {
                module.Add(entry, entry, []);
                continue;
            }

            var alone = new PyTorchModule(_definition, _orders, node, node.Name + "." + entry);
            alone.Add("", entry, []);
            _modules.Add(alone);
        }

        if (module.Parts.Count > 0)
            _modules.Add(module);
    }

    private static bool IsReverse(NodeInfo node) => node.Declaration.OwnerOf(node.Layer) switch
    {
        Rnn rnn => rnn.IsReverse,
        Lstm lstm => lstm.IsReverse,
        Gru gru => gru.IsReverse,
        _ => false,
    };

    /// <summary>The backward direction that belongs to a forward one: of the same input, with the same parameters, later.</summary>
    private NodeInfo? Partner(NodeInfo node, string kind, HashSet<NodeInfo> paired)
    {
        foreach (var n in _definition.Graph.Consumers[node.Inputs[0]])
        {
            var other = _definition.Graph.Nodes[n];
            var isNamedApart = _names.TryGetValue(other.Name, out var name) && _names.GetValueOrDefault(node.Name) != name;
            if (other != node && other.SharesWith < 0 && FeatureOrders.KindOf(other) == kind && IsReverse(other) && !paired.Contains(other)
                && other.Declaration.HasParametersOf(node.Declaration) && other.Inputs.Length == node.Inputs.Length && !isNamedApart)
            {
                return other;
            }
        }

        return null;
    }

    /// <summary>The level of recurrences whose whole output is the input of another level of the same kind and size.</summary>
    private PyTorchModule? Below(NodeInfo node, PyTorchModule module)
    {
        var graph = _definition.Graph;
        var edge = node.Inputs[0];
        while (graph.Edges[edge].Producer is >= 0 and var dropped && graph.Nodes[dropped].Layer.Kind == "dropout")
            edge = graph.Nodes[dropped].Inputs[0];
        if (graph.Edges[edge].Producer is not (>= 0 and var at))
            return null;
        int[] sources = graph.Nodes[at].Layer.Kind == "concatenate" ? graph.Nodes[at].Inputs : [edge];
        var below = _modules.LastOrDefault(m => m.Node?.Outputs[0] == sources[0]);
        if (below is null || FeatureOrders.KindOf(below.Node!) != FeatureOrders.KindOf(node))
            return null;
        var isWhole = below.Reverse is { } reverse ? sources.Length == 2 && sources[1] == reverse.Outputs[0] : sources.Length == 1;
        var isAlike = (below.Reverse is null) == (module.Reverse is null) && IsReverse(node) == IsReverse(below.Node!)
            && node.Declaration.Parameters[1].Shape == below.Node!.Declaration.Parameters[1].Shape;
        return isWhole && isAlike ? below : null;
    }
}
