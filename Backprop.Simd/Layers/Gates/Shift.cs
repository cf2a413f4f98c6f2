using System.Globalization;

namespace Backprop.Simd.Layers.Gates;

/// <summary>y = x + a with a constant a. dx = dy.</summary>
/// <param name="offset">a.</param>
public sealed class Shift(double offset) : UnaryGate
{
    /// <summary>a.</summary>
    public double Offset => offset;

    /// <inheritdoc/>
    public override string Kind => "shift";

    /// <inheritdoc/>
    public override string Symbol => string.Create(CultureInfo.InvariantCulture, $"+{offset:G4}");

    /// <inheritdoc/>
    protected override LayerTraits Traits => LayerTraits.InPlace;

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        Kernels.Elementwise.Shift(context.Input(0), T.CreateChecked(offset), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        context.InputGradient(0).Scale(context.OutputGradient(), T.One);
}
