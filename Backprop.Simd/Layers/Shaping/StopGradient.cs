namespace Backprop.Simd.Layers;

/// <summary>y = x, with the gradient 0: what x is computed from does not learn through y. Copies nothing.</summary>
/// <remarks>The output is a view of the input. Backward does not run, and neither does the backward pass of what leads to a
/// <see cref="StopGradient"/> alone; parameters there have zero gradient. Also called detach and stop_gradient.</remarks>
public sealed class StopGradient : Layer
{
    /// <inheritdoc/>
    public override string Kind => "stopgradient";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        declaration.AddOutput(declaration.RequireNumbers(0));
        declaration.UseOperations(0);
        declaration.UseView();
        declaration.Traits |= LayerTraits.StopsGradient;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => context.Input(0).CopyTo(context.Output());

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Zero();
}
