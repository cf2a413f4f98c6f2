using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Layers of transformers.</content>
public static partial class NodeChain
{
    /// <summary>A layer of an encoder: attention of the sequence to itself, then two affine layers at each position, each with a residual
    /// connection and layer normalization. With <paramref name="causal"/> it is the layer of a language model.</summary>
    /// <remarks>After: x = N(x + A(x)), y = N(x + F(x)). Before, with <paramref name="normalizeFirst"/>: x += A(N(x)), y = x + F(N(x)); put a
    /// normalization behind the last layer then. PyTorch's <c>TransformerEncoderLayer</c>. Vaswani et al., "Attention is all you need", NeurIPS
    /// 2017, section 3.1; before: Xiong et al., "On layer normalization in the transformer architecture", ICML 2020.</remarks>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="heads">The number of heads; it divides D.</param>
    /// <param name="feedForward">The outputs of the first affine layer.</param>
    /// <param name="dropout">The probability that a probability of attention, an output of attention or one of either affine layer is dropped in
    /// training.</param>
    /// <param name="normalizeFirst">True to normalize what goes into attention and affine layers, false to normalize the sums.</param>
    /// <param name="activation">The function between the affine layers; ReLU if null.</param>
    /// <param name="causal">True if no element sees a later element.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 0 to T; null if all have T.</param>
    /// <param name="mask">What is not seen, as in <see cref="SelfAttention"/>; null for nothing.</param>
    /// <param name="rotary">Turns queries and keys by their positions; null for no turn.</param>
    /// <returns>[T, D].</returns>
    /// <exception cref="ArgumentException">The inputs do not suit the layers.</exception>
    // More than eight parameters: each is an independent option with a default.
    public static Node TransformerEncoderLayer(this Node node, int heads, int feedForward, double dropout = 0.1, bool normalizeFirst = false,
        Func<Node, Node>? activation = null, bool causal = false, Node? lengths = null, Node? mask = null, RotaryPositions? rotary = null)
    {
        var x = Residual(node, n => n.SelfAttention(heads, causal, lengths, null, mask, null, dropout, rotary), dropout, normalizeFirst);
        return Residual(x, n => FeedForward(n, feedForward, activation, dropout), dropout, normalizeFirst);
    }

    /// <summary>A layer of a decoder: causal attention of the sequence to itself, attention to the output of an encoder, then two affine layers at
    /// each position, each with a residual connection and layer normalization.</summary>
    /// <remarks>As <see cref="TransformerEncoderLayer"/>, with one part more: PyTorch's <c>TransformerDecoderLayer</c>.</remarks>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="memory">The output of the encoder, [S, K].</param>
    /// <param name="heads">The number of heads; it divides D.</param>
    /// <param name="feedForward">The outputs of the first affine layer.</param>
    /// <param name="dropout">The probability that a probability of attention, an output of attention or one of either affine layer is dropped in
    /// training.</param>
    /// <param name="normalizeFirst">True to normalize what goes into attention and affine layers, false to normalize the sums.</param>
    /// <param name="activation">The function between the affine layers; ReLU if null.</param>
    /// <param name="causal">False if the elements of the sequence see later elements.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 0 to T; null if all have T.</param>
    /// <param name="memoryLengths">The length of each row's memory, indices from 0 to S; null if all have S.</param>
    /// <param name="rotary">Turns queries and keys of the first attention by their positions; null for no turn.</param>
    /// <returns>[T, D].</returns>
    /// <exception cref="ArgumentException">The inputs do not suit the layers.</exception>
    // More than eight parameters: each is an independent option with a default.
    public static Node TransformerDecoderLayer(this Node node, Node memory, int heads, int feedForward, double dropout = 0.1, bool normalizeFirst = false,
        Func<Node, Node>? activation = null, bool causal = true, Node? lengths = null, Node? memoryLengths = null, RotaryPositions? rotary = null)
    {
        var x = Residual(node, n => n.SelfAttention(heads, causal, lengths, dropout: dropout, rotary: rotary), dropout, normalizeFirst);
        x = Residual(x, n => n.CrossAttention(memory, heads, memoryLengths, dropout: dropout), dropout, normalizeFirst);
        return Residual(x, n => FeedForward(n, feedForward, activation, dropout), dropout, normalizeFirst);
    }

    private static Node FeedForward(Node x, int size, Func<Node, Node>? activation, double dropout)
    {
        var outputs = x.Type.Shape.Last;
        x = x.Affine(size);
        return Dropped(activation is null ? x.Relu() : activation(x), dropout).Affine(outputs);
    }

    private static Node Residual(Node x, Func<Node, Node> part, double dropout, bool normalizeFirst)
    {
        if (normalizeFirst)
            return x + Dropped(part(x.LayerNormalization()), dropout);
        return (x + Dropped(part(x), dropout)).LayerNormalization();
    }

    private static Node Dropped(Node x, double dropout) => dropout == 0 ? x : x.Dropout(dropout);
}
