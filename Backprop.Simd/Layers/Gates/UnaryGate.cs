namespace Backprop.Simd.Layers.Gates;

/// <summary>An elementwise function of one input.</summary>
public abstract class UnaryGate : Layer
{
    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(declaration.RequireNumbers(0));
    }
}
