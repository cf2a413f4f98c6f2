using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

public static partial class VectorMath
{
    /// <summary>The sine of an angle in radians, of any size; keeps the sign of 0, NaN at the infinities.</summary>
    /// <remarks>a = n pi/2 + r, |r| at most pi/4 and carried in two numbers; fdlibm's (double) and Cephes' (float) polynomials. Up to 2^16
    /// (float) or 2^30 (double) n comes from a product with 159 digits (float: 72) of 2/pi, beyond that from <see cref="HugeAngles"/>: the
    /// error is below one unit in the last place for every argument.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The angles.</param>
    /// <returns>sin x for each lane.</returns>
    [MethodImpl(Inline)]
    public static TVector Sin<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var angle = ReducedAngle<TVector>.Of(TVector.Abs(x));
        return SineOfQuarters(angle.Quarters, angle.Rest, angle.Low) ^ (SignBit<TVector>() & x);
    }

    /// <summary>The cosine of an angle in radians, of any size; NaN at the infinities.</summary>
    /// <remarks><see cref="Sin"/> a quarter further.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The angles.</param>
    /// <returns>cos x for each lane.</returns>
    [MethodImpl(Inline)]
    public static TVector Cos<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var angle = ReducedAngle<TVector>.Of(TVector.Abs(x));
        return SineOfQuarters(angle.Quarters + 1, angle.Rest, angle.Low);
    }

    /// <summary>sin(n pi/2 + r + low).</summary>
    [MethodImpl(Inline)]
    private static TVector SineOfQuarters<TVector>(TVector n, TVector r, TVector low) where TVector : struct, ISimdVector<TVector>
    {
        var z = r * r;
        TVector sine, cosine;
        if (TVector.IsSingle)
        {
            sine = TVector.MultiplyAdd(z, -1.9515295891e-4, 8.3321608736e-3);
            sine = TVector.MultiplyAdd(sine, z, -1.6666654611e-1);
            cosine = TVector.MultiplyAdd(z, 2.443315711809948e-5, -1.388731625493765e-3);
            cosine = TVector.MultiplyAdd(cosine, z, 4.166664568298827e-2);
        }
        else
        {
            sine = TVector.MultiplyAdd(z, 1.58969099521155010221e-10, -2.50507602534068634195e-08);
            sine = TVector.MultiplyAdd(sine, z, 2.75573137070700676789e-06);
            sine = TVector.MultiplyAdd(sine, z, -1.98412698298579493134e-04);
            sine = TVector.MultiplyAdd(sine, z, 8.33333333332248946124e-03);
            sine = TVector.MultiplyAdd(sine, z, -1.66666666666666324348e-01);
            cosine = TVector.MultiplyAdd(z, -1.13596475577881948265e-11, 2.08757232129817482790e-09);
            cosine = TVector.MultiplyAdd(cosine, z, -2.75573143513906633035e-07);
            cosine = TVector.MultiplyAdd(cosine, z, 2.48015872894767294178e-05);
            cosine = TVector.MultiplyAdd(cosine, z, -1.38888888888741095749e-03);
            cosine = TVector.MultiplyAdd(cosine, z, 4.16666666666666019037e-02);
        }

        // r + (r^3 p + low), and 1 - z / 2 with its rounding error + (z^2 q - r low).
        sine *= z;
        sine = TVector.MultiplyAdd(sine, r, low);
        sine += r;
        var half = z * 0.5;
        var upper = 1 - half;
        cosine *= z;
        cosine = TVector.MultiplyAdd(cosine, z, r * -low);
        cosine += 1 - upper - half;
        cosine += upper;

        // The quarter n - 4 round(n / 4), from -2 to 2.
        var quarter = RoundSmall(n * 0.25);
        quarter = TVector.MultiplyAdd(quarter, -4, n);
        sine = TVector.Select(TVector.Equal(TVector.Abs(quarter), TVector.One), cosine, sine);
        var isNegative = (quarter < 0) | (quarter > 1);
        return sine ^ (isNegative & SignBit<TVector>());
    }

    /// <summary>The nearest integer of numbers up to 2^22 (float) or 2^51 (double) in size.</summary>
    [MethodImpl(Inline)]
    internal static TVector RoundSmall<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var rounder = TVector.Create(SimdBits.SingleRounder, SimdBits.DoubleRounder);
        return x + rounder - rounder;
    }
}
