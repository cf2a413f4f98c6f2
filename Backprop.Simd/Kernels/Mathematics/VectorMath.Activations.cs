using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

// Functions of the form x s(x), where s rises from 0 to 1 and s(-x) = 1 - s(x), are max(x, 0) - |x| s(-|x|): one formula that
// keeps its relative accuracy on both sides, and at -infinity gives the limit 0. e^... enters as 2^n p; 2^n is applied last, so
// that small results round once.
public static partial class VectorMath
{
    /// <summary>The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x; relatively accurate near 0,
    /// saturates to exactly -1 and 1, and keeps the sign of 0.</summary>
    /// <remarks>float: below 0.93 an odd minimax polynomial, above it 1 - e^l(x) with a minimax polynomial l of ln(1 - erf x).
    /// double: below 1 a minimax rational function, above it 1 - 2 Phi(-sqrt(2) x) with that of <see cref="Gelu"/>.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>erf x for each lane; NaN for NaN.</returns>
    [MethodImpl(Inline)]
    public static TVector Erf<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var sign = SignBit<TVector>() & x;
        var a = x ^ sign;
        a = TVector.Min(TVector.IsSingle ? 4 : 6, a);
        var s = a * a;
        TVector far, n;
        if (TVector.IsSingle)
        {
            far = TVector.MultiplyAdd(a, 1.9593581965e-04, -3.0432040803e-03);
            far = TVector.MultiplyAdd(far, a, 2.2226870060e-02);
            far = TVector.MultiplyAdd(far, a, -1.0393150151e-01);
            far = TVector.MultiplyAdd(far, a, -6.3718235493e-01);
            far = TVector.MultiplyAdd(far, a, -1.1276755333e+00);
            far = TVector.MultiplyAdd(far, a, -1.9568762218e-04);
            far = ExpReduced(far, out n);
        }
        else
        {
            far = s * -1;
            far = ExpReduced(far, out n);
            far *= NormalTail(a * 1.4142135623730951);
            far += far;
        }

        far = TVector.ScaleByPowerOfTwo(far, n);
        far = 1 - far;
        var near = ErfCorrection(s);
        near = TVector.MultiplyAdd(near, a, a);
        var small = a < (TVector.IsSingle ? 0.93 : 1);
        return TVector.Select(small, near, far) | sign;
    }

    /// <summary>The Gaussian error linear unit x Phi(x), where Phi is the normal distribution function, (1 + erf(x / sqrt(2))) / 2.
    /// Relatively accurate down to the smallest negative results; 0 at -infinity.</summary>
    /// <remarks>Hendrycks and Gimpel, arXiv:1606.08415. Phi(-a) = e^(-a^2 / 2) F(a), where F(a) (a + c) is a minimax polynomial
    /// in (a - c) / (a + c); a^2 and the last steps are carried in two numbers, in double those of the polynomial too.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>The function of each lane; NaN for NaN.</returns>
    [MethodImpl(Inline)]
    public static TVector Gelu<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var a = NormalArgument(x);
        var p = NormalDensity(a, out var n, out var pLow);

        // w = a p G / b with b = a + c; every product and sum with its rounding error.
        var c = TVector.Create(4f, 5);
        var b = a + c;
        var part = b - c;
        var bLow = b - part;
        bLow = c - bLow;
        bLow += a - part;
        var inverse = 1 / b;
        var (q, qLow) = (TVector.MultiplyAdd(inverse, TVector.IsSingle ? -8 : -10, 1), TVector.Zero);
        if (!TVector.IsSingle)
        {
            var t = inverse * -10;
            q = t + 1;
            var whole = q - t;
            qLow = 1 - whole + (t - (q - whole)) + TVector.ProductError(inverse, TVector.Create(-10.0), t);
        }

        var g1 = NormalTailPolynomial(q, out var g1Low);
        var center = NormalTailCenter<TVector>();
        var product = g1 * q;
        var g = TVector.IsSingle ? TVector.MultiplyAdd(g1, q, center) : product + center;
        var gLow = center - g;
        gLow = TVector.IsSingle ? TVector.MultiplyAdd(g1, q, gLow) : gLow + product + TVector.ProductError(g1, q, product);

        // q is off by 2c / b times the relative error of the inverse; G'(q) to one digit is enough.
        var off = TVector.ProductError(b, inverse, TVector.One);
        off = TVector.MultiplyAdd(bLow, inverse, off);
        off *= inverse;
        var slope = TVector.MultiplyAdd(q, TVector.IsSingle ? 6.2 : 12.7, TVector.IsSingle ? -4.9 : -7);
        if (!TVector.IsSingle)
        {
            // In double, what q, the polynomial and its product with q have lost counts as well.
            slope = TVector.MultiplyAdd(q * q, -9.5, slope);
            off = TVector.MultiplyAdd(qLow, 0.1, off);
            gLow = TVector.MultiplyAdd(g1Low, q, gLow);
        }

        gLow = TVector.MultiplyAdd(off, slope, gLow);
        if (TVector.IsSingle)
            gLow += TVector.MultiplyAdd(q, -1.65e-8, -1.343e-8); // What rounding has taken from the first two coefficients.
        var m = a * p;
        var mLow = TVector.MultiplyAdd(a, pLow, TVector.ProductError(a, p, m));
        var w = m * g;
        mLow *= g;
        mLow = TVector.MultiplyAdd(m, gLow, mLow);
        mLow += TVector.ProductError(m, g, w);
        w = Quotient(w, mLow, b, bLow, inverse);
        w = TVector.Max(0, x) - TVector.ScaleByPowerOfTwo(w, n);
        if (!TVector.IsSingle)
            return w;

        // Near 0, where the polynomial in q is steep: x (1/2 + x (c - c x^2 / 6 + ...)), c = 1 / sqrt(2 pi).
        var s = x * x;
        var near = TVector.MultiplyAdd(s, -9.4446088e-06, 1.15434116e-04);
        near = TVector.MultiplyAdd(near, s, -1.18732817e-03);
        near = TVector.MultiplyAdd(near, s, 9.97355701e-03);
        near = TVector.MultiplyAdd(near, s, -6.64903801e-02);
        near = TVector.MultiplyAdd(near, s, 3.98942280e-01);
        near = TVector.MultiplyAdd(near, x, 0.5);
        return TVector.Select(a < 0.5, near * x, w);
    }

    /// <summary>The tanh form of <see cref="Gelu"/>: x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), another function, up to
    /// 5e-4 away.</summary>
    /// <remarks>Written x s(v) with the logistic function s and v = 2 sqrt(2 / pi) (x + 0.044715 x^3), carried in two numbers.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>The function of each lane; NaN for NaN.</returns>
    [MethodImpl(Inline)]
    public static TVector GeluTanh<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var a = GeluTanhArgument(x);
        var q = GeluTanhExp(a, out var n);
        var e = TVector.ScaleByPowerOfTwo(q + 1, n);
        q = LogisticTail(a, q, e);
        return TVector.Max(0, x) - TVector.ScaleByPowerOfTwo(q, n);
    }

    /// <summary>The sigmoid linear unit x / (1 + e^-x), also called swish; 0 at -infinity.</summary>
    /// <remarks>Relatively accurate down to the smallest negative results.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>The function of each lane; NaN for NaN.</returns>
    [MethodImpl(Inline)]
    public static TVector Silu<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var a = SiluArgument(x);
        var q = ExpMinusOneReduced(-a, out var n);
        var e = TVector.ScaleByPowerOfTwo(q + 1, n);
        q = LogisticTail(a, q, e);
        return TVector.Max(0, x) - TVector.ScaleByPowerOfTwo(q, n);
    }

    /// <summary>ln(1 + e^x), without overflow.</summary>
    /// <remarks>max(x, 0) + ln(1 + e) with e = e^-|x|, relatively accurate down to the smallest results.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>The function of each lane; NaN for NaN.</returns>
    [MethodImpl(Inline)]
    public static TVector Softplus<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        // 1 + e = 2^k (1 + f) with f = e and k = 0, or f = (e - 1) / 2 and k = 1, which is exact.
        var e = ExpBounded(SignBit<TVector>() | x);
        var large = e > 0.5;
        var one = TVector.One;
        var f = e - one;
        f *= 0.5;
        f = TVector.Select(large, f, e);
        f = LogReduced(large & one, f);
        return f + TVector.Max(0, x);
    }

    /// <summary>|x|, up to where |x| Phi(-|x|) is 0 as rounded; NaN stays.</summary>
    [MethodImpl(Inline)]
    private static TVector NormalArgument<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> =>
        TVector.Min(TVector.IsSingle ? 15 : 39, TVector.Abs(x));

    /// <inheritdoc cref="NormalArgument"/>
    [MethodImpl(Inline)]
    private static TVector GeluTanhArgument<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> =>
        TVector.Min(TVector.IsSingle ? 11 : 22, TVector.Abs(x));

    /// <inheritdoc cref="NormalArgument"/>
    [MethodImpl(Inline)]
    private static TVector SiluArgument<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> =>
        TVector.Min(TVector.IsSingle ? 112 : 760, TVector.Abs(x));

    /// <summary>p with e^(-a^2 / 2) = 2^n (p + pLow).</summary>
    [MethodImpl(Inline)]
    private static TVector NormalDensity<TVector>(TVector a, out TVector n, out TVector pLow)
        where TVector : struct, ISimdVector<TVector>
    {
        var s = a * a;
        var low = TVector.ProductError(a, a, s);
        low *= -0.5;
        s *= -0.5;
        return ExpReduced(s, low, out n, out pLow);
    }

    /// <summary>q with e^-v = 2^n (1 + q) for v = 2 sqrt(2 / pi) (a + 0.044715 a^3).</summary>
    [MethodImpl(Inline)]
    private static TVector GeluTanhExp<TVector>(TVector a, out TVector n) where TVector : struct, ISimdVector<TVector>
    {
        // v = a (c1 + c3 a^2), each step with the error of its rounding: up to 100 and more, v needs more digits than one number has.
        var c1 = TVector.Create(1.5957691669464111f, 1.5957691216057308);
        var c3 = TVector.Create(0.07135481387376785f, 0.07135481627260025);
        var s = a * a;
        var g = s * c3;
        var h = g + c1;
        var part = h - c1;
        var low = h - part;
        low = c1 - low;
        low += g - part;
        low += TVector.ProductError(c3, s, g);
        low = TVector.MultiplyAdd(TVector.ProductError(a, a, s), c3, low);
        low = TVector.MultiplyAdd(s, TVector.IsSingle ? 2.3988323959931355e-09 : -6.175149918155315e-19, low);
        low += TVector.IsSingle ? -4.534068042105272e-08 : -9.96930880911092e-17;
        var v = a * h;
        low = TVector.MultiplyAdd(low, a, TVector.ProductError(a, h, v));
        return ExpMinusOneReduced(-v, -low, out n, out _);
    }

    /// <summary>F(a) = Phi(-a) e^(a^2 / 2) for a up to 15 (float) or 39 (double).</summary>
    [MethodImpl(Inline)]
    private static TVector NormalTail<TVector>(TVector a) where TVector : struct, ISimdVector<TVector>
    {
        var inverse = 1 / (a + (TVector.IsSingle ? 4 : 5));
        var q = TVector.MultiplyAdd(inverse, TVector.IsSingle ? -8 : -10, 1);
        var g = NormalTailPolynomial(q, out _);
        return TVector.MultiplyAdd(g, q, NormalTailCenter<TVector>()) * inverse;
    }

    /// <summary>G(0), where F(a) = G(q) / (a + c) with q = (a - c) / (a + c), c = 4 (float) or 5 (double).</summary>
    [MethodImpl(Inline)]
    private static TVector NormalTailCenter<TVector>() where TVector : struct, ISimdVector<TVector> =>
        TVector.Create(7.5528514385e-01f, 0.769193049750063);

    /// <summary>(G(q) - G(0)) / q, a minimax polynomial, and what its last steps have lost by rounding.</summary>
    [MethodImpl(Inline)]
    private static TVector NormalTailPolynomial<TVector>(TVector q, out TVector low) where TVector : struct, ISimdVector<TVector>
    {
        var q2 = q * q;
        TVector even, odd;
        if (TVector.IsSingle)
        {
            even = TVector.MultiplyAdd(q2, -2.1928202477e-04, 1.6354846302e-03);
            even = TVector.MultiplyAdd(even, q2, -7.5426129624e-03);
            even = TVector.MultiplyAdd(even, q2, -1.8652157485e-01);
            odd = TVector.MultiplyAdd(q2, -4.5060172852e-05, 1.7186031619e-04);
            odd = TVector.MultiplyAdd(odd, q2, -3.4922210034e-03);
            odd = TVector.MultiplyAdd(odd, q2, 6.0398355126e-02);
        }
        else
        {
            even = TVector.MultiplyAdd(q2, 1.4317594353029686e-09, -8.294119017127954e-09);
            even = TVector.MultiplyAdd(even, q2, 4.087953785182318e-08);
            even = TVector.MultiplyAdd(even, q2, -3.355364549376382e-07);
            even = TVector.MultiplyAdd(even, q2, 3.9803843443734196e-06);
            even = TVector.MultiplyAdd(even, q2, -4.976265479784857e-05);
            even = TVector.MultiplyAdd(even, q2, 0.0005448990333676201);
            even = TVector.MultiplyAdd(even, q2, -0.0029933767667027177);
            even = TVector.MultiplyAdd(even, q2, -0.06911863870657022);
            even = TVector.MultiplyAdd(even, q2, -0.31353315667129616);
            odd = TVector.MultiplyAdd(q2, -3.029876823037625e-10, 7.942340589167486e-09);
            odd = TVector.MultiplyAdd(odd, q2, -6.601152419422388e-08);
            odd = TVector.MultiplyAdd(odd, q2, 4.3288387844655475e-07);
            odd = TVector.MultiplyAdd(odd, q2, -2.7689522354551766e-06);
            odd = TVector.MultiplyAdd(odd, q2, 1.6681041094339237e-05);
            odd = TVector.MultiplyAdd(odd, q2, -5.937567475410857e-05);
            odd = TVector.MultiplyAdd(odd, q2, -0.0007978694080162965);
            odd = TVector.MultiplyAdd(odd, q2, 0.020795066800838275);
            odd = TVector.MultiplyAdd(odd, q2, 0.16502036617033738);
        }

        var even0 = TVector.Create(-6.0789662600e-01f, -0.6653825028900567);
        var odd0 = TVector.Create(3.8713729382e-01f, 0.4953056159699773);
        var evenSum = TVector.MultiplyAdd(even, q2, even0);
        var oddSum = TVector.MultiplyAdd(odd, q2, odd0);
        var sum = TVector.MultiplyAdd(oddSum, q, evenSum);
        low = TVector.MultiplyAdd(odd, q2, odd0 - oddSum);
        low = TVector.MultiplyAdd(low, q, TVector.MultiplyAdd(even, q2, even0 - evenSum));
        low += TVector.MultiplyAdd(oddSum, q, evenSum - sum);
        return sum;
    }

    /// <summary>(m + mLow) / (d + dLow), nearly correctly rounded; inverse is 1 / d as rounded.</summary>
    [MethodImpl(Inline)]
    private static TVector Quotient<TVector>(TVector m, TVector mLow, TVector d, TVector dLow, TVector inverse)
        where TVector : struct, ISimdVector<TVector>
    {
        var q = m * inverse;
        mLow -= TVector.ProductError(q, d, m);
        mLow -= q * dLow;
        return TVector.MultiplyAdd(mLow, inverse, q);
    }

    /// <summary>a (1 + q) / (1 + e) for e from 0 to 1.</summary>
    /// <remarks>As m - m e / (1 + e), m = a + a q: what the quotient has lost by rounding counts by its share of the result only.</remarks>
    [MethodImpl(Inline)]
    private static TVector LogisticTail<TVector>(TVector a, TVector q, TVector e) where TVector : struct, ISimdVector<TVector>
    {
        var m = TVector.MultiplyAdd(q, a, a);
        return TVector.MultiplyAdd(e / (-1 - e), m, m);
    }

    /// <summary>erf(a) / a - 1 for s = a^2 up to 0.93^2 (float) or 1 (double).</summary>
    [MethodImpl(Inline)]
    private static TVector ErfCorrection<TVector>(TVector s) where TVector : struct, ISimdVector<TVector>
    {
        if (TVector.IsSingle)
        {
            var p = TVector.MultiplyAdd(s, 8.3167724370e-05, -8.1300118472e-04);
            p = TVector.MultiplyAdd(p, s, 5.1999064162e-03);
            p = TVector.MultiplyAdd(p, s, -2.6858940721e-02);
            p = TVector.MultiplyAdd(p, s, 1.1283687502e-01);
            p = TVector.MultiplyAdd(p, s, -3.7612631917e-01);
            return TVector.MultiplyAdd(p, s, 1.2837916613e-01);
        }
        else
        {
            var p = TVector.MultiplyAdd(s, -2.0732706882020418e-05, -0.000495617148892935);
            p = TVector.MultiplyAdd(p, s, -0.008815691886049887);
            p = TVector.MultiplyAdd(p, s, -0.04832960784738254);
            p = TVector.MultiplyAdd(p, s, -0.31700607783227125);
            p = TVector.MultiplyAdd(p, s, 0.1283791670955126);
            var q = TVector.MultiplyAdd(s, 2.0810455401238816e-05, 0.000692502617004106);
            q = TVector.MultiplyAdd(q, s, 0.010693122854704855);
            q = TVector.MultiplyAdd(q, s, 0.09381329122183893);
            q = TVector.MultiplyAdd(q, s, 0.4605132790399058);
            return p / TVector.MultiplyAdd(q, s, 1);
        }
    }
}
