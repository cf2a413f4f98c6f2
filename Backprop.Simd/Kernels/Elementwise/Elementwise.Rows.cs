using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

public static partial class Elementwise
{
    /// <summary>rows[i, j] += bias[j].</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="rows">A row-major matrix [rows, columns].</param>
    /// <param name="bias">One value per column.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException"><paramref name="rows"/> is not row-major, <paramref name="bias"/> has another length
    /// than a row, or the two overlap.</exception>
    public static void AddRow<T>(Matrix<T> rows, ReadOnlySpan<T> bias, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        SpanGuard.SameLength(rows.Columns, bias.Length);
        RowMajor.Check<T>(rows, nameof(rows));
        var used = rows.Span[..RowMajor.Used<T>(rows)];
        SpanGuard.Disjoint(bias, used, nameof(rows));
        if (used.IsEmpty)
            return;
        var body = new SimdRange<T, AddRowBody<T>>(new(used, rows.RowStride, bias), SimdWidth.Widest);
        if (context is null)
            body.Execute(0, rows.Rows);
        else
            context.For(rows.Rows, RowMajor.Granularity(rows.Columns), ArithmeticCost * rows.Rows * rows.Columns, in body);
    }

    private readonly unsafe ref struct AddRowBody<T>(Span<T> values, int stride, ReadOnlySpan<T> bias) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly Span<T> _values = values;
        private readonly ReadOnlySpan<T> _bias = bias;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* values = _values, bias = _bias)
            {
                for (var row = start; row < limit; row++)
                {
                    var x = values + (nint)row * stride;
                    MapLoops.Binary<TVector, T, AddOperator<T>>(default(AddOperator<T>), x, bias, x, _bias.Length);
                }
            }
        }
    }
}
