using System.Numerics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Data;

/// <summary>Examples, column by column: row i of all columns is one example. A set is immutable, and many threads may read it.</summary>
/// <typeparam name="T">float or double: the element type of the network.</typeparam>
public sealed class Dataset<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Nanoseconds per element on one thread, to choose the number of threads. A row is seldom in a cache.</summary>
    private const double ReadCost = 0.2;

    private readonly DataColumn[] _columns;

    /// <summary>Makes a set.</summary>
    /// <param name="columns">One or more columns, each a <see cref="ValueColumn{T}"/> of <typeparamref name="T"/> or an <see cref="IndexColumn"/>.</param>
    /// <exception cref="ArgumentException">There is no column, two have the same name, their counts differ, or one has another element type.</exception>
    public Dataset(params ReadOnlySpan<DataColumn> columns)
    {
        if (columns.IsEmpty)
            throw new ArgumentException("A set needs at least one column.", nameof(columns));
        for (var i = 0; i < columns.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(columns[i], nameof(columns));
            if (columns[i] is not (ValueColumn<T> or IndexColumn))
                throw new ArgumentException($"Column '{columns[i].Name}' does not have the element type {typeof(T).Name}.", nameof(columns));
            if (columns[i].Count != columns[0].Count)
            {
                throw new ArgumentException($"All columns must have the same number of rows; '{columns[0].Name}' has {columns[0].Count}, "
                    + $"'{columns[i].Name}' has {columns[i].Count}.", nameof(columns));
            }

            for (var j = 0; j < i; j++)
            {
                if (columns[i].Name == columns[j].Name)
                    throw new ArgumentException($"Two columns are named '{columns[i].Name}'.", nameof(columns));
            }
        }

        _columns = columns.ToArray();
    }

    /// <summary>The columns.</summary>
    public ReadOnlySpan<DataColumn> Columns => _columns;

    /// <summary>The number of examples.</summary>
    public int Count => _columns[0].Count;

    /// <summary>Finds a column.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">There is no column of this name.</exception>
    public DataColumn this[string name] => _columns[IndexOf(name)];

    /// <summary>Makes a batch for rows of this set.</summary>
    /// <param name="capacity">The largest number of rows, 1 or more.</param>
    /// <returns>The empty batch.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is below 1, or so large that a column does not fit one array.</exception>
    public Batch<T> CreateBatch(int capacity) => new(_columns, capacity);

    /// <summary>Copies chosen examples into a batch and replaces its content. Allocates nothing.</summary>
    /// <param name="rows">The examples, in this order: 1 to the batch's capacity.</param>
    /// <param name="batch">A batch made by a set with columns of the same names and types.</param>
    /// <exception cref="ArgumentOutOfRangeException">A row does not exist, or there are more rows than the batch holds.</exception>
    /// <exception cref="ArgumentException">The batch has other columns.</exception>
    public void Read(ReadOnlySpan<int> rows, Batch<T> batch)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Read(rows, batch, ComputeContext.SingleThreaded);
    }

    /// <summary>A view of chosen examples: row i of the view is row <c>rows[i]</c> of this set. The examples are not copied.</summary>
    /// <param name="rows">The rows. The list is copied; a row may occur more than once.</param>
    /// <returns>The view.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A row does not exist.</exception>
    public Dataset<T> Select(params ReadOnlySpan<int> rows)
    {
        foreach (var row in rows)
        {
            if ((uint)row >= (uint)Count)
                throw new ArgumentOutOfRangeException(nameof(rows), row, $"The set has the rows 0 to {Count - 1}.");
        }

        var chosen = rows.ToArray();
        var columns = new DataColumn[_columns.Length];
        for (var i = 0; i < columns.Length; i++)
            columns[i] = _columns[i] is ValueColumn<T> values ? new SelectedValues<T>(values, chosen) : new SelectedIndices((IndexColumn)_columns[i], chosen);
        return new Dataset<T>(columns);
    }

    /// <summary>Announces that valid rows will be read soon.</summary>
    internal void Announce(ReadOnlySpan<int> rows)
    {
        foreach (var column in _columns)
            column.Announce(rows);
    }

    /// <summary>Reads rows into a batch, on several threads if that is faster.</summary>
    internal void Read(ReadOnlySpan<int> rows, Batch<T> batch, ComputeContext compute)
    {
        batch.Begin(_columns, rows);
        long size = 0;
        foreach (var column in _columns)
            size += column.Type.Shape.Size;
        compute.For(rows.Length, 1, ReadCost * size * rows.Length, new RowsBody(this, rows, batch));
    }

    private readonly ref struct RowsBody(Dataset<T> set, ReadOnlySpan<int> rows, Batch<T> batch) : IRangeBody
    {
        private readonly ReadOnlySpan<int> _rows = rows;

        public void Execute(int start, int limit)
        {
            for (var i = 0; i < set._columns.Length; i++)
            {
                var first = start * set._columns[i].Type.Shape.Size;
                if (set._columns[i] is ValueColumn<T> values)
                    values.Read(_rows[start..limit], batch.Values(i)[first..]);
                else
                    ((IndexColumn)set._columns[i]).Read(_rows[start..limit], batch.Indices(i)[first..]);
            }
        }
    }

    internal int IndexOf(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        for (var i = 0; i < _columns.Length; i++)
        {
            if (_columns[i].Name == name)
                return i;
        }

        throw new ArgumentException($"There is no column '{name}'; there are: {string.Join(", ", _columns.Select(c => c.Name))}.", nameof(name));
    }
}
