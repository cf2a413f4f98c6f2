using System.Numerics;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Reductions across the lanes of a register.</summary>
internal static unsafe class Lanes
{
    /// <summary>The largest lane, if none is NaN; else any.</summary>
    public static T Largest<TVector, T>(TVector value)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var lanes = (T*)&value;
        if (TVector.Count <= SimdVector128<T>.Count)
            return Largest(lanes, TVector.Count);
        var four = SimdVector128<T>.Load(lanes);
        for (var i = SimdVector128<T>.Count; i < TVector.Count; i += SimdVector128<T>.Count)
            four = SimdVector128<T>.Max(four, SimdVector128<T>.Load(lanes + i));
        return Largest((T*)&four, SimdVector128<T>.Count);
    }

    private static T Largest<T>(T* lanes, int count) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var largest = lanes[0];
        for (var i = 1; i < count; i++)
            largest = lanes[i] > largest ? lanes[i] : largest;
        return largest;
    }
}
