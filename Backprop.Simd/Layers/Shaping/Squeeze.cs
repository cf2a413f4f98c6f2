namespace Backprop.Simd.Layers;

/// <summary>Takes a dimension of size 1 out of each row: [1, T, D] without dimension 0 is [T, D]. Copies nothing.</summary>
/// <remarks>The other dimensions may be free.</remarks>
/// <param name="axis">The dimension; negative numbers count from the end.</param>
public sealed class Squeeze(int axis) : ViewLayer
{
    /// <summary>The dimension; negative numbers count from the end.</summary>
    public int Axis => axis;

    /// <inheritdoc/>
    public override string Kind => "squeeze";

    /// <inheritdoc/>
    protected override Shape OutputShape(EdgeType input)
    {
        var shape = input.Shape;
        var at = axis < 0 ? axis + shape.Rank : axis;
        if ((uint)at >= (uint)shape.Rank || shape[at] != 1)
            throw new ArgumentException($"{Kind} takes out a dimension of size 1; {input} has no such dimension {axis}.", nameof(axis));
        Span<int> sizes = stackalloc int[Shape.MaxRank];
        for (var d = 0; d < shape.Rank - 1; d++)
            sizes[d] = shape[d < at ? d : d + 1];
        return new(sizes[..(shape.Rank - 1)]);
    }
}
