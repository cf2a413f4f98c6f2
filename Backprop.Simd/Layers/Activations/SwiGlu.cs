using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The gated unit of SiLU: with the last dimension in two halves, [a, b], y = silu(a) b. The first half is the gate.</summary>
/// <remarks>Shazeer, arXiv:2002.05202, equation 5, where a = x W and b = x V. [.., 2 D] to [.., D]. Nothing is copied. In
/// <see cref="Glu"/> the second half is the gate.</remarks>
public sealed class SwiGlu : GatedUnit
{
    /// <inheritdoc/>
    public override string Kind => "swiglu";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        GatedUnits.SwiGlu(context.Input(0), context.InputType(0).Shape.Last / 2, context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        GatedUnits.SwiGluBackward(context.OutputGradient(), context.Input(0), context.InputType(0).Shape.Last / 2, context.InputGradient(0), context.Compute);
}
