using System.Runtime.InteropServices;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>
/// The sums of the elements of a dimension in segments: y[.., s, ..] = the sum of x[.., n, ..] over all n whose index is s; as PyTorch's
/// <c>index_add</c> to zeros.
/// </summary>
/// <remarks>
/// <para>Inputs: values x, and indices [N], the segment of each element of the dimension. A segment without elements is 0.</para>
/// <para>The sum is made in the order of the elements, in blocks of 128 that are added pairwise. Backward: dx of an element is dy of its
/// segment.</para>
/// </remarks>
public sealed class SegmentSum : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="segments">The number of segments, 1 or more.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="segments"/> is below 1.</exception>
    public SegmentSum(int segments, int axis = 0)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(segments, 1);
        (Segments, Axis) = (segments, axis);
    }

    /// <summary>The number of segments.</summary>
    public int Segments { get; }

    /// <summary>The dimension; negative numbers count from the end.</summary>
    public int Axis { get; }

    /// <inheritdoc/>
    public override string Kind => "segmentsum";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var shape = declaration.Require(0, EdgeKind.Values);
        var indices = declaration.Require(1, EdgeKind.Indices, rank: 1);
        AxisParts.Check(Kind, declaration.Inputs[0], Axis);
        var parts = AxisParts.Of(shape, Axis);
        if (indices[0] != parts.Length)
        {
            throw new ArgumentException(
                $"{Kind} along dimension {Axis} of {declaration.Inputs[0]} needs an index for each of its {parts.Length} elements; "
                + $"it got {declaration.Inputs[1]}.", "inputs");
        }

        Span<int> sizes = stackalloc int[Shape.MaxRank];
        sizes = shape.CopyTo(sizes);
        sizes[Axis < 0 ? Axis + shape.Rank : Axis] = Segments;
        declaration.AddOutput(new Shape(sizes));
        declaration.UseOperations(shape.Size);
        declaration.UseScratch(2L * parts.Length);
        declaration.UseThreadScratch(Indexing.ThreadBytes(parts.Inner));
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">An index is no segment; nothing was written.</exception>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var parts = AxisParts.Of(context.InputType(0).Shape, Axis);
        Indexing.ScatterAdd(parts.Array(context.Input(0)), context.Indices(1), [context.Rows, parts.Outer, Segments, parts.Inner], context.Output(),
            MemoryMarshal.Cast<T, int>(context.Scratch), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var parts = AxisParts.Of(context.InputType(0).Shape, Axis);
        Indexing.Gather((parts with { Length = Segments }).Array(context.OutputGradient()), context.Indices(1), parts.Length, context.InputGradient(0),
            context.Compute);
    }
}
