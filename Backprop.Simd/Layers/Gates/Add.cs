namespace Backprop.Simd.Layers.Gates;

/// <summary>z = x + y. Both inputs get the gradient: dx = dz, dy = dz.</summary>
public sealed class Add : BinaryGate
{
    /// <inheritdoc/>
    public override string Kind => "add";

    /// <inheritdoc/>
    public override string Symbol => "+";

    /// <inheritdoc/>
    protected override LayerTraits Traits => LayerTraits.None;

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        Kernels.Elementwise.Add(context.Input(0), context.Input(1), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        context.InputGradient(0).Copy(context.OutputGradient());
        context.InputGradient(1).Copy(context.OutputGradient());
    }
}
