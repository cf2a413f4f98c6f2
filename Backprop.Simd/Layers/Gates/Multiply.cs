namespace Backprop.Simd.Layers.Gates;

/// <summary>z = x * y, element by element. The gradient swaps the inputs: dx = dz * y, dy = dz * x.</summary>
public sealed class Multiply : BinaryGate
{
    /// <inheritdoc/>
    public override string Kind => "multiply";

    /// <inheritdoc/>
    public override string Symbol => "*";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        Kernels.Elementwise.Multiply(context.Input(0), context.Input(1), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var dz = context.OutputGradient();
        context.InputGradient(0).Multiply(dz, context.Input(1));
        context.InputGradient(1).Multiply(dz, context.Input(0));
    }
}
