using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Softmax of a row of at least a register of classes, by itself.</summary>
internal static unsafe class SoftmaxRows
{
    /// <summary>Registers of exponentials summed in T before blocks meet pairwise in double: bounds the rounding of long rows.</summary>
    private const int Block = 64;

    private const MethodImplOptions Loop = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;

    /// <summary>p = exp(x - largest), or nothing but the sum where p is null; returns the sum.</summary>
    [MethodImpl(Loop)]
    public static double Exponentials<TVector, T>(T* x, T* p, nint n, T largest)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var shift = TVector.Create(largest);
        var last = TVector.Load(x + (n - TVector.Count));
        Unsafe.SkipInit(out PairwiseSum total);
        total.Clear();
        nint i = 0;
        TVector e;
        while (i < n - TVector.Count)
        {
            var sum = TVector.Zero;
            for (var limit = nint.Min(n - TVector.Count, i + Block * TVector.Count); i < limit; i += TVector.Count)
            {
                e = TVector.Load(x + i);
                e = VectorMath.ExpBounded(e - shift);
                if (p != null)
                    TVector.Store(p + i, e);
                sum += e;
            }

            total.Add(double.CreateTruncating(TVector.Sum(sum)));
        }

        // Of the last register, the lanes before i have been counted.
        var seen = TVector.Indices < TVector.Create(T.CreateTruncating(i - (n - TVector.Count)));
        e = VectorMath.ExpBounded(last - shift);
        if (p != null)
            TVector.Store(p + (n - TVector.Count), e);
        return total.Total + double.CreateTruncating(TVector.Sum(TVector.AndNot(e, seen)));
    }

    /// <summary>x *= factor, or x /= divisor.</summary>
    [MethodImpl(Loop)]
    public static void Scale<TVector, T>(T* x, nint n, T factor, bool divides)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var f = TVector.Create(factor);
        var last = TVector.Load(x + (n - TVector.Count));
        var end = x + (n - TVector.Count);
        if (divides)
        {
            for (; x < end; x += TVector.Count)
                TVector.Store(x, TVector.Load(x) / f);
            TVector.Store(end, last / f);
            return;
        }

        for (; x < end; x += TVector.Count)
            TVector.Store(x, TVector.Load(x) * f);
        TVector.Store(end, last * f);
    }

    /// <summary>values[i] = ln values[i], in place.</summary>
    [MethodImpl(Loop)]
    public static void Logarithms<TVector, T>(T* values, nint wholeRegisters)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (nint i = 0; i < wholeRegisters; i++, values += TVector.Count)
            TVector.Store(values, VectorMath.Log(TVector.Load(values)));
    }
}
