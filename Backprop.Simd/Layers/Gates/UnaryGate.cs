namespace Backprop.Simd.Layers.Gates;

/// <summary>An elementwise function of one input.</summary>
public abstract class UnaryGate : Layer
{
    /// <summary>How the gate uses the memory of inputs and output. By default backward reads both.</summary>
    protected virtual LayerTraits Traits => LayerTraits.ReadsInput | LayerTraits.ReadsOutput;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(declaration.RequireNumbers(0));
        declaration.UsePositions();
        declaration.Traits = Traits;
    }
}
