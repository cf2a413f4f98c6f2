using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Attention.</content>
public static partial class NodeChain
{
    /// <summary>Multi-head attention of a sequence to itself.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="heads">The number of heads; it divides D.</param>
    /// <param name="causal">True if no element sees a later element.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 0 to T; null if all have T.</param>
    /// <param name="initializer">How the four weights start; Xavier uniform if null.</param>
    /// <returns>[T, D].</returns>
    public static Node SelfAttention(this Node node, int heads, bool causal = false, Node? lengths = null, Initializer? initializer = null) =>
        WithLengths(node, new MultiHeadAttention(heads, causal, initializer), lengths)[0];

    /// <summary>Multi-head attention of a sequence to another.</summary>
    /// <param name="node">The queries, [T, D].</param>
    /// <param name="keys">The keys, which are also the values, [S, D].</param>
    /// <param name="heads">The number of heads; it divides D.</param>
    /// <param name="lengths">The number of keys of each row, indices from 0 to S; null if all have S.</param>
    /// <param name="initializer">How the four weights start; Xavier uniform if null.</param>
    /// <returns>[T, D].</returns>
    public static Node CrossAttention(this Node node, Node keys, int heads, Node? lengths = null, Initializer? initializer = null)
    {
        var layer = new MultiHeadAttention(heads, initializer: initializer);
        return lengths is { } counts ? node.Apply(layer, keys, counts) : node.Apply(layer, keys);
    }

    private static IReadOnlyList<Node> WithLengths(Node node, Layer layer, Node? lengths) =>
        lengths is { } counts ? node.Graph.ApplyAll(layer, node, counts) : node.Graph.ApplyAll(layer, node);
}
