using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

public static partial class Reductions
{
    /// <summary>sums[j] = sum over i of rows[i, j], or sums[j] += it.</summary>
    /// <remarks>Rows are summed in blocks of 128, one after the other; the blocks' sums meet pairwise, so that the error grows with
    /// the logarithm of the rows. Threads share the columns. A longer <paramref name="sums"/> keeps its tail.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="rows">A row-major matrix [rows, columns].</param>
    /// <param name="sums">One value per column.</param>
    /// <param name="context">The threads to use, or null for the caller alone; the bits are the same.</param>
    /// <exception cref="ArgumentException"><paramref name="rows"/> is not row-major, or <paramref name="sums"/> is shorter than a
    /// row or overlaps the rows.</exception>
    public static void ColumnSums<T>(ReadOnlyMatrix<T> rows, Destination<T> sums, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!sums.IsWanted)
            return;
        SpanGuard.Supported<T>();
        RowMajor.Check(rows, nameof(rows));
        SpanGuard.AtLeast(rows.Columns, sums.Span.Length);
        var result = sums.Span[..rows.Columns];
        var used = rows.Span[..RowMajor.Used(rows)];
        SpanGuard.Disjoint(used, result, nameof(sums));
        if (!sums.Adds)
            result.Clear();
        if (used.IsEmpty)
            return;
        var body = new SimdRange<T, ColumnSumsBody<T>>(new(used, rows.Rows, rows.RowStride, result), SimdWidth.Widest);
        if (context is null)
            body.Execute(0, rows.Columns);
        else
            context.For(rows.Columns, 4 * Vector<T>.Count, 0.1 * rows.Rows * rows.Columns, in body);
    }

    private readonly unsafe ref struct ColumnSumsBody<T>(ReadOnlySpan<T> values, int rows, int stride, Span<T> sums) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _values = values;
        private readonly Span<T> _sums = sums;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* values = _values, sums = _sums)
                ColumnLoops.Add<TVector, T>(values + start, rows, stride, limit - start, values + _values.Length, sums + start);
        }
    }
}
