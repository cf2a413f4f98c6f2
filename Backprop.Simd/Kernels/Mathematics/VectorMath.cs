using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Elementary functions of a whole register, for kernels and for activations written outside the library.</summary>
/// <remarks>
/// A lane's result depends on that lane alone, never on its neighbours, so a loop may group elements as it likes; it is the same
/// on every register width of one machine. All functions cover the full range: subnormal arguments and results, zeros,
/// infinities and NaN.
/// </remarks>
public static partial class VectorMath
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>e^x, with subnormal results, 0 and infinity at the ends of the range; exactly 1 at 0.</summary>
    /// <remarks>x = n ln 2 + r, |r| at most ln 2 / 2; e^r is a minimax polynomial, and 2^n is applied so that results round to
    /// subnormals once.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>e^x for each lane; NaN for NaN.</returns>
    [MethodImpl(Inline)]
    public static TVector Exp<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> =>
        // Beyond this bound the result is infinity. The number comes first, so that NaN passes.
        ExpBounded(TVector.Min(TVector.IsSingle ? 89 : 710, x));

    /// <summary><see cref="Exp"/> of arguments that are at most 89 (float) or 710 (double): for softmax, at most 0.</summary>
    [MethodImpl(Inline)]
    internal static TVector ExpBounded<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        // Below this bound the result is 0.
        x = TVector.Max(TVector.IsSingle ? -104 : -746, x);
        var p = ExpReduced(x, out var n);
        return TVector.ScaleByPowerOfTwo(p, n);
    }

    /// <summary>p with e^x = 2^n p, p near 1, for |x| up to 120 (float) or 800 (double).</summary>
    [MethodImpl(Inline)]
    private static TVector ExpReduced<TVector>(TVector x, out TVector n) where TVector : struct, ISimdVector<TVector> =>
        ExpMinusOneReduced(x, out n) + 1;

    /// <summary>q with e^x = 2^n (1 + q), relatively accurate where n is 0.</summary>
    [MethodImpl(Inline)]
    private static TVector ExpMinusOneReduced<TVector>(TVector x, out TVector n) where TVector : struct, ISimdVector<TVector>
    {
        n = RoundToPowerOfTwo(x);
        var r = TVector.MultiplyAdd(n, TVector.IsSingle ? -0.693359375 : -6.93147180369123816490e-01, x);
        r = TVector.MultiplyAdd(n, TVector.IsSingle ? 2.12194440e-4 : -1.90821492927058770002e-10, r);

        // r + r^2 q(r), the large term added last.
        var r2 = r * r;
        var q = ExpPolynomial(r, r2);
        return TVector.MultiplyAdd(q, r2, r);
    }

    /// <summary>The same of x + low, where low is small against x: a large argument in more digits than one number holds. e^x =
    /// 2^n (p + pLow).</summary>
    [MethodImpl(Inline)]
    private static TVector ExpReduced<TVector>(TVector x, TVector low, out TVector n, out TVector pLow)
        where TVector : struct, ISimdVector<TVector>
    {
        var q = ExpMinusOneReduced(x, low, out n, out var rLow);
        var p = q + 1;

        // What the sums have lost: of p, and of r, whose error is one of p times p.
        pLow = p - 1;
        pLow = q - pLow;
        pLow = TVector.MultiplyAdd(rLow, p, pLow);
        return p;
    }

    /// <summary>q with e^(x + low) = 2^n (1 + q), where low is small against x. rLow is what the reduced argument has lost by rounding.</summary>
    [MethodImpl(Inline)]
    private static TVector ExpMinusOneReduced<TVector>(TVector x, TVector low, out TVector n, out TVector rLow)
        where TVector : struct, ISimdVector<TVector>
    {
        n = RoundToPowerOfTwo(x);
        var upper = TVector.MultiplyAdd(n, TVector.IsSingle ? -0.693359375 : -6.93147180369123816490e-01, x);
        low = TVector.MultiplyAdd(n, TVector.IsSingle ? 2.12194440e-4 : -1.90821492927058770002e-10, low);
        var r = upper + low;
        rLow = low - (r - upper);
        var r2 = r * r;
        var q = ExpPolynomial(r, r2);
        return TVector.MultiplyAdd(q, r2, r);
    }

    /// <summary>The integer n for which x - n ln 2 is smallest. ln 2 is split by the callers so that n times its upper part is exact.</summary>
    [MethodImpl(Inline)]
    private static TVector RoundToPowerOfTwo<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        // Adding 1.5 * 2^(mantissa bits) rounds to an integer.
        var rounder = TVector.Create(SimdBits.SingleRounder, SimdBits.DoubleRounder);
        var n = TVector.MultiplyAdd(x, 1.4426950408889634074, rounder);
        return n - rounder;
    }

    /// <summary>The natural logarithm: -infinity at both zeros, NaN below them.</summary>
    /// <remarks>x = 2^k m with m = 1 + f in [3/4, 3/2). float: ln m = f - f^2 / 2 + f^3 p(f) with a minimax polynomial p. double:
    /// the odd series in s = f / (2 + f), as fdlibm's e_log.c.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>ln x for each lane.</returns>
    [MethodImpl(Inline)]
    public static TVector Log<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var k = TVector.Exponent(x);
        var f = TVector.Significand(x);
        f -= 1;
        return LogReduced(k, f);
    }

    /// <summary>ln(2^k (1 + f)) for f from -1/4 to 1/2.</summary>
    [MethodImpl(Inline)]
    private static TVector LogReduced<TVector>(TVector k, TVector f) where TVector : struct, ISimdVector<TVector>
    {
        if (TVector.IsSingle)
        {
            var z = f * f;
            var tail = LogPolynomial(f, z);
            tail *= f;
            tail *= z;
            tail = TVector.MultiplyAdd(k, 9.0580006145e-06, tail);
            tail = TVector.MultiplyAdd(z, -0.5, tail);
            tail += f;
            return TVector.MultiplyAdd(k, 6.9313812256e-01, tail);
        }
        else
        {
            var s = f / (f + 2);
            var half = f * 0.5;
            half *= f;
            var series = LogSeries(s * s);
            series += half;
            series *= s;
            series = TVector.MultiplyAdd(k, 1.90821492927058770002e-10, series);
            f -= half - series;
            return TVector.MultiplyAdd(k, 6.93147180369123816490e-01, f);
        }
    }

    /// <summary>The logistic function 1 / (1 + e^-x), without overflow; saturates to exactly 0 and 1.</summary>
    /// <remarks>e / (1 + e) with e = e^x, which keeps its relative accuracy down to the smallest subnormal. Above 18 (float) or
    /// 40 (double) it is 1 as rounded, and e need not grow further.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>The logistic function of each lane; NaN for NaN.</returns>
    [MethodImpl(Inline)]
    public static TVector Sigmoid<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var e = ExpBounded(TVector.Min(TVector.IsSingle ? 18 : 40, x));
        return e / (e + 1);
    }

    /// <summary>The hyperbolic tangent, relatively accurate near 0; saturates to exactly -1 and 1, and keeps the sign of 0.</summary>
    /// <remarks>(1 - E) / (1 + E) with E = e^(-2|x|) = 2^n (1 + q) and the sign put back. E - 1 is 2^n q + (2^n - 1), and
    /// E + 1 likewise: where n is 0 the former is q itself, and nowhere do large terms cancel.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>tanh x for each lane; NaN for NaN.</returns>
    [MethodImpl(Inline)]
    public static TVector Tanh<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var sign = SignBit<TVector>();
        var a = sign | x;
        var q = ExpMinusOneReduced(TVector.Max(TVector.IsSingle ? -20 : -40, a + a), out var n);
        var power = TVector.ScaleByPowerOfTwo(TVector.One, n);
        var upper = TVector.MultiplyAdd(power, q, power - 1);
        return TVector.Select(sign, x, upper / TVector.MultiplyAdd(power, q, power + 1));
    }

    [MethodImpl(Inline)]
    private static TVector SignBit<TVector>() where TVector : struct, ISimdVector<TVector> => TVector.Create(-0.0);

    /// <summary>(e^r - 1 - r) / r^2.</summary>
    [MethodImpl(Inline)]
    private static TVector ExpPolynomial<TVector>(TVector r, TVector r2) where TVector : struct, ISimdVector<TVector>
    {
        // Even and odd powers in two chains: half the latency of one.
        if (TVector.IsSingle)
        {
            var even = TVector.MultiplyAdd(r2, 1.3950485736e-3, 4.1666205972e-2);
            even = TVector.MultiplyAdd(even, r2, 0.5);
            var odd = TVector.MultiplyAdd(r2, 8.3688888699e-3, 1.6666518152e-1);
            return TVector.MultiplyAdd(odd, r, even);
        }
        else
        {
            var even = TVector.MultiplyAdd(r2, 2.7631280803116233e-07, 2.4801489940787947e-05);
            even = TVector.MultiplyAdd(even, r2, 0.0013888888947017428);
            even = TVector.MultiplyAdd(even, r2, 0.04166666666651541);
            even = TVector.MultiplyAdd(even, r2, 0.5000000000000012);
            var odd = TVector.MultiplyAdd(r2, 2.511785639582607e-08, 2.755721631932406e-06);
            odd = TVector.MultiplyAdd(odd, r2, 0.0001984126991735879);
            odd = TVector.MultiplyAdd(odd, r2, 0.008333333333307217);
            odd = TVector.MultiplyAdd(odd, r2, 0.166666666666667);
            return TVector.MultiplyAdd(odd, r, even);
        }
    }

    /// <summary>(ln(1 + f) - f + f^2 / 2) / f^3 for floats, z = f^2.</summary>
    [MethodImpl(Inline)]
    private static TVector LogPolynomial<TVector>(TVector f, TVector z) where TVector : struct, ISimdVector<TVector>
    {
        var even = TVector.MultiplyAdd(z, 1.0463025421e-01, 1.4478392899e-01);
        even = TVector.MultiplyAdd(even, z, 1.9990861416e-01);
        even = TVector.MultiplyAdd(even, z, 3.3333450556e-01);
        var odd = TVector.MultiplyAdd(z, -4.5074868947e-02, -1.3161189854e-01);
        odd = TVector.MultiplyAdd(odd, z, -1.6647312045e-01);
        odd = TVector.MultiplyAdd(odd, z, -2.5000095367e-01);
        return TVector.MultiplyAdd(odd, f, even);
    }

    /// <summary>The R of ln m = f - f^2 / 2 + s (f^2 / 2 + R) for doubles, z = s^2.</summary>
    [MethodImpl(Inline)]
    private static TVector LogSeries<TVector>(TVector z) where TVector : struct, ISimdVector<TVector>
    {
        var p = TVector.MultiplyAdd(z, 0.13838560975811462, 0.13174262845243082);
        p = TVector.MultiplyAdd(p, z, 0.15391072360235303);
        p = TVector.MultiplyAdd(p, z, 0.18181667090947895);
        p = TVector.MultiplyAdd(p, z, 0.22222224276153874);
        p = TVector.MultiplyAdd(p, z, 0.2857142855600771);
        p = TVector.MultiplyAdd(p, z, 0.4000000000005594);
        return z * TVector.MultiplyAdd(p, z, 0.666666666666666);
    }
}
