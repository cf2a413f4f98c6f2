using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

public static partial class Reductions
{
    /// <summary>sums[j] = sum over i of rows[i, j], or sums[j] += it.</summary>
    /// <remarks>Rows are summed in blocks of 128, the blocks' sums added in order; threads share the columns. A longer
    /// <paramref name="sums"/> keeps its tail.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="rows">A row-major matrix [rows, columns].</param>
    /// <param name="sums">One value per column.</param>
    /// <param name="accumulate">Add to <paramref name="sums"/> instead of overwriting it.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException"><paramref name="rows"/> is not row-major, or <paramref name="sums"/> is shorter than a
    /// row or overlaps the rows.</exception>
    public static void ColumnSums<T>(ReadOnlyMatrix<T> rows, Span<T> sums, bool accumulate, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        RowMajor.Check(rows, nameof(rows));
        SpanGuard.AtLeast(rows.Columns, sums.Length);
        sums = sums[..rows.Columns];
        var used = rows.Span[..RowMajor.Used(rows)];
        SpanGuard.Disjoint(used, sums, nameof(sums));
        if (rows.Rows == 0 && !accumulate)
            sums.Clear();
        if (used.IsEmpty)
            return;
        var body = new ColumnSumsBody<T>(used, rows.Rows, rows.RowStride, sums, accumulate);
        if (context is null)
            body.Execute(0, rows.Columns);
        else
            context.For(rows.Columns, 4 * Vector<T>.Count, 0.1 * rows.Rows * rows.Columns, in body);
    }

    private readonly unsafe ref struct ColumnSumsBody<T>(ReadOnlySpan<T> values, int rows, int stride, Span<T> sums, bool accumulate) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _values = values;
        private readonly Span<T> _sums = sums;

        public void Execute(int start, int limit)
        {
            nint count = Vector<T>.Count, columns = limit - start;
            fixed (T* values = _values, sums = _sums)
            {
                T* x = values + start, d = sums + start;
                if (columns < count)
                {
                    // Loads may run into the next row, whose lanes are dropped, but not past the last element.
                    var total = ColumnLoops.Narrow(x, rows, stride, columns, values + _values.Length);
                    var old = accumulate ? MapLoops.LoadPadded(d, columns) : Vector<T>.Zero;
                    MapLoops.StorePartial(accumulate ? old + total : total, d, columns);
                    return;
                }

                // The last vector may overlap the one before: its old sums are read first.
                var lastOld = accumulate ? Vector.Load(d + (columns - count)) : Vector<T>.Zero;
                nint j = 0;
                for (; j + 4 * count <= columns; j += 4 * count)
                    ColumnLoops.Four(x + j, rows, stride, d + j, accumulate);
                for (; j + count <= columns; j += count)
                {
                    var total = ColumnLoops.One(x + j, rows, stride);
                    Vector.Store(accumulate ? Vector.Load(d + j) + total : total, d + j);
                }

                if (j < columns)
                {
                    var total = ColumnLoops.One(x + (columns - count), rows, stride);
                    Vector.Store(accumulate ? lastOld + total : total, d + (columns - count));
                }
            }
        }
    }
}
