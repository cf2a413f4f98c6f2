using System.Globalization;

namespace Backprop.Simd.Layers.Gates;

/// <summary>y = a x with a constant a. dx = a dy.</summary>
/// <param name="factor">a.</param>
public sealed class Scale(double factor) : UnaryGate
{
    /// <summary>a.</summary>
    public double Factor => factor;

    /// <inheritdoc/>
    public override string Kind => "scale";

    /// <inheritdoc/>
    public override string Symbol => string.Create(CultureInfo.InvariantCulture, $"*{factor:G4}");

    /// <inheritdoc/>
    protected override LayerTraits Traits => LayerTraits.InPlace;

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        Kernels.Elementwise.Scale(context.Input(0), T.CreateChecked(factor), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) =>
        context.InputGradient(0).Scale(context.OutputGradient(), T.CreateChecked(factor));
}
