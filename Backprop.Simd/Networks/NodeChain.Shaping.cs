using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Dropout, embedding, concatenation.</content>
public static partial class NodeChain
{
    /// <summary>A layer at each step of time, the first dimension of each row: <see cref="Layers.EachStep"/>. Keras's TimeDistributed.</summary>
    /// <param name="node">A sequence of what the layer takes.</param>
    /// <param name="layer">The layer of each step.</param>
    /// <param name="inputs">The layer's further inputs: sequences as long, or shared by all steps.</param>
    /// <returns>A sequence of what the layer gives.</returns>
    public static Node EachStep(this Node node, Layer layer, params ReadOnlySpan<Node> inputs) => node.Apply(new EachStep(layer), inputs);

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

    /// <summary>A parameter of the layer that computes a node, as a node: for a penalty, <c>graph.Loss(y.ParameterOf("weight").Abs().Sum(), 1e-4)</c>,
    /// or to use an embedding's table for the output too, <c>Node.MatrixProduct(h, e.ParameterOf("weight").Transpose(1, 0))</c>. The gradients of
    /// all uses add up. Forward copies the parameter.</summary>
    /// <param name="node">The output of the layer: <c>var y = x.Affine(10)</c>.</param>
    /// <param name="name">The parameter's name in the layer: weight, bias, ...</param>
    /// <returns>The parameter, shared by all rows.</returns>
    /// <exception cref="ArgumentException">The layer has no such parameter.</exception>
    public static Node ParameterOf(this Node node, string name) => node.Graph.ParameterOf(node, name);

    /// <summary>The first elements along a dimension, as many as another node has: <see cref="Layers.CutTo"/>. With a sequence of free length,
    /// <c>x + graph.Parameter("position", new Shape(512, 64)).CutTo(x)</c>.</summary>
    /// <param name="node">What is cut.</param>
    /// <param name="like">The node that tells the size.</param>
    /// <param name="axis">The dimension in both; negative numbers count from the end.</param>
    /// <returns>The part.</returns>
    public static Node CutTo(this Node node, Node like, int axis = 0) => node.Apply(new CutTo(axis), like);

    /// <summary>Cuts each row along a dimension into parts, one <see cref="Layers.Slice"/> each.</summary>
    /// <param name="node">x.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <param name="lengths">The length of each part; together they are the dimension.</param>
    /// <returns>The parts, in order.</returns>
    /// <exception cref="ArgumentException">There is no such dimension, or the lengths are not positive numbers that add up to it.</exception>
    public static IReadOnlyList<Node> Split(this Node node, int axis, params ReadOnlySpan<int> lengths)
    {
        var shape = node.Type.Shape;
        var dimension = axis < 0 ? axis + shape.Rank : axis;
        if ((uint)dimension >= (uint)shape.Rank)
            throw new ArgumentException($"{node} has no dimension {axis}.", nameof(axis));
        long sum = 0;
        var arePositive = true;
        foreach (var length in lengths)
        {
            sum += length;
            arePositive &= length > 0;
        }

        if (!arePositive || sum != shape[dimension])
        {
            throw new ArgumentException(
                $"The lengths must be positive and add up to {shape[dimension]}; they are {string.Join(", ", lengths.ToArray())}.", nameof(lengths));
        }

        var parts = new Node[lengths.Length];
        for (int i = 0, start = 0; i < parts.Length; start += lengths[i++])
            parts[i] = node.Slice(dimension, start, lengths[i]);
        return parts;
    }

    /// <summary>Takes a dimension of size 1 out of each row: <see cref="Layers.Squeeze"/>. Copies nothing.</summary>
    /// <param name="node">x.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <returns>y.</returns>
    /// <exception cref="ArgumentException">The row has no such dimension, or it is not 1.</exception>
    public static Node Squeeze(this Node node, int axis) => node.Apply(new Squeeze(axis));

    /// <summary>Puts a dimension of size 1 into each row: <see cref="Layers.Unsqueeze"/>. Copies nothing.</summary>
    /// <param name="node">x.</param>
    /// <param name="axis">The place of the dimension in the result; negative numbers count from the end: -1 makes it the last.</param>
    /// <returns>y.</returns>
    /// <exception cref="ArgumentException">The result has no such place, or too many dimensions.</exception>
    public static Node Unsqueeze(this Node node, int axis) => node.Apply(new Unsqueeze(axis));

    /// <summary>The dimensions of each row in another order: <see cref="Layers.Transpose"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axes">The dimension of x for each dimension of y, each once; negative numbers count from the end. None turns the order
    /// around.</param>
    /// <returns>y.</returns>
    public static Node Transpose(this Node node, params ReadOnlySpan<int> axes) => node.Apply(new Transpose(axes));
}
