using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The gated linear unit: with the last dimension in two halves, [a, b], y = a sigmoid(b). The second half is the gate.</summary>
/// <remarks>Dauphin et al., arXiv:1612.08083, section 2, as PyTorch's glu. [.., 2 D] to [.., D]. Nothing is copied.</remarks>
public sealed class Glu : GatedUnit
{
    /// <inheritdoc/>
    public override string Kind => "glu";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        GatedUnits.Glu(context.Input(0), context.InputType(0).Shape.Last / 2, context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        GatedUnits.GluBackward(context.OutputGradient(), context.Input(0), context.InputType(0).Shape.Last / 2, context.InputGradient(0), context.Compute);
}
