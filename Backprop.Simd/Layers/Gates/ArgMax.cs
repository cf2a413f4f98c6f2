using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>
/// y = the index of the largest of x along one dimension of each row, as a number. Of equal numbers the first counts; the first NaN
/// counts as the largest. It has no gradient: dx = 0.
/// </summary>
/// <remarks>Indices up to 2^24 are exact in float.</remarks>
/// <param name="axis">The dimension; negative numbers count from the end.</param>
/// <param name="keepDimensions">True to keep the dimension with size 1.</param>
public sealed class ArgMax(int axis = -1, bool keepDimensions = false) : Layer
{
    /// <summary>The dimension; negative numbers count from the end.</summary>
    public int Axis => axis;

    /// <summary>Whether the dimension stays, with size 1.</summary>
    public bool KeepDimensions => keepDimensions;

    /// <inheritdoc/>
    public override string Kind => "argmax";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        if (axis >= type.Shape.Rank || axis < -type.Shape.Rank)
            throw new ArgumentException($"{Kind} along dimension {axis} needs an input with this dimension; it is {type}.", "inputs");
        Span<int> sizes = stackalloc int[Shape.MaxRank];
        sizes = type.Shape.CopyTo(sizes);
        var (reduced, rank) = (AxisOf(type.Shape), 0);
        for (var d = 0; d < sizes.Length; d++)
        {
            if (keepDimensions || d != reduced)
                sizes[rank++] = d == reduced ? 1 : sizes[d];
        }

        declaration.AddOutput(new EdgeType(type.Kind, new Shape(sizes[..rank])));
        declaration.UseOperations(type.Shape.Size);
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var shape = context.InputType(0).Shape;
        var inner = 1;
        for (var d = AxisOf(shape) + 1; d < shape.Rank; d++)
            inner *= shape[d];
        var length = shape[AxisOf(shape)];
        AxisReductions.ArgMax(context.Input(0), context.Input(0).Length / (length * inner), length, inner, context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Zero();

    private int AxisOf(Shape shape) => axis < 0 ? axis + shape.Rank : axis;
}
