using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>The sizes of a row before, along and behind a dimension.</summary>
internal readonly record struct AxisParts(int Outer, int Length, int Inner)
{
    /// <summary>Of a dimension that the row has; negative numbers count from the end.</summary>
    public static AxisParts Of(Shape shape, int axis)
    {
        axis += axis < 0 ? shape.Rank : 0;
        int outer = 1, inner = 1;
        for (var d = 0; d < shape.Rank; d++)
        {
            outer *= d < axis ? shape[d] : 1;
            inner *= d > axis ? shape[d] : 1;
        }

        return new(outer, shape[axis], inner);
    }

    /// <summary>Throws unless a row has a dimension.</summary>
    public static void Check(string kind, EdgeType type, int axis)
    {
        if (axis >= type.Shape.Rank || axis < -type.Shape.Rank)
            throw new ArgumentException($"{kind} along dimension {axis} needs an input with this dimension; it is {type}.", "inputs");
    }

    /// <summary>Numbers as [rows, outer, length, inner]; one row if they are shared.</summary>
    public ShapedSpan<T> Array<T>(ReadOnlySpan<T> values) where T : unmanaged =>
        new(values, values.Length / (Outer * Length * Inner), Outer, Length, Inner);
}
