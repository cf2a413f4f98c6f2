namespace Backprop.Simd.Layers.Gates;

/// <summary>y = 1 / x, element by element. dx = -dy y^2.</summary>
public sealed class Reciprocal : UnaryGate
{
    /// <inheritdoc/>
    public override string Kind => "reciprocal";

    /// <inheritdoc/>
    public override string Symbol => "1/x";

    /// <inheritdoc/>
    protected override LayerTraits Traits => LayerTraits.ReadsOutput | LayerTraits.InPlace;

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        Kernels.Elementwise.Reciprocal(context.Input(0), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        Kernels.Elementwise.ReciprocalBackward(context.OutputGradient(), context.Output(), context.InputGradient(0), context.Compute);
}
