namespace Backprop.Simd.Layers;

/// <summary>A layer whose output is its input under another shape: the workspace gives both the same memory.</summary>
/// <remarks>
/// Forward never runs. Backward runs, as a copy or a sum, only if the input's gradient has a second source, or if the input is a
/// parameter.
/// </remarks>
public abstract class ViewLayer : Layer
{
    /// <inheritdoc/>
    public sealed override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        var shape = OutputShape(type);
        if (shape.Size != type.Shape.Size)
            throw new ArgumentException($"{Kind} keeps the number of elements; {type} has {type.Shape.Size}, {shape} has {shape.Size}.", "inputs");
        declaration.UseOperations(0);
        declaration.AddOutput(new EdgeType(type.Kind, shape));
        declaration.UseView();
    }

    /// <inheritdoc/>
    public sealed override void Forward<T>(in ForwardContext<T> context) => context.Input(0).CopyTo(context.Output());

    /// <inheritdoc/>
    public sealed override void Backward<T>(in BackwardContext<T> context) =>
        context.InputGradient(0).Copy(context.OutputGradient());

    /// <summary>The shape of the output.</summary>
    /// <param name="input">The type of the input.</param>
    /// <returns>A shape with the same number of elements.</returns>
    protected abstract Shape OutputShape(EdgeType input);
}
