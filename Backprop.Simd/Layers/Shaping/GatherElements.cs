using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>
/// Elements by an index of each: y[.., k, .., i] = x[.., indices[.., k, .., i], .., i], as PyTorch's <c>gather</c> and ONNX's
/// <c>GatherElements</c>.
/// </summary>
/// <remarks>
/// <para>Inputs: x, values or shared, and indices with as many dimensions, of the same sizes but along the dimension.</para>
/// <para>Backward: dx of an element is the sum of dy over the places that took it, in the order of the batch, in blocks of 128 that are added
/// pairwise.</para>
/// </remarks>
/// <param name="axis">The dimension; negative numbers count from the end.</param>
public sealed class GatherElements(int axis = -1) : Layer
{
    /// <summary>The dimension; negative numbers count from the end.</summary>
    public int Axis => axis;

    /// <inheritdoc/>
    public override string Kind => "gatherelements";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var type = declaration.RequireNumbers(0);
        var indices = declaration.Require(1, EdgeKind.Indices);
        AxisParts.Check(Kind, type, axis);
        var at = axis < 0 ? axis + type.Shape.Rank : axis;
        var fits = indices.Rank == type.Shape.Rank;
        for (var d = 0; fits && d < indices.Rank; d++)
            fits = d == at || indices[d] == type.Shape[d];
        if (!fits)
        {
            throw new ArgumentException(
                $"{Kind} along dimension {axis} of {type} needs indices of the same sizes but there; they are {declaration.Inputs[1]}.", "inputs");
        }

        declaration.AddOutput(indices);
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.UseOperations(0);
        declaration.UseScatter(indices.Size, 1);
        declaration.UseIndexCache(3L * indices.Size);
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">An index is outside the dimension; nothing was written.</exception>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var parts = AxisParts.Of(context.InputType(0).Shape, axis);
        var count = AxisParts.Of(context.InputType(1).Shape, axis).Length;
        Indexing.GatherElements(parts.Array(context.Input(0)), context.Indices(1), count, context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var parts = AxisParts.Of(context.InputType(0).Shape, axis);
        var count = AxisParts.Of(context.InputType(1).Shape, axis).Length;
        var groups = context.InputType(0).Kind == EdgeKind.Shared ? 1 : context.Rows;
        Indexing.ScatterAddElements(context.OutputGradient(), context.Indices(1), count, [groups, parts.Outer, parts.Length, parts.Inner],
            context.InputGradient(0), context.IndexCache, context.Compute);
    }
}
