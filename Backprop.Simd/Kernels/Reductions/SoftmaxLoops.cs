using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Softmax of one row.</summary>
internal static unsafe class SoftmaxLoops
{
    /// <summary>Vectors of exponentials summed in T before they join the sum in double: bounds the rounding of long rows.</summary>
    private const int Block = 64;

    /// <summary>Writes the probabilities of a row; returns the sum of exp(x - largest).</summary>
    public static double Row<T>(T* x, T* p, nint n, out T largest) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (n >= Vector<T>.Count)
            return Full(x, p, n, out largest);

        // A short row is a row of one vector, filled up with what adds nothing.
        var padded = Vector.Create(T.NegativeInfinity);
        Unsafe.CopyBlockUnaligned(&padded, x, (uint)(n * sizeof(T)));
        var sum = Full((T*)&padded, (T*)&padded, Vector<T>.Count, out largest);
        MapLoops.StorePartial(padded, p, n);
        return sum;
    }

    private static double Full<T>(T* x, T* p, nint n, out T largest) where T : unmanaged, IFloatingPointIeee754<T>
    {
        largest = ReductionLoops.Max(default(ReductionLoops.Identity<T>), x, n, T.NegativeInfinity);
        var sum = Exponentials<SimdVector<T>, T>(x, p, n, largest);
        MapLoops.Unary<SimdVector<T>, T, DivideOperator<T>>(new(T.CreateTruncating(sum)), p, p, n);
        return sum;
    }

    /// <summary>p = exp(x - largest); returns the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Exponentials<TVector, T>(T* x, T* p, nint n, T largest)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint count = TVector.Count;
        var maximum = TVector.Create(largest);
        var last = VectorMath.ExpBounded(TVector.Load(x + (n - count)) - maximum);
        var total = 0.0;
        nint i = 0;
        while (i < n - count)
        {
            var sum = TVector.Zero;
            for (var limit = nint.Min(n - count, i + Block * count); i < limit; i += count)
            {
                var e = VectorMath.ExpBounded(TVector.Load(x + i) - maximum);
                TVector.Store(p + i, e);
                sum += e;
            }

            total += double.CreateTruncating(TVector.Sum(sum));
        }

        // Of the last vector, the lanes before i have been counted.
        var counted = TVector.Indices < (double)(i - (n - count));
        total += double.CreateTruncating(TVector.Sum(TVector.AndNot(last, counted)));
        TVector.Store(p + (n - count), last);
        return total;
    }

    private readonly struct DivideOperator<T>(T divisor) : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => x / TVector.Create(divisor);
    }
}
