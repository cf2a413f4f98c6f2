using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Recurrences and attention.</content>
public static partial class NodeChain
{
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
    /// <returns>The hidden states of all steps, [T, H].</returns>
    public static Node Gru(this Node node, int units, Node? lengths = null, Initializer? initializer = null) =>
        WithLengths(node, new Gru(units, initializer), lengths)[0];

    /// <summary>The last hidden state of a gated recurrent unit over a sequence, to classify it for example.</summary>
    /// <param name="node">The sequence, [T, D].</param>
    /// <param name="units">H, the number of units.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <param name="initializer">How both weights start; Xavier uniform if null.</param>
    /// <returns>The hidden state at each row's end, [H].</returns>
    public static Node GruLast(this Node node, int units, Node? lengths = null, Initializer? initializer = null) =>
        WithLengths(node, new Gru(units, initializer), lengths)[1];

    private static IReadOnlyList<Node> WithLengths(Node node, Layer layer, Node? lengths) =>
        lengths is { } counts ? node.Graph.ApplyAll(layer, node, counts) : node.Graph.ApplyAll(layer, node);
}
