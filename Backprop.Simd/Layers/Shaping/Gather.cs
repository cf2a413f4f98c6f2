using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>
/// Elements of one dimension of each row by their indices: y[.., k, ..] = x[.., indices[k], ..], as ONNX's <c>Gather</c> and NumPy's
/// <c>take</c> on a row's dimension.
/// </summary>
/// <remarks>
/// <para>Inputs: x, values or shared, and indices of any shape, which take the dimension's place: [T, D] and [L] along dimension 0 give
/// [L, D]. Of a shared x each row of the batch takes its own: with a parameter [V, D] this is an embedding whose table can be used elsewhere.</para>
/// <para>Backward: dx of an element is the sum of dy over the places that took it, in the order of the batch, in blocks of 128 that are added
/// pairwise.</para>
/// </remarks>
/// <param name="axis">The dimension; negative numbers count from the end.</param>
public sealed class Gather(int axis = 0) : Layer
{
    /// <summary>The dimension; negative numbers count from the end.</summary>
    public int Axis => axis;

    /// <inheritdoc/>
    public override string Kind => "gather";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var type = declaration.RequireNumbers(0);
        var indices = declaration.Require(1, EdgeKind.Indices);
        AxisParts.Check(Kind, type, axis);
        var (shape, at) = (type.Shape, axis < 0 ? axis + type.Shape.Rank : axis);
        var rank = shape.Rank - 1 + indices.Rank;
        if (rank > Shape.MaxRank)
            throw new ArgumentException($"{Kind} of {declaration.Inputs[1]} from {type} would have {rank} dimensions; the most is {Shape.MaxRank}.", "inputs");
        Span<int> sizes = stackalloc int[Shape.MaxRank];
        for (var d = 0; d < rank; d++)
            sizes[d] = d < at ? shape[d] : d < at + indices.Rank ? indices[d - at] : shape[d - indices.Rank + 1];
        declaration.AddOutput(new Shape(sizes[..rank]));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.UseOperations(0);
        declaration.UseScatter(indices.Size, AxisParts.Of(shape, axis).Inner);
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">An index is outside the dimension; nothing was written.</exception>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var parts = AxisParts.Of(context.InputType(0).Shape, axis);
        Indexing.Gather(parts.Array(context.Input(0)), context.Indices(1), context.InputType(1).Shape.Size, context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var parts = AxisParts.Of(context.InputType(0).Shape, axis);
        var count = context.InputType(1).Shape.Size;
        var groups = context.InputType(0).Kind == EdgeKind.Shared ? 1 : context.Rows;
        Indexing.ScatterAdd((parts with { Length = count }).Array(context.OutputGradient()), context.Indices(1),
            [groups, parts.Outer, parts.Length, parts.Inner], context.InputGradient(0), context.IndexCache, context.Compute);
    }
}
