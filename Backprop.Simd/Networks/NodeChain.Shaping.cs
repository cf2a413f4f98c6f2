using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Dropout, embedding, concatenation.</content>
public static partial class NodeChain
{
    /// <summary>In training, sets random elements to zero and scales up the others: <see cref="Layers.Dropout"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="probability">The probability that an element is dropped, in [0, 1].</param>
    /// <returns>y.</returns>
    public static Node Dropout(this Node node, double probability = 0.5) => node.Apply(new Dropout(probability));

    /// <summary>Rows of a table by their indices: <see cref="Layers.Embedding"/>.</summary>
    /// <param name="indices">The indices, [] or [L].</param>
    /// <param name="count">The number of rows.</param>
    /// <param name="size">The length of a row.</param>
    /// <param name="initializer">How the rows start; normal with a standard deviation of 1 if null.</param>
    /// <param name="paddingIndex">A row that starts at zero and has no gradient; null for none.</param>
    /// <returns>The rows, [size] or [L, size].</returns>
    public static Node Embedding(this Node indices, int count, int size, Initializer? initializer = null, int? paddingIndex = null) =>
        indices.Apply(new Embedding(count, size, initializer, paddingIndex));

    /// <summary>Concatenates nodes along their last dimension: <see cref="Layers.Concatenate"/>.</summary>
    /// <param name="node">The first node.</param>
    /// <param name="others">The other nodes.</param>
    /// <returns>The concatenation.</returns>
    public static Node Concatenate(this Node node, params ReadOnlySpan<Node> others) => Concatenate(node, axis: -1, others);

    /// <summary>Concatenates nodes along a dimension: <see cref="Layers.Concatenate"/>.</summary>
    /// <param name="node">The first node.</param>
    /// <param name="axis">The dimension, from 0. Negative numbers count from the end.</param>
    /// <param name="others">The other nodes.</param>
    /// <returns>The concatenation.</returns>
    public static Node Concatenate(this Node node, int axis, params ReadOnlySpan<Node> others) => node.Apply(new Concatenate(axis), others);

    /// <summary>The dimensions of each row in another order: <see cref="Layers.Transpose"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axes">The dimension of x for each dimension of y, each once; negative numbers count from the end. None turns the order
    /// around.</param>
    /// <returns>y.</returns>
    public static Node Transpose(this Node node, params ReadOnlySpan<int> axes) => node.Apply(new Transpose(axes));
}
