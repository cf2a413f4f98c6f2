namespace Backprop.Simd.Layers;

/// <summary>Layers whose rows are the positions of the input: all along the last dimension.</summary>
internal static class LastDimension
{
    /// <summary>The size of the last dimension; 1 of a scalar.</summary>
    public static int Of(Shape shape) => shape.Rank == 0 ? 1 : shape[shape.Rank - 1];

    /// <summary>One input of numbers of rank 1 or more, one output like it.</summary>
    public static void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        if (type.Shape.Rank == 0)
            throw new ArgumentException($"Input 0 of {declaration.Kind} must have a last dimension; it is {type}.", "inputs");
        declaration.AddOutput(type);
    }
}
