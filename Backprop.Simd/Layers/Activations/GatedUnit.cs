using Backprop.Simd.Activations;

namespace Backprop.Simd.Layers;

/// <summary>A layer whose last dimension is two halves, the one the gate of the other: [.., 2 D] to [.., D].</summary>
public abstract class GatedUnit : Layer
{
    private protected GatedUnit() { }

    /// <inheritdoc/>
    public sealed override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireLastDimension(0);
        if (type.Shape.Last % 2 != 0)
            throw new ArgumentException($"{Kind} takes the last dimension in two halves, so it must be even; the input is {type}.", "inputs");
        Span<int> dimensions = stackalloc int[type.Shape.Rank];
        for (var d = 0; d < dimensions.Length; d++)
            dimensions[d] = type.Shape[d];
        dimensions[^1] /= 2;
        declaration.AddOutput(new EdgeType(type.Kind, new Shape(dimensions)));
        declaration.Meaning = OutputMeaning.Numbers;
        declaration.Traits = LayerTraits.ReadsInput;
    }
}
