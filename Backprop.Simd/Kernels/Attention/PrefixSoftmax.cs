using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Softmax over the beginning of each row, zeros behind it: what causal masks and lengths leave of attention's scores. Row i of
/// a matrix has its first min(columns, first + i) elements, all of them where <c>first</c> is as large as that.
/// </summary>
internal static unsafe class PrefixSoftmax
{
    /// <summary>Each row's beginning becomes its softmax, in place; none of it is left of a row of 0 elements, which becomes zeros.</summary>
    public static void Forward<T>(Matrix<T> scores, int first) where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* x = scores.Span)
        {
            if (Vector512.IsHardwareAccelerated && scores.Columns >= Vector512<T>.Count)
                Forward<SimdVector512<T>, T>(x, scores.Rows, scores.Columns, scores.RowStride, first);
            else if (Vector256.IsHardwareAccelerated && scores.Columns >= Vector256<T>.Count)
                Forward<SimdVector256<T>, T>(x, scores.Rows, scores.Columns, scores.RowStride, first);
            else
                Forward<SimdVector128<T>, T>(x, scores.Rows, scores.Columns, scores.RowStride, first);
        }
    }

    /// <summary>d = p (d - sum of p d) scale over each row's beginning, zeros behind it, in place.</summary>
    public static void Backward<T>(ReadOnlyMatrix<T> probabilities, Matrix<T> gradients, int first, T scale) where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* p = probabilities.Span, d = gradients.Span)
        {
            for (nint row = 0; row < gradients.Rows; row++)
            {
                var n = (nint)Math.Min(gradients.Columns, first + (long)row);
                T* pr = p + row * probabilities.RowStride, dr = d + row * gradients.RowStride;
                if (Vector512.IsHardwareAccelerated && gradients.Columns >= Vector512<T>.Count)
                    Backward<SimdVector512<T>, T>(pr, dr, n, scale);
                else if (Vector256.IsHardwareAccelerated && gradients.Columns >= Vector256<T>.Count)
                    Backward<SimdVector256<T>, T>(pr, dr, n, scale);
                else
                    Backward<SimdVector128<T>, T>(pr, dr, n, scale);
                new Span<T>(dr + n, gradients.Columns - (int)n).Clear();
            }
        }
    }

    private static void Forward<TVector, T>(T* x, int rows, int columns, nint stride, int first)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var row = 0; row < rows; row++, x += stride)
        {
            var n = (int)Math.Min(columns, first + (long)row);
            if (n >= TVector.Count)
                Softmax<TVector, T>(x, n);
            else if (n > 0)
                Short<TVector, T>(x, n);
            new Span<T>(x + n, columns - n).Clear();
        }
    }

    private static void Softmax<TVector, T>(T* x, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var largest = ReductionLoops.Max<TVector, T, ReductionLoops.Identity<T>>(default, x, n);
        var sum = SoftmaxRows.Exponentials<TVector, T>(x, x, n, largest);
        SoftmaxRows.Scale<TVector, T>(x, n, T.CreateTruncating(sum), divides: true);
    }

    /// <summary>Less than a register: the lanes behind are -infinity, whose exponential is 0.</summary>
    private static void Short<TVector, T>(T* x, nint n)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var padded = TVector.Create(T.NegativeInfinity);
        Unsafe.CopyBlockUnaligned(&padded, x, (uint)(n * sizeof(T)));
        Softmax<TVector, T>((T*)&padded, TVector.Count);
        MapLoops.StorePartial<TVector, T>(padded, x, n);
    }

    private static void Backward<TVector, T>(T* p, T* d, nint n, T scale)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (n == 0)
            return;
        var sum = ReductionLoops.Pairwise<TVector, T, ReductionLoops.DotTerm<T>>(default, p, d, n);
        MapLoops.Binary<TVector, T, GradientOperator<T>>(new(T.CreateTruncating(sum), scale), p, d, d, n);
    }

    /// <summary>p (d - sum) scale.</summary>
    private readonly struct GradientOperator<T>(T sum, T scale) : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector p, TVector d) where TVector : unmanaged, ISimdVector<TVector, T> =>
            (d - TVector.Create(sum)) * p * TVector.Create(scale);
    }
}
