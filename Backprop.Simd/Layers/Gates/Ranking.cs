using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Layers.Gates;

/// <summary>What <see cref="TopK"/> and <see cref="Sort"/> have in common.</summary>
internal static class Ranking
{
    /// <summary>The longest dimension: its indices are exact in float.</summary>
    private const int Longest = 1 << 24;

    public static void Declare(LayerDeclaration declaration, int axis, int? count)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        AxisParts.Check(declaration.Kind, type, axis);
        Span<int> sizes = stackalloc int[Shape.MaxRank];
        sizes = type.Shape.CopyTo(sizes);
        ref var size = ref sizes[axis < 0 ? axis + sizes.Length : axis];
        if (count > size || size > Longest)
        {
            throw new ArgumentException(
                $"{declaration.Kind} of {count ?? size} along dimension {axis} needs an input with {count ?? 1} to {Longest} elements there; it is {type}.",
                "inputs");
        }

        declaration.UseThreadScratch(AxisScans.ThreadBytes(size));
        declaration.UseOperations(type.Shape.Size);
        size = count ?? size;
        declaration.AddOutput(new EdgeType(type.Kind, new Shape(sizes)));
        declaration.AddOutput(new EdgeType(type.Kind, new Shape(sizes)));
        declaration.Traits = LayerTraits.ReadsOutput;
    }

    public static void Forward<T>(in ForwardContext<T> context, int axis, int? count, bool largest) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var parts = AxisParts.Of(context.InputType(0).Shape, axis);
        AxisScans.TopK(parts.Array(context.Input(0)), 2, count ?? parts.Length, largest, context.Output(), context.Output(1), context.Compute);
    }

    public static void Backward<T>(in BackwardContext<T> context, int axis) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var type = context.InputType(0);
        var parts = AxisParts.Of(type.Shape, axis);
        AxisScans.TopKGradient(context.OutputGradient(), context.Output(1),
            [type.Kind == EdgeKind.Shared ? 1 : context.Rows, parts.Outer, parts.Length, parts.Inner], 2, context.InputGradient(0), context.Compute);
    }
}
