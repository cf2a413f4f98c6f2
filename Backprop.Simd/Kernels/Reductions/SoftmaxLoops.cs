using System.Numerics;
using System.Runtime.CompilerServices;

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
        var sum = Exponentials(x, p, n, Vector.Create(largest));
        MapLoops.Unary(new DivideOperator<T>(Vector.Create(T.CreateTruncating(sum))), p, p, n);
        return sum;
    }

    /// <summary>p = exp(x - largest); returns the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Exponentials<T>(T* x, T* p, nint n, Vector<T> largest) where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint count = Vector<T>.Count;
        var last = VectorMath.Exp(Vector.Load(x + (n - count)) - largest);
        var total = 0.0;
        nint i = 0;
        while (i < n - count)
        {
            var sum = Vector<T>.Zero;
            for (var limit = nint.Min(n - count, i + Block * count); i < limit; i += count)
            {
                var e = VectorMath.Exp(Vector.Load(x + i) - largest);
                Vector.Store(e, p + i);
                sum += e;
            }

            total += double.CreateTruncating(Vector.Sum(sum));
        }

        // Of the last vector, the lanes before i have been counted.
        var seen = Vector.Create(T.CreateTruncating(i - (n - count)));
        total += double.CreateTruncating(Vector.Sum(Vector.AndNot(last, Vector.LessThan(Vector<T>.Indices, seen))));
        Vector.Store(last, p + (n - count));
        return total;
    }

    private readonly struct DivideOperator<T>(Vector<T> divisor) : IUnaryOperator<T> where T : unmanaged
    {
        public Vector<T> Invoke(Vector<T> x) => x / divisor;
    }
}
