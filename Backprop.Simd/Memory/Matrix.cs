using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Memory;

/// <summary>A writable view of a matrix inside a span. See <see cref="ReadOnlyMatrix{T}"/> for the rules.</summary>
/// <typeparam name="T">The element type.</typeparam>
public readonly ref struct Matrix<T> where T : unmanaged
{
    /// <summary>Views a dense row-major matrix.</summary>
    /// <param name="span">At least <paramref name="rows"/> x <paramref name="columns"/> elements.</param>
    /// <param name="rows">The number of rows, zero or more.</param>
    /// <param name="columns">The number of columns, zero or more.</param>
    /// <exception cref="ArgumentException">A size is negative or the span is too short.</exception>
    public Matrix(Span<T> span, int rows, int columns) : this(span, rows, columns, columns, 1) { }

    /// <summary>Views a row-major matrix whose rows lie <paramref name="rowStride"/> elements apart.</summary>
    /// <param name="span">The elements; the last row needs no padding behind it.</param>
    /// <param name="rows">The number of rows, zero or more.</param>
    /// <param name="columns">The number of columns, zero or more.</param>
    /// <param name="rowStride">The leading dimension, at least <paramref name="columns"/>.</param>
    /// <exception cref="ArgumentException">A size or stride is negative, the stride is shorter than a row, or the span is
    /// too short.</exception>
    public Matrix(Span<T> span, int rows, int columns, int rowStride) : this(span, rows, columns, rowStride, 1) { }

    /// <summary>Views a matrix with both strides given; one of them is 1.</summary>
    /// <param name="span">The elements.</param>
    /// <param name="rows">The number of rows, zero or more.</param>
    /// <param name="columns">The number of columns, zero or more.</param>
    /// <param name="rowStride">Elements from one row to the next.</param>
    /// <param name="columnStride">Elements from one column to the next.</param>
    /// <exception cref="ArgumentException">A size or stride is negative, neither stride is 1, rows or columns would overlap,
    /// or the span is too short.</exception>
    public Matrix(Span<T> span, int rows, int columns, int rowStride, int columnStride)
    {
        MatrixLayout.Validate(span.Length, rows, columns, ref rowStride, ref columnStride);
        Span = span;
        Rows = rows;
        Columns = columns;
        RowStride = rowStride;
        ColumnStride = columnStride;
    }

    private Matrix(int rows, int columns, int rowStride, int columnStride, Span<T> validated)
    {
        Span = validated;
        Rows = rows;
        Columns = columns;
        RowStride = rowStride;
        ColumnStride = columnStride;
    }

    /// <summary>The elements behind the view, from element (0, 0) on.</summary>
    public Span<T> Span { get; }

    /// <summary>The number of rows.</summary>
    public int Rows { get; }

    /// <summary>The number of columns.</summary>
    public int Columns { get; }

    /// <summary>Elements from one row to the next.</summary>
    public int RowStride { get; }

    /// <summary>Elements from one column to the next.</summary>
    public int ColumnStride { get; }

    /// <summary>The transposed view: strides swapped, nothing copied.</summary>
    public Matrix<T> Transposed => new(Columns, Rows, ColumnStride, RowStride, Span);

    /// <summary>Element (row, column).</summary>
    /// <param name="row">The row, from 0.</param>
    /// <param name="column">The column, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The element lies outside the matrix.</exception>
    public ref T this[int row, int column] => ref Span[MatrixLayout.Offset(row, column, Rows, Columns, RowStride, ColumnStride)];

    /// <summary>The view of <paramref name="count"/> rows from row <paramref name="start"/> on.</summary>
    /// <param name="start">The first row.</param>
    /// <param name="count">The number of rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rows lie outside the matrix.</exception>
    public Matrix<T> SliceRows(int start, int count)
    {
        MatrixLayout.CheckSlice(start, count, Rows, nameof(start));
        return new(count, Columns, RowStride, ColumnStride, Span[MatrixLayout.SliceStart(start, count, RowStride, Columns)..]);
    }

    /// <summary>The view of <paramref name="count"/> columns from column <paramref name="start"/> on.</summary>
    /// <param name="start">The first column.</param>
    /// <param name="count">The number of columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">The columns lie outside the matrix.</exception>
    public Matrix<T> SliceColumns(int start, int count)
    {
        MatrixLayout.CheckSlice(start, count, Columns, nameof(start));
        return new(Rows, count, RowStride, ColumnStride, Span[MatrixLayout.SliceStart(start, count, ColumnStride, Rows)..]);
    }

    /// <summary>Views a tensor of rank 2.</summary>
    /// <param name="tensor">The tensor, one of whose strides is 1.</param>
    /// <returns>A view of the same elements.</returns>
    /// <exception cref="ArgumentException">The rank is not 2, a size exceeds 2^31 - 1, or a matrix view cannot have the strides
    /// (as with a broadcast dimension).</exception>
    public static Matrix<T> FromTensor(in TensorSpan<T> tensor)
    {
        var (rows, columns, rowStride, columnStride, length) = MatrixLayout.OfTensor(tensor.Rank, tensor.Lengths, tensor.Strides);
        var span = length == 0 ? [] : MemoryMarshal.CreateSpan(ref tensor.GetPinnableReference(), length);
        return new(span, rows, columns, rowStride, columnStride);
    }

    /// <summary>The same view, read-only.</summary>
    /// <param name="matrix">The view.</param>
    public static implicit operator ReadOnlyMatrix<T>(Matrix<T> matrix) => matrix.AsReadOnly();

    /// <summary>The same view, read-only.</summary>
    /// <returns>A read-only view of the same elements.</returns>
    public ReadOnlyMatrix<T> AsReadOnly() => new(Span, Rows, Columns, RowStride, ColumnStride);

    /// <summary>The shape as messages write it: <c>[rows, columns]</c>.</summary>
    /// <returns>The shape.</returns>
    public override string ToString() => $"[{Rows}, {Columns}]";
}
