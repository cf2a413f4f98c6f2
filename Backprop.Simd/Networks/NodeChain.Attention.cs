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
    /// <param name="rotary">Turns queries and keys by their positions; null for no turn.</param>
    /// <returns>[T, D].</returns>
    /// <exception cref="ArgumentException">The inputs do not suit the layer.</exception>
    // More than eight parameters: each is an independent option with a default, as in the layer.
    public static Node SelfAttention(this Node node, int heads, bool causal = false, Node? lengths = null, Initializer? initializer = null,
        Node? mask = null, int? keyValueHeads = null, double dropout = 0, RotaryPositions? rotary = null) =>
        Attention(new MultiHeadAttention(heads, causal, initializer, keyValueHeads, dropout, rotary), [node], mask, lengths);

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
    /// <param name="rotary">Turns queries and keys by their positions; null for no turn.</param>
    /// <returns>[T, D].</returns>
    /// <exception cref="ArgumentException">The inputs do not suit the layer.</exception>
    // More than eight parameters: each is an independent option with a default, as in the layer.
    public static Node CrossAttention(this Node node, Node keys, int heads, Node? lengths = null, Initializer? initializer = null,
        Node? mask = null, int? keyValueHeads = null, double dropout = 0, RotaryPositions? rotary = null) =>
        Attention(new MultiHeadAttention(heads, false, initializer, keyValueHeads, dropout, rotary), [node, keys], mask, lengths);

    /// <summary>y = x + constant sines and cosines of the positions: <see cref="Layers.SinusoidalPositions"/>.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="first">The position of the first element of each row, indices []; null for 0.</param>
    /// <param name="root">The base of the angles.</param>
    /// <returns>y, [T, D].</returns>
    public static Node SinusoidalPositions(this Node node, Node? first = null, double root = 10000) =>
        WithFirst(node, new SinusoidalPositions(root), first);

    /// <summary>y = x + a learned row for each position: <see cref="Layers.LearnedPositions"/>.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="length">The number of positions that are learned; T if null.</param>
    /// <param name="first">The position of the first element of each row, indices []; null for 0.</param>
    /// <param name="initializer">How the rows start; normal with a deviation of 0.02 if null.</param>
    /// <returns>y, [T, D].</returns>
    public static Node LearnedPositions(this Node node, int? length = null, Node? first = null, Initializer? initializer = null) =>
        WithFirst(node, new LearnedPositions(length ?? (node.Type.Shape.Rank > 0 ? node.Type.Shape[0] : 1), initializer), first);

    /// <summary>Turns pairs of columns by the positions: <see cref="Layers.RotaryPositions"/>. For attention, give the layer to it instead.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="heads">The number of heads: D is a multiple of twice as many.</param>
    /// <param name="first">The position of the first element of each row, indices []; null for 0.</param>
    /// <param name="root">The base of the angles.</param>
    /// <param name="interleaved">True if the columns of a pair are neighbours.</param>
    /// <returns>y, [T, D].</returns>
    public static Node RotaryPositions(this Node node, int heads = 1, Node? first = null, double root = 10000, bool interleaved = false) =>
        WithFirst(node, new RotaryPositions(heads, root, interleaved), first);

    private static Node WithFirst(Node node, Layer layer, Node? first) => first is { } positions ? node.Apply(layer, positions) : node.Apply(layer);

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
