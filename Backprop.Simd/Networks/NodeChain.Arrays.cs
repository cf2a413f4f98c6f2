using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;

namespace Backprop.Simd.Networks;

/// <content>Padding, reversal, repetition, gathers, prefix sums, sorting.</content>
public static partial class NodeChain
{
    /// <summary>Numbers around each row: <see cref="Layers.Pad"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="before">For each dimension of a row, how many places are put before it.</param>
    /// <param name="after">For each dimension of a row, how many places are put behind it.</param>
    /// <param name="mode">What lies there: one number, the nearest element, or a mirror.</param>
    /// <param name="value">The number, of a constant padding.</param>
    /// <returns>y.</returns>
    public static Node Pad(this Node node, ReadOnlySpan<int> before, ReadOnlySpan<int> after, PaddingMode mode = PaddingMode.Constant, double value = 0) =>
        node.Apply(new Pad(before, after, mode, value));

    /// <summary>Some dimensions of each row in the reverse order: <see cref="Layers.Reverse"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axes">The dimensions, each once; negative numbers count from the end. None for all.</param>
    /// <returns>y.</returns>
    public static Node Reverse(this Node node, params ReadOnlySpan<int> axes) => node.Apply(new Reverse(axes));

    /// <summary>Each row repeated along its dimensions: <see cref="Layers.Tile"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="repeats">For each dimension of a row how often it is repeated, 1 or more.</param>
    /// <returns>y.</returns>
    public static Node Tile(this Node node, params ReadOnlySpan<int> repeats) => node.Apply(new Tile(repeats));

    /// <summary>Elements of one dimension of each row by their indices: <see cref="Layers.Gather"/>.</summary>
    /// <param name="node">x, values or shared.</param>
    /// <param name="indices">The indices, which take the dimension's place.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <returns>y.</returns>
    public static Node Gather(this Node node, Node indices, int axis = 0) => node.Apply(new Gather(axis), indices);

    /// <summary>Elements by an index of each: <see cref="Layers.GatherElements"/>.</summary>
    /// <param name="node">x, values or shared.</param>
    /// <param name="indices">The indices, of the same sizes but along the dimension.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <returns>y.</returns>
    public static Node GatherElements(this Node node, Node indices, int axis = -1) => node.Apply(new GatherElements(axis), indices);

    /// <summary>The sums of the elements of a dimension in segments: <see cref="Layers.SegmentSum"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="indices">The segment of each element of the dimension.</param>
    /// <param name="segments">The number of segments, 1 or more.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <returns>y.</returns>
    public static Node SegmentSum(this Node node, Node indices, int segments, int axis = 0) => node.Apply(new SegmentSum(segments, axis), indices);

    /// <summary>Elements added into places of a dimension, by an index of each: <see cref="Layers.ScatterAdd"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="indices">The indices, of the shape of x.</param>
    /// <param name="size">The places along the dimension, 1 or more.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <returns>y.</returns>
    public static Node ScatterAdd(this Node node, Node indices, int size, int axis = -1) => node.Apply(new ScatterAdd(size, axis), indices);

    /// <summary>The sum up to each element of a dimension: <see cref="Layers.Gates.CumulativeSum"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <param name="exclusive">True to leave the element itself out.</param>
    /// <param name="reverse">True to sum from the last element on.</param>
    /// <returns>y.</returns>
    public static Node CumulativeSum(this Node node, int axis = -1, bool exclusive = false, bool reverse = false) =>
        node.Apply(new CumulativeSum(axis, exclusive, reverse));

    /// <summary>The k largest or smallest elements of a dimension, in order: <see cref="Layers.Gates.TopK"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="count">k, 1 or more.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <param name="largest">True for the largest.</param>
    /// <returns>The elements, and their indices as numbers.</returns>
    public static (Node Values, Node Indices) TopK(this Node node, int count, int axis = -1, bool largest = true) =>
        Both(node, new TopK(count, axis, largest));

    /// <summary>The elements of a dimension in order: <see cref="Layers.Gates.Sort"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <param name="descending">True for the largest first.</param>
    /// <returns>The elements, and the indices that they had, as numbers.</returns>
    public static (Node Values, Node Indices) Sort(this Node node, int axis = -1, bool descending = false) => Both(node, new Sort(axis, descending));

    private static (Node Values, Node Indices) Both(Node node, Layer layer)
    {
        var outputs = node.Graph.ApplyAll(layer, node);
        return (outputs[0], outputs[1]);
    }
}
