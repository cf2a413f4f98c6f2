namespace Backprop.Simd.Layers.Gates;

/// <summary>
/// z = max(x, y), element by element; NaN if either is. The gradient is routed to the larger input; of two equal inputs the
/// first gets it (PyTorch gives each a half). A NaN gets it in the input that holds it, the first if both do.
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
