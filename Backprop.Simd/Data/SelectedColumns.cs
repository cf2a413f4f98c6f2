using System.Numerics;

namespace Backprop.Simd.Data;

/// <summary>Chosen rows of a column.</summary>
internal sealed class SelectedValues<T>(ValueColumn<T> column, int[] chosen) : ValueColumn<T>(column.Name, column.Type.Shape, chosen.Length)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    protected override void ReadRows(ReadOnlySpan<int> rows, Span<T> destination)
    {
        Span<int> mapped = stackalloc int[ChosenRows.Chunk];
        for (var start = 0; start < rows.Length; start += mapped.Length)
            column.Read(ChosenRows.Map(chosen, rows[start..], mapped), destination[(start * Type.Shape.Size)..]);
    }
}

/// <summary>Chosen rows of a column.</summary>
internal sealed class SelectedIndices(IndexColumn column, int[] chosen) : IndexColumn(column.Name, column.Type.Shape, chosen.Length)
{
    protected override void ReadRows(ReadOnlySpan<int> rows, Span<int> destination)
    {
        Span<int> mapped = stackalloc int[ChosenRows.Chunk];
        for (var start = 0; start < rows.Length; start += mapped.Length)
            column.Read(ChosenRows.Map(chosen, rows[start..], mapped), destination[(start * Type.Shape.Size)..]);
    }
}

internal static class ChosenRows
{
    public const int Chunk = 256;

    /// <summary>Maps rows to rows of the source, as many as fit.</summary>
    public static ReadOnlySpan<int> Map(int[] chosen, ReadOnlySpan<int> rows, Span<int> mapped)
    {
        var count = Math.Min(rows.Length, mapped.Length);
        for (var i = 0; i < count; i++)
            mapped[i] = chosen[rows[i]];
        return mapped[..count];
    }
}
