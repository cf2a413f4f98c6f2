using System.Runtime.InteropServices;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>
/// Elements added into places of a dimension, by an index of each: y is 0 but for y[.., indices[.., k, .., i], .., i] += x[.., k, .., i], as
/// PyTorch's <c>scatter_add</c> to zeros and ONNX's <c>ScatterElements</c> with the reduction "add".
/// </summary>
/// <remarks>
/// <para>Inputs: values x, and indices of the same shape. The output has another size along the dimension. For other numbers than 0 to add to,
/// add the result: <c>target + x.ScatterAdd(indices, size)</c>.</para>
/// <para>What meets in one place is added in the order of the elements, in blocks of 128 that are added pairwise. Backward: dx of an element is
/// dy of its place, <see cref="GatherElements"/>.</para>
/// </remarks>
public sealed class ScatterAdd : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="size">The places along the dimension, 1 or more.</param>
    /// <param name="axis">The dimension; negative numbers count from the end.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="size"/> is below 1.</exception>
    public ScatterAdd(int size, int axis = -1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 1);
        (Size, Axis) = (size, axis);
    }

    /// <summary>The places along the dimension.</summary>
    public int Size { get; }

    /// <summary>The dimension; negative numbers count from the end.</summary>
    public int Axis { get; }

    /// <inheritdoc/>
    public override string Kind => "scatteradd";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var shape = declaration.Require(0, EdgeKind.Values);
        AxisParts.Check(Kind, declaration.Inputs[0], Axis);
        if (declaration.Require(1, EdgeKind.Indices) != shape)
        {
            throw new ArgumentException(
                $"{Kind} needs an index for each element of {declaration.Inputs[0]}, of the same shape; they are {declaration.Inputs[1]}.", "inputs");
        }

        Span<int> sizes = stackalloc int[Shape.MaxRank];
        sizes = shape.CopyTo(sizes);
        sizes[Axis < 0 ? Axis + shape.Rank : Axis] = Size;
        declaration.AddOutput(new Shape(sizes));
        declaration.UseOperations(shape.Size);
        declaration.UseScratch(3L * shape.Size);
        declaration.UseThreadScratch(Indexing.ThreadBytes(1));
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">An index is no place; nothing was written.</exception>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var parts = AxisParts.Of(context.InputType(0).Shape, Axis);
        var order = MemoryMarshal.Cast<T, int>(context.Scratch);
        Indexing.ScatterAddElements(context.Input(0), context.Indices(1), parts.Length, [context.Rows, parts.Outer, Size, parts.Inner],
            context.Output(), order, context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var parts = AxisParts.Of(context.InputType(0).Shape, Axis);
        Indexing.GatherElements((parts with { Length = Size }).Array(context.OutputGradient()), context.Indices(1), parts.Length,
            context.InputGradient(0), context.Compute);
    }
}
