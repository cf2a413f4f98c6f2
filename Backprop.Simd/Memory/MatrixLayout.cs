using System.Diagnostics.CodeAnalysis;

namespace Backprop.Simd.Memory;

/// <summary>The rules that every matrix view obeys, checked once at construction.</summary>
internal static class MatrixLayout
{
    /// <summary>
    /// Throws unless the sizes and strides describe a matrix inside a span of this length. No element depends on the
    /// stride of a single row or column: it becomes 1 if the other stride is not 1, so that a view and its transpose always have a
    /// stride of 1. If it is 0, it becomes the length of the row or column, so that kernels may divide by it.
    /// </summary>
    public static void Validate(int length, int rows, int columns, ref int rowStride, ref int columnStride)
    {
        if ((rows | columns | rowStride | columnStride) < 0)
            ThrowNegative(rows, columns, rowStride, columnStride);
        if (rowStride != 1 && columnStride != 1)
        {
            if (columns <= 1)
                columnStride = 1;
            else if (rows <= 1)
                rowStride = 1;
        }

        if (rowStride == 0 && (rows <= 1 || columns == 0))
            rowStride = Math.Max(columns, 1);
        if (columnStride == 0 && (columns <= 1 || rows == 0))
            columnStride = Math.Max(rows, 1);
        if (rows == 0 || columns == 0)
            return;
        if (columnStride == 1 ? rows > 1 && rowStride < columns : columns > 1 && columnStride < rows || rows > 1 && rowStride < 1 || rowStride != 1)
            ThrowStrides(rows, columns, rowStride, columnStride);
        var needed = Needed(rows, columns, rowStride, columnStride);
        if (needed > length)
            ThrowShort(length, needed, rows, columns, rowStride, columnStride);
    }

    /// <summary>The distance from element (0, 0) to one past the last element.</summary>
    public static long Needed(int rows, int columns, int rowStride, int columnStride) =>
        rows == 0 || columns == 0 ? 0 : (rows - 1) * (long)rowStride + (columns - 1) * (long)columnStride + 1;

    public static int Offset(int row, int column, int rows, int columns, int rowStride, int columnStride)
    {
        if ((uint)row >= (uint)rows)
            throw new ArgumentOutOfRangeException(nameof(row), row, $"The matrix is [{rows}, {columns}].");
        if ((uint)column >= (uint)columns)
            throw new ArgumentOutOfRangeException(nameof(column), column, $"The matrix is [{rows}, {columns}].");
        return row * rowStride + column * columnStride;
    }

    public static void CheckSlice(int start, int count, int available, string parameter)
    {
        if (start < 0 || count < 0 || start > available - count)
            throw new ArgumentOutOfRangeException(parameter, $"Cannot take {count} from {start} on: there are {available}.");
    }

    /// <summary>Where a slice starts. An empty slice starts at the front, so that it never points past the span.</summary>
    public static int SliceStart(int start, int count, int stride, int across) => count == 0 || across == 0 ? 0 : start * stride;

    public static (int Rows, int Columns, int RowStride, int ColumnStride, int Length) OfTensor(
        int rank, ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides)
    {
        if (rank != 2)
            throw new ArgumentException($"A matrix view needs a tensor of rank 2; this one has rank {rank}.", "tensor");
        foreach (var size in (ReadOnlySpan<nint>)[lengths[0], lengths[1], strides[0], strides[1]])
        {
            if (size > int.MaxValue)
                throw new ArgumentException($"A matrix view holds sizes and strides up to 2^31 - 1; this tensor has {size}.", "tensor");
        }

        // A dimension of length 1 has stride 0 in a tensor; any stride addresses the same elements.
        int rows = (int)lengths[0], columns = (int)lengths[1], rowStride = (int)strides[0], columnStride = (int)strides[1];
        if (columns <= 1)
            columnStride = 1;
        if (rows <= 1 && columnStride == 1)
            rowStride = columns;
        else if (rows <= 1)
            rowStride = 1;
        var length = Needed(rows, columns, rowStride, columnStride);
        if (length > int.MaxValue)
            throw new ArgumentException($"A matrix view spans at most 2^31 - 1 elements; this tensor spans {length}.", "tensor");
        return (rows, columns, rowStride, columnStride, (int)length);
    }

    [DoesNotReturn]
    private static void ThrowNegative(int rows, int columns, int rowStride, int columnStride)
    {
        var (name, value) = rows < 0 ? (nameof(rows), rows)
            : columns < 0 ? (nameof(columns), columns)
            : rowStride < 0 ? (nameof(rowStride), rowStride)
            : (nameof(columnStride), columnStride);
        throw new ArgumentOutOfRangeException(name, value, "A matrix has sizes and strides of zero or more.");
    }

    [DoesNotReturn]
    private static void ThrowStrides(int rows, int columns, int rowStride, int columnStride)
    {
        if (rowStride != 1 && columnStride != 1)
            throw new ArgumentException($"One stride of a matrix must be 1; row stride is {rowStride}, column stride {columnStride}.", nameof(columnStride));
        if (columnStride == 1)
            throw new ArgumentException($"The row stride must be at least the {columns} columns; it is {rowStride}.", nameof(rowStride));
        throw new ArgumentException($"The column stride must be at least the {rows} rows; it is {columnStride}.", nameof(columnStride));
    }

    [DoesNotReturn]
    private static void ThrowShort(int length, long needed, int rows, int columns, int rowStride, int columnStride) =>
        throw new ArgumentException(
            $"A [{rows}, {columns}] matrix with strides {rowStride} and {columnStride} needs {needed} elements; the span has {length}.", "span");
}
