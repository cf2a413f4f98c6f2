namespace Backprop.Simd.Layers;

/// <summary>The elements of a row as a vector, in the order in which they lie: [H, W, C] to [H W C]. Copies nothing.</summary>
public sealed class Flatten : ViewLayer
{
    /// <inheritdoc/>
    public override string Kind => "flatten";

    /// <inheritdoc/>
    protected override Shape OutputShape(EdgeType input) => new(input.Shape.Size);
}
