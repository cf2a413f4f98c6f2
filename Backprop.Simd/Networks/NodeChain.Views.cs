using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Views.</content>
public static partial class NodeChain
{
    /// <summary>The elements of each row as a vector: <see cref="Layers.Flatten"/>. Copies nothing.</summary>
    /// <param name="node">Values of any shape.</param>
    /// <returns>The vectors.</returns>
    public static Node Flatten(this Node node) => node.Apply(new Flatten());

    /// <summary>The elements of each row under another shape: <see cref="Layers.Reshape"/>. Copies nothing.</summary>
    /// <param name="node">Values of any shape.</param>
    /// <param name="dimensions">Up to six sizes. One may be -1: it follows from the others. 0 keeps the size that x has at that place, which may be
    /// free.</param>
    /// <returns>The values under the shape.</returns>
    public static Node Reshape(this Node node, params ReadOnlySpan<int> dimensions) => node.Apply(new Reshape(dimensions));

    /// <summary>A range of one dimension: <see cref="Layers.Slice"/>.</summary>
    /// <param name="node">Values.</param>
    /// <param name="axis">The dimension, from 0. Negative numbers count from the end; -1 is the last.</param>
    /// <param name="start">The first element, from 0.</param>
    /// <param name="length">The number of elements.</param>
    /// <returns>The slice.</returns>
    public static Node Slice(this Node node, int axis, int start, int length) => node.Apply(new Slice(axis, start, length));
}
