using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers;

/// <summary>Concatenates its inputs along one dimension: [.., a, ..], [.., b, ..], ... to [.., a + b + .., ..].</summary>
/// <remarks>Backward: dx of an input is its slice of dy.</remarks>
public sealed class Concatenate : Layer
{
    /// <summary>Makes the layer.</summary>
    /// <param name="axis">The dimension of a row to concatenate along, from 0. Negative numbers count from the end; -1 is the
    /// last.</param>
    public Concatenate(int axis = -1) => Axis = axis;

    /// <summary>The dimension to concatenate along.</summary>
    public int Axis { get; }

    /// <inheritdoc/>
    public override string Kind => "concatenate";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        if (declaration.Inputs.Count == 0)
            throw new ArgumentException($"{Kind} takes at least one input; it got none.", "inputs");
        var first = declaration.RequireNumbers(0);
        var axis = AxisOf(first.Shape);
        if ((uint)axis >= (uint)first.Shape.Rank)
            throw new ArgumentException($"{Kind} along dimension {Axis} needs inputs with this dimension; input 0 is {first}.", "inputs");
        var length = 0L;
        for (var input = 0; input < declaration.Inputs.Count; input++)
        {
            var type = declaration.RequireNumbers(input);
            if (type.Kind != first.Kind || type.Shape.Rank != first.Shape.Rank || !AgreeBut(axis, first.Shape, type.Shape))
            {
                throw new ArgumentException(
                    $"Inputs of {Kind} along dimension {Axis} must agree in kind and in all other dimensions; "
                    + $"input 0 is {first}, input {input} is {type}.", "inputs");
            }

            length += type.Shape[axis];
        }

        if (length > int.MaxValue)
            throw new ArgumentException($"{Kind} along dimension {Axis} would have {length} elements there; the most is 2^31 - 1.", "inputs");
        Span<int> dimensions = stackalloc int[first.Shape.Rank];
        for (var d = 0; d < dimensions.Length; d++)
            dimensions[d] = d == axis ? (int)length : first.Shape[d];
        declaration.AddOutput(new EdgeType(first.Kind, new Shape(dimensions)));
        declaration.Traits = LayerTraits.None;
        if (axis > 0)
            declaration.UsePositions();
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var total = 0;
        for (var input = 0; input < context.InputCount; input++)
            total += Chunk(context.InputType(input).Shape);
        var offset = 0;
        for (var input = 0; input < context.InputCount; input++)
        {
            var chunk = Chunk(context.InputType(input).Shape);
            Strips.Copy(context.Input(input), chunk, 0, context.Output(), total, offset, chunk, context.Compute);
            offset += chunk;
        }
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var total = 0;
        for (var input = 0; input < context.InputCount; input++)
            total += Chunk(context.InputType(input).Shape);
        var offset = 0;
        for (var input = 0; input < context.InputCount; input++)
        {
            var chunk = Chunk(context.InputType(input).Shape);
            Strips.Copy(context.OutputGradient(), total, offset, context.InputGradient(input), chunk, 0, chunk, context.Compute);
            offset += chunk;
        }
    }

    private int AxisOf(Shape shape) => Axis < 0 ? Axis + shape.Rank : Axis;

    /// <summary>The number of elements that are adjacent: the product of the dimensions from the axis on.</summary>
    private int Chunk(Shape shape)
    {
        var elements = 1;
        for (var d = AxisOf(shape); d < shape.Rank; d++)
            elements *= shape[d];
        return elements;
    }

    private static bool AgreeBut(int axis, Shape left, Shape right)
    {
        for (var d = 0; d < left.Rank; d++)
        {
            if (d != axis && left[d] != right[d])
                return false;
        }

        return true;
    }
}
