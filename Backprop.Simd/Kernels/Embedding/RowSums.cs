using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Adds one row of a table to another.</summary>
internal static unsafe class RowSums<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>sum += x. The last register may overlap the one before, and is read first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(T* x, T* sum, nint n)
    {
        var last = n - TVector.Count;
        if (last < 0)
        {
            for (nint i = 0; i < n; i++)
                sum[i] += x[i];
            return;
        }

        var lastSum = TVector.Load(sum + last) + TVector.Load(x + last);
        for (nint i = 0; i < last; i += TVector.Count)
            TVector.Store(sum + i, TVector.Load(sum + i) + TVector.Load(x + i));
        TVector.Store(sum + last, lastSum);
    }
}
