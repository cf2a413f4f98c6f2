namespace Backprop.Simd.Layers;

/// <summary>The elements of a row under another shape, in the order in which they lie. Copies nothing.</summary>
public sealed class Reshape : ViewLayer
{
    private readonly int[] _dimensions;

    /// <summary>Makes the layer.</summary>
    /// <param name="dimensions">Up to six sizes, each 1 or more. One may be -1: it follows from the others. 0 keeps the size that the input has at
    /// that place, as in ONNX. Sizes that are kept or follow may be free.</param>
    /// <exception cref="ArgumentException">There are more than six sizes, more than one is -1, or a size is below -1.</exception>
    public Reshape(params ReadOnlySpan<int> dimensions)
    {
        _dimensions = dimensions.ToArray();
        var free = 0;
        foreach (var dimension in dimensions)
            free += dimension == -1 ? 1 : 0;
        if (free > 1)
            throw new ArgumentException($"At most one size may be -1; got [{string.Join(", ", _dimensions)}].", nameof(dimensions));
        _ = new Shape(Array.ConvertAll(_dimensions, d => d is -1 or 0 ? 1 : d));
    }

    /// <summary>The sizes, -1 where one follows from the others, 0 where the input's is kept.</summary>
    public IReadOnlyList<int> Dimensions => _dimensions;

    /// <inheritdoc/>
    public override string Kind => "reshape";

    /// <inheritdoc/>
    protected override Shape OutputShape(EdgeType input)
    {
        var dimensions = (int[])_dimensions.Clone();
        for (var d = 0; d < dimensions.Length; d++)
        {
            if (dimensions[d] != 0)
                continue;
            if (d >= input.Shape.Rank)
                throw new ArgumentException($"{Kind} to [{string.Join(", ", _dimensions)}] keeps dimension {d}, which {input} does not have.", nameof(input));
            dimensions[d] = input.Shape[d];
        }

        var at = Array.IndexOf(dimensions, -1);
        if (at >= 0)
        {
            dimensions[at] = 1;
            var (size, rest) = Math.DivRem(input.Shape.Size, new Shape(dimensions).Size);
            if (rest != 0 || size == 0)
            {
                throw new ArgumentException(
                    $"{Kind} to [{string.Join(", ", _dimensions)}] does not suit {input} of {input.Shape.Size} elements.", nameof(input));
            }

            dimensions[at] = size;
        }

        return new Shape(dimensions);
    }
}
