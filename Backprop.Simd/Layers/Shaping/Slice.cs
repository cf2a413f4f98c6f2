using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>A range of one dimension of each row: [.., start up to start + length, ..].</summary>
/// <remarks>
/// If the slice is contiguous in each row and all its consumers take rows with gaps between them (<see cref="Affine"/> does), they
/// read the input's memory and nothing is copied. Otherwise forward copies the slice. Backward writes the gradient to the slice's
/// place in the input's gradient, with zeros around it.
/// </remarks>
public sealed class Slice : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="axis">The dimension, from 0. Negative numbers count from the end; -1 is the last.</param>
    /// <param name="start">The first element, from 0.</param>
    /// <param name="length">The number of elements, 1 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="start"/> is negative or <paramref name="length"/> below 1.</exception>
    public Slice(int axis, int start, int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        (Axis, Start, Length) = (axis, start, length);
    }

    /// <summary>The dimension; negative numbers count from the end.</summary>
    public int Axis { get; }

    /// <summary>The first element.</summary>
    public int Start { get; }

    /// <summary>The number of elements.</summary>
    public int Length { get; }

    /// <inheritdoc/>
    public override string Kind => "slice";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        var shape = type.Shape;
        var axis = Axis < 0 ? Axis + shape.Rank : Axis;
        if (axis < 0 || axis >= shape.Rank || Start > shape[axis] - Length)
            throw new ArgumentException($"{Kind} of {Length} from {Start} along dimension {Axis} does not lie inside {type}.", "inputs");
        Span<int> dimensions = stackalloc int[shape.Rank];
        for (var d = 0; d < dimensions.Length; d++)
            dimensions[d] = d == axis ? Length : shape[d];
        declaration.UseOperations(0);
        declaration.AddOutput(new EdgeType(type.Kind, new Shape(dimensions)));
        declaration.Meaning = OutputMeaning.SameAsInput;
        var (start, _, step) = Run(shape);
        if (step == shape.Size)
            declaration.UseView(start);
        else
            declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var (start, run, step) = Run(context.InputType(0).Shape);
        Strips.Copy(context.Input(0), step, start, context.Output(), run, 0, run, context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var target = context.InputGradient(0);
        var (start, run, step) = Run(context.InputType(0).Shape);
        target.Zero();
        Strips.Copy(context.OutputGradient(), run, 0, target, step, start, run, context.Compute);
    }

    /// <summary>Where the slice first starts in a row of the input, the length of each contiguous part, and the distance to the next.</summary>
    private (int Start, int Run, int Step) Run(Shape input)
    {
        var axis = Axis < 0 ? Axis + input.Rank : Axis;
        var inner = 1;
        for (var d = axis + 1; d < input.Rank; d++)
            inner *= input[d];
        return (Start * inner, Length * inner, input[axis] * inner);
    }
}
