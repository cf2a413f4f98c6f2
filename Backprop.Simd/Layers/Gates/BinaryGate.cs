namespace Backprop.Simd.Layers.Gates;

/// <summary>An elementwise function of two inputs of the same type.</summary>
public abstract class BinaryGate : Layer
{
    /// <summary>How the gate uses the memory of inputs and output. By default backward reads the inputs.</summary>
    protected virtual LayerTraits Traits => LayerTraits.ReadsInput;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var type = declaration.RequireNumbers(0);
        declaration.RequireSame(0, 1);
        declaration.AddOutput(type);
        declaration.Traits = Traits;
    }
}
