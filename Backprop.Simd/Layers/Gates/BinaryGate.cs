namespace Backprop.Simd.Layers.Gates;

/// <summary>An elementwise function of two inputs of the same type.</summary>
public abstract class BinaryGate : Layer
{
    /// <inheritdoc/>
    public override bool BackwardUsesOutput => false;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var type = declaration.RequireNumbers(0);
        declaration.RequireSame(0, 1);
        declaration.AddOutput(type);
    }
}
