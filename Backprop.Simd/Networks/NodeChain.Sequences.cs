using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Recurrences and attention.</content>
public static partial class NodeChain
{
    /// <summary>A simple recurrence over a sequence. <see cref="RnnLast"/> gives the last hidden state,
    /// <see cref="GraphBuilder.ApplyAll"/> all outputs.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="function">Tanh or ReLU.</param>
    /// <param name="initializer">How both weights start; Xavier uniform if null.</param>
    /// <returns>The hidden states of all steps, [T, H].</returns>
    public static Node Rnn(
        this Node node, int units, Node? lengths = null, RnnFunction function = RnnFunction.Tanh, Initializer? initializer = null) =>
        WithLengths(node, new Rnn(units, function, initializer), lengths)[0];

    /// <summary>The last hidden state of a simple recurrence over a sequence, to classify it for example.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="function">Tanh or ReLU.</param>
    /// <param name="initializer">How both weights start; Xavier uniform if null.</param>
    /// <returns>The hidden state at each row's end, [H].</returns>
    public static Node RnnLast(
        this Node node, int units, Node? lengths = null, RnnFunction function = RnnFunction.Tanh, Initializer? initializer = null) =>
        WithLengths(node, new Rnn(units, function, initializer), lengths)[1];

    /// <summary>A long short-term memory over a sequence. <see cref="LstmLast"/> gives the last hidden state,
    /// <see cref="GraphBuilder.ApplyAll"/> all outputs.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="forgetBias">The initial bias of the forget gate.</param>
    /// <param name="initializer">How both weights start; Xavier uniform if null.</param>
    /// <returns>The hidden states of all steps, [T, H].</returns>
    public static Node Lstm(this Node node, int units, Node? lengths = null, double forgetBias = 1, Initializer? initializer = null) =>
        WithLengths(node, new Lstm(units, forgetBias, initializer), lengths)[0];

    /// <summary>The last hidden state of a long short-term memory over a sequence, to classify it for example.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="forgetBias">The initial bias of the forget gate.</param>
    /// <param name="initializer">How both weights start; Xavier uniform if null.</param>
    /// <returns>The hidden state at each row's end, [H].</returns>
    public static Node LstmLast(this Node node, int units, Node? lengths = null, double forgetBias = 1, Initializer? initializer = null) =>
        WithLengths(node, new Lstm(units, forgetBias, initializer), lengths)[1];

    /// <summary>A gated recurrent unit over a sequence. <see cref="GruLast"/> gives the last hidden state,
    /// <see cref="GraphBuilder.ApplyAll"/> all outputs.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="initializer">How both weights start; Xavier uniform if null.</param>
    /// <param name="resetAfter">Whether the reset gate multiplies after the product with the hidden weight; false: the state before it.</param>
    /// <returns>The hidden states of all steps, [T, H].</returns>
    public static Node Gru(this Node node, int units, Node? lengths = null, Initializer? initializer = null, bool resetAfter = true) =>
        WithLengths(node, new Gru(units, initializer, resetAfter), lengths)[0];

    /// <summary>The last hidden state of a gated recurrent unit over a sequence, to classify it for example.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="initializer">How both weights start; Xavier uniform if null.</param>
    /// <param name="resetAfter">Whether the reset gate multiplies after the product with the hidden weight; false: the state before it.</param>
    /// <returns>The hidden state at each row's end, [H].</returns>
    public static Node GruLast(this Node node, int units, Node? lengths = null, Initializer? initializer = null, bool resetAfter = true) =>
        WithLengths(node, new Gru(units, initializer, resetAfter), lengths)[1];

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
