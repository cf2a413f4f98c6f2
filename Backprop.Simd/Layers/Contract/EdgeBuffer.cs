using System.Numerics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>Where the values and the gradient of one edge lie in a workspace.</summary>
internal sealed class EdgeBuffer<T>(EdgeType type)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public readonly EdgeType Type = type;

    /// <summary>The block that holds the values, and where in it. A bound input holds the caller's memory instead.</summary>
    public AlignedBuffer<T>? Block;

    public int Offset;

    public ReadOnlyMemory<T> Bound;

    public bool IsBound;

    /// <summary>Set if the values lie in the memory of another edge, from this element of each of its rows on.</summary>
    public EdgeBuffer<T>? Source;

    public int SourceStart;

    /// <summary>Set if the rows are the steps of the rows of another edge, so many of each.</summary>
    public EdgeBuffer<T>? Whole;

    public int Steps;

    public AlignedBuffer<int>? IndexBlock;

    public ReadOnlyMemory<int> BoundIndices;

    /// <summary>The copy of the indices that the current pass reads, whatever the caller writes meanwhile; null if no node reads them.</summary>
    public AlignedBuffer<int>? IndexSnapshot;

    public AlignedBuffer<T>? GradientBlock;

    public int GradientOffset;

    /// <summary>True for a parameter of the graph: its gradient lies in the parameter gradient block.</summary>
    public bool IsParameterGradient;

    /// <summary>Rows [first, first + rows); all of a shared edge.</summary>
    public ReadOnlySpan<T> Values(int first, int rows)
    {
        if (Whole is not null)
            return Whole.Values(first / Steps, rows / Steps);
        if (Source is not null)
            return SourceRows(first, rows, RowStride == Type.Shape.Size || rows == 1);
        var (start, length) = Slice(first, rows);
        return IsBound ? Bound.Span.Slice(start, length) : (Block ?? throw Lacks("numbers")).Span.Slice(Offset + start, length);
    }

    /// <summary>The distance from one row of values to the next.</summary>
    public int RowStride => Source is null || Type.Kind == EdgeKind.Shared ? Type.Shape.Size : Source.RowStride;

    /// <summary>The values as a matrix [rows, size], which may have gaps between its rows.</summary>
    public ReadOnlyMatrix<T> Matrix(int first, int rows) =>
        Source is null ? new(Values(first, rows), rows, Type.Shape.Size)
            : new(SourceRows(first, rows, true), rows, Type.Shape.Size, rows == 1 ? Type.Shape.Size : RowStride);

    public Span<T> WritableValues(int first, int rows)
    {
        if (Whole is not null)
            return Whole.WritableValues(first / Steps, rows / Steps);
        var (start, length) = Slice(first, rows);
        return (Block ?? throw Lacks("numbers")).Span.Slice(Offset + start, length);
    }

    /// <summary>The indices as forward found them, checked by the nodes that read them.</summary>
    public ReadOnlySpan<int> Indices(int first, int rows)
    {
        if (Whole is not null)
            return Whole.Indices(first / Steps, rows / Steps);
        var (start, length) = Slice(first, rows);
        return (IndexSnapshot ?? throw Lacks("integers")).Span.Slice(start, length);
    }

    /// <summary>Copies the indices that forward and backward read.</summary>
    public void TakeIndices(int rows)
    {
        if (IndexSnapshot is not { } snapshot)
            return;
        var (start, length) = Slice(0, rows);
        (IsBound ? BoundIndices.Span : IndexBlock!.Span).Slice(start, length).CopyTo(snapshot.Span);
    }

    public Span<T> Gradient(int first, int rows)
    {
        if (Whole is not null)
            return Whole.Gradient(first / Steps, rows / Steps);
        var (start, length) = Slice(first, rows);
        return (GradientBlock ?? throw Lacks("gradient")).Span.Slice(GradientOffset + start, length);
    }

    private ReadOnlySpan<T> SourceRows(int first, int rows, bool allowed)
    {
        if (!allowed)
            throw new InvalidOperationException("These rows have gaps between them: read them as a matrix.");
        var size = Type.Shape.Size;
        if (Type.Kind == EdgeKind.Shared)
            return Source!.Values(first, rows).Slice(SourceStart, size);
        return Source!.Values(first, rows).Slice(SourceStart, (rows - 1) * RowStride + size);
    }

    private InvalidOperationException Lacks(string what) => new($"This edge, {Type}, holds no {what} here.");

    private (int Start, int Length) Slice(int first, int rows)
    {
        var size = Type.Shape.Size;
        return Type.Kind == EdgeKind.Shared ? (0, size) : (first * size, rows * size);
    }
}
