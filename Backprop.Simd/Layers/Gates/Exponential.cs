namespace Backprop.Simd.Layers.Gates;

/// <summary>y = e^x, element by element. dx = dy y.</summary>
public sealed class Exponential : UnaryGate
{
    /// <inheritdoc/>
    public override string Kind => "exponential";

    /// <inheritdoc/>
    public override string Symbol => "exp";

    /// <inheritdoc/>
    protected override LayerTraits Traits => LayerTraits.ReadsOutput | LayerTraits.InPlace;

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        Kernels.Elementwise.Exp(context.Input(0), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        context.InputGradient(0).Multiply(context.OutputGradient(), context.Output());
}
