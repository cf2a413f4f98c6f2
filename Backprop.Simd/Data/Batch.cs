using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Data;

/// <summary>Some examples of a set, column by column, in buffers that are reused.</summary>
/// <remarks>Buffers start on 64-byte boundaries, and workspaces read them in place. Only one thread at a time may use a batch.</remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Batch<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly DataColumn[] _columns;
    private readonly AlignedBuffer<T>?[] _values;
    private readonly AlignedBuffer<int>?[] _indices;
    private readonly int[] _sourceRows;

    internal Batch(DataColumn[] columns, int capacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        SpanGuard.ArrayLength(capacity);
        _columns = columns;
        _values = new AlignedBuffer<T>?[columns.Length];
        _indices = new AlignedBuffer<int>?[columns.Length];
        _sourceRows = new int[capacity];
        for (var i = 0; i < columns.Length; i++)
        {
            var size = columns[i].Type.Shape.Size;
            if ((long)size * capacity > Array.MaxLength - AlignedBuffer<T>.Alignment)
                throw new ArgumentOutOfRangeException(nameof(capacity), capacity,
                    $"{capacity} rows of '{columns[i].Name}' {columns[i].Type.Shape} do not fit one array.");
            if (columns[i].Type.Kind == EdgeKind.Indices)
                _indices[i] = new AlignedBuffer<int>(size * capacity);
            else
                _values[i] = new AlignedBuffer<T>(size * capacity);
        }
    }

    /// <summary>The largest number of rows.</summary>
    public int Capacity => _sourceRows.Length;

    /// <summary>The number of rows; 0 before the first read.</summary>
    public int Rows { get; private set; }

    /// <summary>The columns.</summary>
    public ReadOnlySpan<DataColumn> Columns => _columns;

    /// <summary>The numbers of these rows in the set.</summary>
    public ReadOnlySpan<int> SourceRows => _sourceRows.AsSpan(0, Rows);

    /// <summary>The position of this batch in the sequence of its loader.</summary>
    public DataCursor Cursor { get; internal set; }

    /// <summary>The numbers of a column: rows x size, row-major.</summary>
    /// <param name="column">The column, from 0.</param>
    /// <returns>The numbers. Transforms may change them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column.</exception>
    /// <exception cref="ArgumentException">The column holds indices.</exception>
    public Span<T> Values(int column)
    {
        CheckColumn(column);
        return _values[column] is { } block
            ? block.Span[..(Rows * _columns[column].Type.Shape.Size)]
            : throw new ArgumentException($"Column '{_columns[column].Name}' holds indices.", nameof(column));
    }

    /// <summary>The integers of a column: rows x size, row-major.</summary>
    /// <param name="column">The column, from 0.</param>
    /// <returns>The integers. Transforms may change them.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such column.</exception>
    /// <exception cref="ArgumentException">The column holds numbers.</exception>
    public Span<int> Indices(int column)
    {
        CheckColumn(column);
        return _indices[column] is { } block
            ? block.Span[..(Rows * _columns[column].Type.Shape.Size)]
            : throw new ArgumentException($"Column '{_columns[column].Name}' holds numbers.", nameof(column));
    }

    /// <summary>The whole buffer of a column of numbers; it never moves.</summary>
    internal ReadOnlyMemory<T> ValueMemory(int column) => _values[column]!.Memory;

    /// <summary>The whole buffer of a column of indices; it never moves.</summary>
    internal ReadOnlyMemory<int> IndexMemory(int column) => _indices[column]!.Memory;

    /// <summary>Stores the numbers of the rows to be read.</summary>
    internal void Begin(DataColumn[] columns, ReadOnlySpan<int> rows)
    {
        if (rows.Length > Capacity)
            throw new ArgumentOutOfRangeException(nameof(rows), rows.Length, $"The batch holds at most {Capacity} rows.");
        if (!ReferenceEquals(columns, _columns))
            CheckColumns(columns);
        rows.CopyTo(_sourceRows);
        Rows = rows.Length;
    }

    private void CheckColumns(DataColumn[] columns)
    {
        var same = columns.Length == _columns.Length;
        for (var i = 0; same && i < columns.Length; i++)
            same = columns[i].Name == _columns[i].Name && columns[i].Type == _columns[i].Type;
        if (!same)
            throw new ArgumentException("The batch was made for other columns.", nameof(columns));
    }

    private void CheckColumn(int column)
    {
        if ((uint)column >= (uint)_columns.Length)
            throw new ArgumentOutOfRangeException(nameof(column), column, $"There are {_columns.Length} columns.");
    }
}
