using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Softmax over the beginning of each row, zeros behind it: attention's scores under causal masks and lengths. The beginning of
/// row i is its first min(columns, first + i) elements.
/// </summary>
internal static unsafe class PrefixSoftmax
{
    /// <summary>Each row's beginning becomes its softmax, in place. A row whose beginning has no elements becomes zeros; if scores are
    /// masked, so does a row whose beginning is all -infinity.</summary>
    public static void Forward<T>(Matrix<T> scores, int first, bool masked = false) where T : unmanaged, IFloatingPointIeee754<T>
    {
        fixed (T* x = scores.Span)
        {
            RegisterWidth.Run<T, ForwardBody<T>>(
                new(x, scores.Rows, scores.Columns, scores.RowStride, first, masked), RegisterWidth.OfColumns<T>(scores.Columns));
        }
    }

    /// <summary>d = p (d - sum of p d) scale over each row's beginning, zeros behind it, in place.</summary>
    public static void Backward<T>(ReadOnlyMatrix<T> probabilities, Matrix<T> gradients, int first, T scale)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        RegisterWidth.Run<T, BackwardBody<T>>(new(probabilities, gradients, first, scale), RegisterWidth.OfColumns<T>(gradients.Columns));

    private readonly struct ForwardBody<T>(T* scores, int rows, int columns, nint stride, int first, bool masked) : ISimdBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Execute<TVector>() where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var x = scores;
            for (var row = 0; row < rows; row++, x += stride)
            {
                var n = (int)Math.Min(columns, first + (long)row);
                if (n >= TVector.Count)
                    Softmax<TVector, T>(x, n, masked);
                else if (n > 0)
                    Short<TVector, T>(x, n, masked);
                new Span<T>(x + n, columns - n).Clear();
            }
        }
    }

    private readonly ref struct BackwardBody<T>(ReadOnlyMatrix<T> probabilities, Matrix<T> gradients, int first, T scale) : ISimdBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlyMatrix<T> _probabilities = probabilities;
        private readonly Matrix<T> _gradients = gradients;

        public void Execute<TVector>() where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* p = _probabilities.Span, d = _gradients.Span)
            {
                for (nint row = 0; row < _gradients.Rows; row++)
                {
                    var n = (nint)Math.Min(_gradients.Columns, first + (long)row);
                    var at = d + row * _gradients.RowStride;
                    Backward<TVector, T>(p + row * _probabilities.RowStride, at, n, scale);
                    new Span<T>(at + n, _gradients.Columns - (int)n).Clear();
                }
            }
        }
    }

    private static void Softmax<TVector, T>(T* x, nint n, bool masked)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var largest = ReductionLoops.Max<TVector, T, ReductionLoops.Identity<T>>(default, x, n);
        if (masked && T.IsNegativeInfinity(largest))
        {
            new Span<T>(x, (int)n).Clear();
            return;
        }

        var sum = SoftmaxRows.Exponentials<TVector, T>(x, x, n, largest);
        SoftmaxRows.Scale<TVector, T>(x, n, T.CreateTruncating(sum), divides: true);
    }

    /// <summary>Less than a register: the lanes behind are -infinity, whose exponential is 0.</summary>
    private static void Short<TVector, T>(T* x, nint n, bool masked)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var padded = TVector.Create(T.NegativeInfinity);
        Unsafe.CopyBlockUnaligned(&padded, x, (uint)(n * sizeof(T)));
        Softmax<TVector, T>((T*)&padded, TVector.Count, masked);
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
    internal readonly struct GradientOperator<T>(T sum, T scale) : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector p, TVector d) where TVector : unmanaged, ISimdVector<TVector, T> =>
            (d - TVector.Create(sum)) * p * TVector.Create(scale);
    }
}
