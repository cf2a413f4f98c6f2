using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>The first elements of a dimension of input 0, as many as input 1 has there: positions for a sequence of free length.</summary>
/// <remarks>Input 1 tells the size alone: its numbers are not read, and its gradient from here is 0. The elements of input 0 that are cut
/// off have the gradient 0.</remarks>
/// <param name="axis">The dimension in both inputs, from 0; negative numbers count from the end.</param>
public sealed class CutTo(int axis = 0) : Layer
{
    /// <summary>The dimension; negative numbers count from the end.</summary>
    public int Axis => axis;

    /// <inheritdoc/>
    public override string Kind => "cutto";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var (type, like) = (declaration.RequireNumbers(0), declaration.Inputs[1]);
        var (mine, other) = (At(type.Shape), At(like.Shape));
        if (mine < 0 || other < 0 || like.Shape[other] > type.Shape[mine])
            throw new ArgumentException($"{Kind} along dimension {Axis} needs at least as many elements as {like} has; got {type}.", "inputs");
        Span<int> dimensions = stackalloc int[type.Shape.Rank];
        for (var d = 0; d < dimensions.Length; d++)
            dimensions[d] = d == mine ? like.Shape[other] : type.Shape[d];
        declaration.UseOperations(0);
        declaration.AddOutput(new EdgeType(type.Kind, new Shape(dimensions)));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var (run, step) = Run(context.InputType(0).Shape, context.InputType(1).Shape);
        Strips.Copy(context.Input(0), step, 0, context.Output(), run, 0, run, context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var target = context.InputGradient(0);
        var (run, step) = Run(context.InputType(0).Shape, context.InputType(1).Shape);
        if (run < step)
            target.Zero();
        Strips.Copy(context.OutputGradient(), run, 0, target, step, 0, run, context.Compute);
        if (context.InputType(1).Kind != EdgeKind.Indices)
            context.InputGradient(1).Zero();
    }

    /// <summary>The length of each part that is kept, and the distance to the next.</summary>
    private (int Run, int Step) Run(Shape input, Shape like)
    {
        var (mine, inner) = (At(input), 1);
        for (var d = mine + 1; d < input.Rank; d++)
            inner *= input[d];
        return (like[At(like)] * inner, input[mine] * inner);
    }

    /// <summary>The dimension of a shape; -1 if it has none.</summary>
    private int At(Shape shape) => Axis < 0 ? Math.Max(-1, Axis + shape.Rank) : Axis < shape.Rank ? Axis : -1;
}
