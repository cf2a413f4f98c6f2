using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>An angle as n quarters of a turn and a rest r + low of at most about pi/4 in size; n may be any number of whole turns off.</summary>
internal readonly struct ReducedAngle<TVector>(TVector quarters, TVector rest, TVector low) where TVector : struct, ISimdVector<TVector>
{
    public TVector Quarters
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => quarters;
    }

    public TVector Rest
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => rest;
    }

    public TVector Low
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => low;
    }

    /// <summary>The parts of a, which is not negative; NaN at infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReducedAngle<TVector> Of(TVector a)
    {
        // a 2/pi with three numbers' worth of digits; the first two products are exact.
        var first = TVector.Create(0.6366197466850281f, 0.6366197723675814);
        var second = TVector.Create(2.5682552973194106e-08f, -3.935735335036497e-17);
        var p = a * first;
        var pLow = TVector.ProductError(a, first, p);
        var q = a * second;
        var qLow = TVector.ProductError(a, second, q);
        var n = VectorMath.RoundSmall(p);
        p -= n;
        var isSmall = TVector.Equal(n, TVector.Zero);

        // The sums of p, pLow and q with their rounding errors.
        var sum = p + pLow;
        pLow -= sum - p;
        var hi = sum + q;
        var part = hi - sum;
        var lo = hi - part;
        lo = sum - lo;
        lo += q - part;
        lo += pLow;
        lo += qLow;
        lo = TVector.MultiplyAdd(a, TVector.IsSingle ? 2.937095479631555e-16 : -2.1442872565786008e-33, lo);
        p = hi + lo;
        lo -= p - hi;
        var isHuge = a > (TVector.IsSingle ? 65536 : 1073741824.0);
        if (TVector.AnySet(isHuge))
        {
            var huge = HugeAngles.Quarters(a);
            n = TVector.Select(isHuge, huge.Quarters, n);
            p = TVector.Select(isHuge, huge.Rest, p);
            lo = TVector.Select(isHuge, huge.Low, lo);
        }

        // From quarters to radians. An angle below pi/4 is its own rest.
        var halfPi = TVector.Create(1.5707963705062866f, 1.5707963267948966);
        var r = p * halfPi;
        var rLow = TVector.ProductError(p, halfPi, r);
        rLow = TVector.MultiplyAdd(p, TVector.IsSingle ? -4.371138828673793e-08 : 6.123233995736766e-17, rLow);
        rLow = TVector.MultiplyAdd(lo, halfPi, rLow);
        rLow = TVector.AndNot(rLow, isSmall);
        r = TVector.Select(isSmall, a, r);
        return new(n, r + (a - a), rLow); // 0, or NaN at infinity.
    }
}
