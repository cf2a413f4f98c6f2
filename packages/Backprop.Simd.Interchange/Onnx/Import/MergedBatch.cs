namespace Backprop.Simd.Interchange;

/// <summary>A dimension, as ONNX counts, that the rows of the batch make up together with others: [N heads, T, D] of attention. It is looked at as three,
/// those before the batch, the batch, those behind, and put together again.</summary>
/// <param name="Axis">The dimension.</param>
/// <param name="Before">The numbers before the batch.</param>
/// <param name="Behind">The numbers behind the batch.</param>
internal sealed record MergedBatch(int Axis, int Before, int Behind)
{
    /// <summary>The merged dimension of a value; null if its batch is a dimension of its own.</summary>
    public static MergedBatch? Of(NodeValue value)
    {
        var axis = value.BatchAxis;
        if (axis < 0 || value.Axes[axis].Length < 2)
            return null;
        var (own, row) = (value.Axes[axis], value.Row);
        var at = Array.IndexOf(own, 0);
        return new(axis, Size(own[..at]), Size(own[(at + 1)..]));

        int Size(int[] dimensions) => dimensions.Aggregate(1, (size, p) => size * row[p - 1]);
    }

    /// <summary>The value with three dimensions in the place of one. It has the same ones there, or 1.</summary>
    public NodeValue Split(NodeValue value)
    {
        var own = value.Axes[Axis];
        var at = Array.IndexOf(own, 0);
        if (at >= 0 ? (Of(value) ?? new(Axis, 1, 1)) != this : value.SizeOf(Axis) != new SymbolicSize(1))
            throw new UnsupportedException($"dimension {Axis} of {value.Text()} has its rows of the batch at another place");
        int[][] parts = at < 0 ? [[], [], own] : [own[..at], [0], own[(at + 1)..]];
        return new(value.Node, [.. value.Axes[..Axis], .. parts, .. value.Axes[(Axis + 1)..]]);
    }

    /// <summary>The place of another dimension after <see cref="Split"/>.</summary>
    public int PlaceOf(int axis) => axis > Axis ? axis + 2 : axis;

    /// <summary>One dimension again.</summary>
    public NodeValue Join(NodeValue value) => new(value.Node, Join(value.Axes));

    /// <summary>One dimension again.</summary>
    public int[][] Join(int[][] axes) => [.. axes[..Axis], [.. axes[Axis..(Axis + 3)].SelectMany(a => a)], .. axes[(Axis + 3)..]];
}
