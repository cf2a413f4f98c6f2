namespace Backprop.Simd.Layers.Gates;

/// <summary>The value of a parameter that another layer has, as a node that all rows share.</summary>
/// <param name="shape">The shape of the parameter.</param>
internal sealed class ParameterReader(Shape shape) : Layer
{
    /// <inheritdoc/>
    public override string Kind => "parameter";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        declaration.RequireInputs(0);
        declaration.AddParameter("value", shape, 1, 1, null);
        declaration.AddOutput(new EdgeType(EdgeKind.Shared, shape));
        declaration.UseOperations(0);
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => context.Parameter(0).CopyTo(context.Output());

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => context.ParameterGradient(0).Copy(context.OutputGradient());
}
