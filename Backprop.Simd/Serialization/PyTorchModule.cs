using Backprop.Simd.Execution;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Serialization;

/// <summary>What is one module in PyTorch, or one level of its recurrences, while it is described: the tensors of one node, or of a pair.</summary>
/// <param name="definition">The network.</param>
/// <param name="orders">Where PyTorch has other orders.</param>
/// <param name="node">The node; null for parameters of the graph.</param>
/// <param name="name">The name of the node, or of the parameters.</param>
internal sealed class PyTorchModule(NetworkDefinition definition, FeatureOrders orders, NodeInfo? node, string name)
{
    private NodeInfo? _node = node;

    /// <summary>The name of the node, or of the parameters.</summary>
    public string Name { get; } = name;

    /// <summary>The tensors; recurrences name theirs as those of level 0.</summary>
    public List<ModuleTensor> Parts { get; } = [];

    /// <summary>Why PyTorch has no such module; null if it has.</summary>
    public string? Obstacle { get; set; }

    /// <summary>For a level of recurrences, the level below it; null for others.</summary>
    public PyTorchModule? Below { get; set; }

    /// <summary>The node that is described: the forward direction, or the only one.</summary>
    public NodeInfo? Node { get; } = node;

    /// <summary>The node of the other direction; null for a recurrence of one direction.</summary>
    public NodeInfo? Reverse { get; private set; }

    /// <summary>What PyTorch calls the directions of recurrences: a suffix of their names.</summary>
    public string Direction => Reverse is null ? "" : "_reverse";

    /// <summary>The order of the input's features there.</summary>
    public int[]? Inputs => orders.Of(_node!.Inputs[0]);

    /// <summary>The order of the output's features there.</summary>
    public int[]? Outputs => orders.Of(_node!.Outputs[0]);

    /// <summary>Whether the input has its channels first there.</summary>
    public bool IsChannelsFirst => orders.IsChannelsFirst(_node!.Inputs[0]);

    /// <summary>Goes on with the backward direction.</summary>
    public void TurnTo(NodeInfo reverse) => (_node, Reverse) = (reverse, reverse);

    /// <summary>An entry of the node; null if it has none of that name.</summary>
    public ParameterInfo? Find(string entry, out bool isState)
    {
        var full = _node is null ? entry : _node.Name + "." + entry;
        isState = definition.State.TryFind(full, out var info);
        return isState || definition.Parameters.TryFind(full, out info) ? info : null;
    }

    /// <summary>Adds a tensor that is one entry with its dimensions in another order, unless the node does not have it.</summary>
    /// <param name="theirs">The name there.</param>
    /// <param name="ours">The name here.</param>
    /// <param name="axes">Dimension d there is dimension axes[d] here; empty for the same.</param>
    /// <param name="places">For each dimension there, the order of its elements.</param>
    public void Add(string theirs, string ours, int[] axes, params int[]?[] places)
    {
        if (Find(ours, out var isState) is not { } entry)
            return;
        var piece = Piece(entry, isState, axes, places);
        Parts.Add(new(theirs, Sizes(entry, axes), [piece]));
    }

    /// <summary>Adds a tensor of entries one behind the other in dimension 0, each a transposed matrix or a vector.</summary>
    public void AddStacked(string theirs, bool isOptional, params ReadOnlySpan<string> ours)
    {
        var pieces = new List<TensorPiece>();
        int[] shape = [];
        foreach (var entryName in ours)
        {
            var entry = Find(entryName, out var isState)!;
            int[] axes = entry.Shape.Rank == 2 ? [1, 0] : [];
            var sizes = Sizes(entry, axes);
            pieces.Add(Piece(entry, isState, axes, []));
            shape = shape.Length == 0 ? sizes : [shape[0] + sizes[0], .. shape[1..]];
        }

        Parts.Add(new(theirs, shape, [.. pieces], isOptional));
    }

    /// <summary>A piece that is a whole entry with its dimensions in another order.</summary>
    private static TensorPiece Piece(ParameterInfo entry, bool isState, int[] axes, int[]?[] places)
    {
        var rank = entry.Shape.Rank;
        var strides = new int[rank];
        for (int d = rank - 1, stride = 1; d >= 0; stride *= entry.Shape[d--])
            strides[d] = stride;
        var sizes = Sizes(entry, axes);
        return new(entry, isState, 0, sizes, axes.Length == 0 ? strides : Array.ConvertAll(axes, a => strides[a]),
            [.. Enumerable.Range(0, rank).Select(d => d < places.Length && places[d]?.Length == sizes[d] ? places[d] : null)]);
    }

    private static int[] Sizes(ParameterInfo entry, int[] axes) =>
        [.. Enumerable.Range(0, entry.Shape.Rank).Select(d => entry.Shape[axes.Length == 0 ? d : axes[d]])];
}
