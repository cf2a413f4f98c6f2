using Backprop.Simd.Execution;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Serialization;

/// <summary>
/// Which edges have their channels first in PyTorch, and in which order it has the elements of a dimension that was flattened from an image.
/// </summary>
/// <remarks>A flattened image is in the order C, H, W there and H, W, C here. The order goes with the numbers through layers that keep each
/// element in its place, up to the layer that mixes them; and from a vector that becomes an image back to the layer that made it.</remarks>
internal sealed class FeatureOrders
{
    /// <summary>Layers whose outputs are images or sequences with the channels first.</summary>
    private static readonly HashSet<string> Spatial =
    [
        "convolution1d", "convolution2d", "convolutiontranspose1d", "convolutiontranspose2d", "maxpooling1d", "maxpooling2d", "averagepooling1d",
        "averagepooling2d", "adaptiveaveragepooling2d", "pixelshuffle", "pixelunshuffle",
    ];

    /// <summary>Layers whose sequences have the features last in PyTorch too.</summary>
    private static readonly HashSet<string> FeaturesLast =
    [
        "transpose", "matrixproduct", "rnn", "lstm", "gru", "multiheadattention", "embedding", "embeddingbag", "gather",
    ];

    /// <summary>Layers behind which a feature is no longer in the place of the input's feature.</summary>
    private static readonly HashSet<string> Mixing =
    [
        .. Spatial, .. FeaturesLast, "affine", "flatten", "reshape", "concatenate", "sort", "topk", "reverse", "cumulativesum", "rotarypositions",
        "gatherelements", "scatteradd", "glu", "swiglu",
    ];

    private readonly Graph _graph;
    private readonly bool[] _channelsFirst;
    private readonly int[]?[] _orders;

    public FeatureOrders(Graph graph)
    {
        _graph = graph;
        _channelsFirst = new bool[graph.Edges.Length];
        _orders = new int[graph.Edges.Length][];
        FindChannelsFirst();

        // Forward, back to the makers of vectors that become images or meet flattened ones, and on from there.
        for (var round = 0; round < 2; round++)
        {
            foreach (var node in graph.Nodes)
                _orders[node.Outputs[0]] ??= Forward(node);
            foreach (var node in graph.Nodes.Reverse())
                Backward(node);
        }
    }

    /// <summary>The kind of the layer that a node applies, at each step or as a whole.</summary>
    public static string KindOf(NodeInfo node) => node.Declaration.OwnerOf(node.Layer).Kind;

    /// <summary>Element i of the last dimension there is element order[i] here; null if the orders are equal.</summary>
    public int[]? Of(int edge) => _orders[edge];

    /// <summary>Whether an edge has its channels first there.</summary>
    public bool IsChannelsFirst(int edge) => _channelsFirst[edge];

    private void FindChannelsFirst()
    {
        for (var e = 0; e < _graph.Edges.Length; e++)
        {
            var edge = _graph.Edges[e];
            _channelsFirst[e] = edge.Role == EdgeRole.Input && edge.Type.Kind == EdgeKind.Values && edge.Type.Shape.Rank >= 3;
        }

        foreach (var node in _graph.Nodes)
        {
            var (kind, output) = (KindOf(node), node.Outputs[0]);
            var rank = ShapeOf(output).Rank;
            if (rank >= 2)
            {
                _channelsFirst[output] = Spatial.Contains(kind) || !FeaturesLast.Contains(kind) && !(kind == "affine" && rank == 2)
                    && (kind is "reshape" or "flatten" ? rank >= 3 || FeedsSpatial(output)
                        : node.Inputs.Any(e => _channelsFirst[e] && ShapeOf(e).Rank == rank));
            }
        }
    }

    /// <summary>Whether a sequence goes into a layer that has the channels first, perhaps through layers that keep its shape.</summary>
    private bool FeedsSpatial(int edge)
    {
        var open = new Stack<int>([edge]);
        var seen = new HashSet<int>();
        while (open.TryPop(out var e))
        {
            foreach (var consumer in _graph.Consumers[e])
            {
                var node = _graph.Nodes[consumer];
                if (Spatial.Contains(KindOf(node)))
                    return true;
                if (!Mixing.Contains(KindOf(node)) && ShapeOf(node.Outputs[0]) == ShapeOf(e) && seen.Add(consumer))
                    open.Push(node.Outputs[0]);
            }
        }

        return false;
    }

    private int[]? Forward(NodeInfo node)
    {
        if (node.Inputs.Length == 0)
            return null;
        var (kind, input, output) = (KindOf(node), node.Inputs[0], node.Outputs[0]);
        if (kind is "flatten" or "reshape")
            return Merged(input, ShapeOf(output));
        if (kind == "concatenate" && node.Inputs.Any(e => _orders[e] is not null) && node.Inputs.Sum(e => ShapeOf(e).Last) == ShapeOf(output).Last)
            return Joined(node.Inputs);
        return Mixing.Contains(kind) ? null
            : node.Inputs.Where(e => Keeps(e, output)).Select(e => _orders[e]).FirstOrDefault(static order => order is not null);
    }

    private void Backward(NodeInfo node)
    {
        if (node.Inputs.Length == 0)
            return;
        var (kind, input, output) = (KindOf(node), node.Inputs[0], node.Outputs[0]);
        if (kind is "flatten" or "reshape")
        {
            if (_channelsFirst[output])
                _orders[input] ??= Merged(output, ShapeOf(input));
            return;
        }

        if (Mixing.Contains(kind) || _orders[output] is null)
            return;
        foreach (var e in node.Inputs)
        {
            if (Keeps(e, output))
                _orders[e] ??= _orders[output];
        }
    }

    private bool Keeps(int input, int output) => ShapeOf(input).Rank > 0 && ShapeOf(output).Rank > 0 && ShapeOf(input).Last == ShapeOf(output).Last;

    private Shape ShapeOf(int edge) => _graph.Edges[edge].Type.Shape;

    /// <summary>The order of a dimension that an image, a sequence with the channels first or an ordered dimension was flattened to.</summary>
    private int[]? Merged(int edge, Shape flat)
    {
        var shape = ShapeOf(edge);
        if (shape.Rank == flat.Rank && shape == flat)
            return _orders[edge];
        var merged = shape.Rank - flat.Rank + 1;
        if (merged is not (2 or 3) || flat.Rank == 0)
            return null;
        for (var d = 0; d + 1 < flat.Rank; d++)
        {
            if (shape[d] != flat[d])
                return null;
        }

        int channels = shape.Last, cells = flat.Last / Math.Max(channels, 1);
        var order = _orders[edge];
        var isTurned = _channelsFirst[edge] && shape.Rank is >= 3 == merged is 3 && cells > 1 && channels > 1;
        if (!isTurned && order is null || (long)cells * channels != flat.Last)
            return null;
        var result = new int[flat.Last];
        for (var cell = 0; cell < cells; cell++)
        {
            for (var c = 0; c < channels; c++)
                result[isTurned ? c * cells + cell : cell * channels + c] = cell * channels + (order?[c] ?? c);
        }

        return result;
    }

    private int[] Joined(int[] inputs)
    {
        var result = new List<int>();
        foreach (var e in inputs)
        {
            var start = result.Count;
            for (var i = 0; i < ShapeOf(e).Last; i++)
                result.Add(start + (_orders[e]?[i] ?? i));
        }

        return [.. result];
    }
}
