using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers.Gates;

/// <summary>
/// z = x where a mask is not 0, else y, element by element; all three are broadcast to one shape, as in <see cref="BinaryGate{TFunction}"/>.
/// </summary>
/// <remarks>Inputs: mask, x, y. dx = dz where the mask is set, else 0; dy = dz elsewhere. The mask has gradient 0. A NaN in the mask sets it;
/// what is not taken does not matter, NaN or not.</remarks>
public sealed class Where : Layer
{
    /// <inheritdoc/>
    public override string Kind => "where";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(3);
        EdgeType mask = declaration.RequireNumbers(0), x = declaration.RequireNumbers(1), y = declaration.RequireNumbers(2);
        var isShared = mask.Kind == EdgeKind.Shared && x.Kind == EdgeKind.Shared && y.Kind == EdgeKind.Shared;
        Span<int> sizes = stackalloc int[Shape.MaxRank], other = stackalloc int[Shape.MaxRank], both = stackalloc int[Shape.MaxRank];
        try
        {
            both = both[..Broadcasting.Shape(mask.Shape.CopyTo(sizes), x.Shape.CopyTo(other), both)];
            var shape = new Shape(sizes[..Broadcasting.Shape(both, y.Shape.CopyTo(other), sizes)]);
            declaration.AddOutput(new EdgeType(isShared ? EdgeKind.Shared : EdgeKind.Values, shape));
            if (isShared)
                declaration.UseScratch(0, Broadcasting.Scratch(shape.Size));
            else
                declaration.UseScratch(Broadcasting.Scratch(shape.Size));
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"{Kind} of {mask}, {x} and {y}: {e.WithoutParameter()}", "inputs", e);
        }

        declaration.Traits = LayerTraits.ReadsInput;
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) =>
        Broadcasting.Where(context.InputArray(0), context.InputArray(1), context.InputArray(2), context.Output(), context.Compute);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var mask = context.InputArray(0);
        var dz = context.OutputGradientArray();
        var scratch = context.Scratch.IsEmpty ? context.BatchScratch : context.Scratch;
        Span<int> x = stackalloc int[1 + Shape.MaxRank], y = stackalloc int[1 + Shape.MaxRank];
        context.InputGradient(0).Zero();
        Broadcasting.WhereGradient(dz, mask, true, context.InputArray(1).CopyShapeTo(x), context.InputGradient(1), scratch, context.Compute);
        Broadcasting.WhereGradient(dz, mask, false, context.InputArray(2).CopyShapeTo(y), context.InputGradient(2), scratch, context.Compute);
    }
}
