namespace Backprop.Simd.Layers.Gates;

/// <summary>y = -x. dx = -dy.</summary>
public sealed class Negate : UnaryGate
{
    /// <inheritdoc/>
    public override string Kind => "negate";

    /// <inheritdoc/>
    public override string Symbol => "*-1";

    /// <inheritdoc/>
    protected override LayerTraits Traits => LayerTraits.InPlace;

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        Kernels.Elementwise.Negate(context.Input(0), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        context.InputGradient(0).Scale(context.OutputGradient(), -T.One);
}
