using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <content>Products of many matrices.</content>
public static partial class Gemm
{
    /// <summary>C = A B for each matrix of arrays whose leading dimensions are broadcast, as NumPy's <c>matmul</c>; or C += A B.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="a">A, [.., m, k]: the last two dimensions are matrices.</param>
    /// <param name="b">B, [.., k, n].</param>
    /// <param name="c">C, [.., m, n], exactly as many elements; never read where it is overwritten.</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, c has another length, or C shares an element with A or B.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void MultiplyBatch<T>(ShapedSpan<T> a, ShapedSpan<T> b, Destination<T> c, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!c.IsWanted)
            return;
        Span<int> shape = stackalloc int[ShapeSizes.MaxRank];
        GemmBatch.Check(a, false, b, false);
        var rank = Broadcasting.Shape(a.Sizes[..^2], b.Sizes[..^2], shape);
        if (rank > ShapeSizes.MaxRank - 2)
            throw new ArgumentException($"A product has at most {ShapeSizes.MaxRank} dimensions; A is {a.ToString()}, B is {b.ToString()}.", nameof(b));
        (shape[rank], shape[rank + 1]) = (a[a.Rank - 2], b[b.Rank - 1]);
        MultiplyBatch(a, false, b, false, shape[..(rank + 2)], c, context);
    }

    /// <summary>C = A B for each matrix of arrays, either side transposed; where C has fewer matrices than A and B, the sum of their products.</summary>
    /// <remarks>
    /// <para>With these the gradients of C = A B are dA = dC B^T and dB = A^T dC in the shapes of A and B: what was broadcast is summed.</para>
    /// <para>A sum of products is one chain, as along k: the order follows from the shapes alone. Where the rows of A are one matrix, or where
    /// a sum is one product of longer matrices, there is one product.</para>
    /// </remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="a">A, [.., m, k], or [.., k, m] if it is transposed.</param>
    /// <param name="transposeA">Whether the transpose of each matrix of A is meant.</param>
    /// <param name="b">B, [.., k, n], or [.., n, k] if it is transposed.</param>
    /// <param name="transposeB">Whether the transpose of each matrix of B is meant.</param>
    /// <param name="shape">The shape of C, [.., m, n]: leading sizes are those of A and B broadcast, or 1, or not there, where products are
    /// summed.</param>
    /// <param name="c">C, exactly as many elements.</param>
    /// <param name="context">The threads to use; the caller alone if null.</param>
    /// <exception cref="ArgumentException">The shapes do not fit, c has another length, or C shares an element with A or B.</exception>
    /// <exception cref="NotSupportedException"><typeparamref name="T"/> is neither float nor double.</exception>
    public static void MultiplyBatch<T>(ShapedSpan<T> a, bool transposeA, ShapedSpan<T> b, bool transposeB, ReadOnlySpan<int> shape,
        Destination<T> c, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!c.IsWanted)
            return;
        SpanGuard.Supported<T>();
        GemmBatch.Check(a, transposeA, b, transposeB);
        var layout = new GemmBatch(a.Sizes, transposeA, b.Sizes, transposeB, shape);
        SpanGuard.SameLength((int)Math.Min(int.MaxValue, ShapeSizes.Elements(shape)), c.Span.Length, nameof(c));
        SpanGuard.Disjoint<T>(a.Values, c.Span, nameof(c));
        SpanGuard.Disjoint<T>(b.Values, c.Span, nameof(c));
        layout.Run(a.Values, b.Values, c, context);
    }
}
