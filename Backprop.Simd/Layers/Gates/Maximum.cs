namespace Backprop.Simd.Layers.Gates;

/// <summary>
/// z = max(x, y), element by element; NaN if either is NaN. The larger input gets the gradient; if both are equal,
/// the first gets it (PyTorch gives each a half). If an input is NaN, it gets the gradient; if both are, the first does.
/// </summary>
public sealed class Maximum : BinaryGate
{
    /// <inheritdoc/>
    public override string Kind => "maximum";

    /// <inheritdoc/>
    public override string Symbol => "max";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        Kernels.Elementwise.Maximum(context.Input(0), context.Input(1), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        ReadOnlySpan<T> x = context.Input(0), y = context.Input(1), dz = context.OutputGradient();
        Kernels.Elementwise.MaximumBackwardFirst(dz, x, y, context.InputGradient(0), context.Compute);
        Kernels.Elementwise.MaximumBackwardSecond(dz, x, y, context.InputGradient(1), context.Compute);
    }
}
