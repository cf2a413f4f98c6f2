using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>General matrix multiplication on views: every combination of transposes is a combination of views.</summary>
/// <remarks>
/// <para>Overwriting forms never read the destination. A product over k = 0 terms is zero. No size is skipped for its values:
/// 0 times NaN is NaN.</para>
/// <para>The destination shares no element with an input. The two may lie between each other: columns beside columns of one
/// matrix. Cells between the rows of the destination are never stored to, so that another thread may write them meanwhile.</para>
/// <para>Each element is summed over k in blocks that depend on the shape alone, first to last: the same bits for any number
/// of threads. alpha scales the sum of each block.</para>
/// </remarks>
public static partial class Gemm
{
    /// <summary>C = A B.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="a">A, [m, k].</param>
    /// <param name="b">B, [k, n].</param>
    /// <param name="c">C, [m, n]; never read.</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or C shares an element with A or B.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void Multiply<T>(ReadOnlyMatrix<T> a, ReadOnlyMatrix<T> b, Matrix<T> c, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        GemmDispatch.Run(a, b, default, c, new(GemmForm.Overwrite), context);

    /// <summary>C = C + A B.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="a">A, [m, k].</param>
    /// <param name="b">B, [k, n].</param>
    /// <param name="c">C, [m, n].</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or C shares an element with A or B.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void MultiplyAdd<T>(ReadOnlyMatrix<T> a, ReadOnlyMatrix<T> b, Matrix<T> c, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        GemmDispatch.Run(a, b, default, c, new(GemmForm.Accumulate), context);

    /// <summary>C = alpha A B + beta C.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="alpha">The factor of the product; if 0, A and B are not read.</param>
    /// <param name="a">A, [m, k].</param>
    /// <param name="b">B, [k, n].</param>
    /// <param name="beta">The factor of C; if 0, C is not read.</param>
    /// <param name="c">C, [m, n].</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or C shares an element with A or B.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void Multiply<T>(T alpha, ReadOnlyMatrix<T> a, ReadOnlyMatrix<T> b, T beta, Matrix<T> c, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var form = alpha == T.One
            ? T.IsZero(beta) ? GemmForm.Overwrite : beta == T.One ? GemmForm.Accumulate : GemmForm.ScaledAccumulate
            : T.IsZero(beta) ? GemmForm.ScaledOverwrite : GemmForm.ScaledAccumulate;
        GemmDispatch.Run(a, b, default, c, new(form, alpha, beta), context);
    }

    /// <summary>C = A B + 1 r: the product with one row added to each of its rows, as in y = x W + b.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="a">A, [m, k].</param>
    /// <param name="b">B, [k, n].</param>
    /// <param name="row">r, of length n.</param>
    /// <param name="c">C, [m, n]; never read.</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, or C shares an element with an input.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void MultiplyAddRow<T>(ReadOnlyMatrix<T> a, ReadOnlyMatrix<T> b, ReadOnlySpan<T> row, Matrix<T> c, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.SameLength(c.Columns, row.Length);
        if (c.Columns > 1 && c.ColumnStride != 1)
            throw new ArgumentException($"A destination with a row added must be row-major; its column stride is {c.ColumnStride}.", nameof(c));
        GemmDispatch.Run(a, b, row, c, new(GemmForm.AddRow), context);
    }
}
