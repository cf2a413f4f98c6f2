using System.Numerics;
using Backprop.Simd.Activations;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>The dimensions of each row in another order: y[i0, i1, ..] is x at the index whose dimension axes[n] is i[n], as NumPy's
/// <c>transpose</c>. dx is dy transposed back.</summary>
public sealed class Transpose : Layer
{
    private readonly int[] _axes;

    /// <summary>Makes the layer.</summary>
    /// <param name="axes">The dimension of x for each dimension of y, each once; negative numbers count from the end. None turns the order
    /// around.</param>
    public Transpose(params ReadOnlySpan<int> axes) => _axes = axes.ToArray();

    /// <summary>The dimensions in their new order; none for the order turned around.</summary>
    public IReadOnlyList<int> Axes => _axes;

    /// <inheritdoc/>
    public override string Kind => "transpose";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        var axes = Order(type.Shape, stackalloc int[type.Shape.Rank]);
        Span<int> sizes = stackalloc int[axes.Length];
        for (var d = 0; d < sizes.Length; d++)
            sizes[d] = type.Shape[axes[d]];
        declaration.AddOutput(new EdgeType(type.Kind, new Shape(sizes)));
        declaration.Meaning = OutputMeaning.SameAsInput;
        declaration.UseOperations(0);
        declaration.Traits = LayerTraits.None;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var x = context.InputArray(0);
        var order = Order(context.InputType(0).Shape, stackalloc int[Shape.MaxRank]);
        Permutation.Transpose(x, Whole(order, x.Rank, stackalloc int[x.Rank]), context.Output(), context.Compute);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var type = context.InputType(0);
        var order = Order(type.Shape, stackalloc int[Shape.MaxRank]);
        Span<int> sizes = stackalloc int[1 + order.Length], back = stackalloc int[1 + order.Length];
        sizes[0] = type.Kind == EdgeKind.Values ? context.Rows : 1;
        back[0] = 0;
        for (var d = 0; d < order.Length; d++)
        {
            sizes[1 + d] = type.Shape[order[d]];
            back[1 + order[d]] = 1 + d;
        }

        Permutation.Transpose(new ShapedSpan<T>(context.OutputGradient(), sizes), back, context.InputGradient(0), context.Compute);
    }

    /// <summary>The order of the dimensions of a row behind those that it lacks.</summary>
    private static ReadOnlySpan<int> Whole(ReadOnlySpan<int> order, int rank, Span<int> axes)
    {
        var first = rank - order.Length;
        for (var d = 0; d < rank; d++)
            axes[d] = d < first ? d : first + order[d - first];
        return axes;
    }

    private ReadOnlySpan<int> Order(Shape shape, Span<int> order)
    {
        order = order[..shape.Rank];
        var fits = _axes.Length == 0 || _axes.Length == order.Length;
        for (var d = 0; fits && d < order.Length; d++)
        {
            order[d] = _axes.Length == 0 ? order.Length - 1 - d : _axes[d] < 0 ? _axes[d] + shape.Rank : _axes[d];
            fits = (uint)order[d] < (uint)shape.Rank && !order[..d].Contains(order[d]);
        }

        return fits ? order
            : throw new ArgumentException($"{Kind} to [{string.Join(", ", _axes)}] needs each dimension of the input once; the input is {shape}.", "inputs");
    }
}
