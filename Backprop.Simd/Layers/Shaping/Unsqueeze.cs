namespace Backprop.Simd.Layers;

/// <summary>Puts a dimension of size 1 into each row: [T, D] with a new dimension 0 is [1, T, D]. Copies nothing.</summary>
/// <remarks>The dimensions of the input may be free.</remarks>
/// <param name="axis">The place of the dimension in the output; negative numbers count from the end: -1 makes it the last.</param>
public sealed class Unsqueeze(int axis) : ViewLayer
{
    /// <summary>The place of the dimension in the output; negative numbers count from the end.</summary>
    public int Axis => axis;

    /// <inheritdoc/>
    public override string Kind => "unsqueeze";

    /// <inheritdoc/>
    protected override Shape OutputShape(EdgeType input)
    {
        var shape = input.Shape;
        var at = axis < 0 ? axis + shape.Rank + 1 : axis;
        if ((uint)at > (uint)shape.Rank || shape.Rank == Shape.MaxRank)
        {
            throw new ArgumentException(
                $"{Kind} puts a dimension into {input} at place 0 to {shape.Rank}, up to {Shape.MaxRank} in all; got {axis}.", nameof(axis));
        }

        Span<int> sizes = stackalloc int[Shape.MaxRank];
        for (var d = 0; d <= shape.Rank; d++)
            sizes[d] = d == at ? 1 : shape[d < at ? d : d - 1];
        return new(sizes[..(shape.Rank + 1)]);
    }
}
