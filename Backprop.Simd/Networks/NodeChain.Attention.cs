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
    /// <param name="mask">What is not seen: indices [T, T] or [T], 0 where a key is not seen; or numbers that are added to the scores, values
    /// or shared [T, T], or [heads or 1, T or 1, T]. Null for nothing.</param>
    /// <param name="keyValueHeads">The number of heads of keys and values; it divides the heads. As many as heads if null.</param>
    /// <param name="dropout">The probability that a probability is dropped in training.</param>
    /// <returns>[T, D].</returns>
    /// <exception cref="ArgumentException">The inputs do not suit the layer.</exception>
    public static Node SelfAttention(this Node node, int heads, bool causal = false, Node? lengths = null, Initializer? initializer = null,
        Node? mask = null, int? keyValueHeads = null, double dropout = 0) =>
        Attention(new MultiHeadAttention(heads, causal, initializer, keyValueHeads, dropout), [node], mask, lengths);

    /// <summary>Multi-head attention of a sequence to another.</summary>
    /// <param name="node">The queries, [T, D].</param>
    /// <param name="keys">The keys, which are also the values, [S, K].</param>
    /// <param name="heads">The number of heads; it divides D.</param>
    /// <param name="lengths">The number of keys of each row, indices from 0 to S; null if all have S.</param>
    /// <param name="initializer">How the four weights start; Xavier uniform if null.</param>
    /// <param name="mask">What is not seen: indices [T, S] or [S], 0 where a key is not seen; or numbers that are added to the scores, values
    /// or shared [T, S], or [heads or 1, T or 1, S]. Null for nothing.</param>
    /// <param name="keyValueHeads">The number of heads of keys and values; it divides the heads. As many as heads if null.</param>
    /// <param name="dropout">The probability that a probability is dropped in training.</param>
    /// <returns>[T, D].</returns>
    /// <exception cref="ArgumentException">The inputs do not suit the layer.</exception>
    public static Node CrossAttention(this Node node, Node keys, int heads, Node? lengths = null, Initializer? initializer = null,
        Node? mask = null, int? keyValueHeads = null, double dropout = 0) =>
        Attention(new MultiHeadAttention(heads, false, initializer, keyValueHeads, dropout), [node, keys], mask, lengths);

    /// <summary>Places attention. A mask [T, S] or [S] of values gets the dimensions that it lacks.</summary>
    private static Node Attention(MultiHeadAttention layer, List<Node> inputs, Node? mask, Node? lengths)
    {
        if (mask is { Type: { Kind: EdgeKind.Values, Shape: var shape } } values && shape.Rank is 1 or 2)
            mask = values.Reshape(1, shape.Rank == 1 ? 1 : shape[0], shape.Last);
        if (mask is { } given)
            inputs.Add(given);
        if (lengths is { } counts)
            inputs.Add(counts);
        return inputs[0].Apply(layer, [.. inputs[1..]]);
    }
}
