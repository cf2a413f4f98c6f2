using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

// Derivatives of functions x s(x), where s rises from 0 to 1 and s(-x) = 1 - s(x): f'(x) = 1 - f'(-x), so that f' at -|x| is
// enough. There it is 2^n times a sum that cancels only at its root, and is relatively accurate in the tail.
public static partial class VectorMath
{
    /// <summary>e^x - 1 for x at most 0, relatively accurate near 0; exactly -1 at -infinity.</summary>
    [MethodImpl(Inline)]
    internal static TVector ExpMinusOne<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        // e^x - 1 = 2^n q + (2^n - 1), as in Tanh.
        var q = ExpMinusOneReduced(TVector.Max(TVector.IsSingle ? -20 : -40, x), out var n);
        var power = TVector.ScaleByPowerOfTwo(TVector.One, n);
        return TVector.MultiplyAdd(power, q, power - 1);
    }

    /// <summary>The derivative of <see cref="Gelu"/>: Phi(x) + x phi(x).</summary>
    /// <remarks>At -a it is e^(-a^2 / 2) (F(a) - a / sqrt(2 pi)).</remarks>
    [MethodImpl(Inline)]
    internal static TVector GeluSlope<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var a = NormalArgument(x);
        var p = NormalDensity(a, out var n, out var pLow);
        p += pLow;
        p *= TVector.MultiplyAdd(a, -0.3989422804014327, NormalTail(a));
        return Mirrored(x, TVector.ScaleByPowerOfTwo(p, n));
    }

    /// <summary>The derivative of <see cref="GeluTanh"/>: s(v) + x s(v) s(-v) v', v' = 2 sqrt(2 / pi) (1 + 3 * 0.044715 x^2).</summary>
    [MethodImpl(Inline)]
    internal static TVector GeluTanhSlope<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var a = GeluTanhArgument(x);
        var q = GeluTanhExp(a, out var n);
        var u = TVector.MultiplyAdd(a * a, 3 * 0.07135481627260025, 1.5957691216057308);
        return Mirrored(x, LogisticSlope(q, n, u * a));
    }

    /// <summary>The derivative of <see cref="Silu"/>: s(x) (1 + x s(-x)) with the logistic function s.</summary>
    [MethodImpl(Inline)]
    internal static TVector SiluSlope<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var a = SiluArgument(x);
        var q = ExpMinusOneReduced(-a, out var n);
        return Mirrored(x, LogisticSlope(q, n, a));
    }

    /// <summary>x tanh(ln(1 + e^x)), relatively accurate down to the smallest negative results; -0 at -infinity.</summary>
    /// <remarks>With e = e^x = 2^n p: x e (e + 2) / (e (e + 2) + 2). Beyond a bound the result is x.</remarks>
    [MethodImpl(Inline)]
    internal static TVector Mish<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        // (1 - r) x with r = e (e + 1) / (e (e + 2) + 2) below 0, times e; above 0 with r = 2 / (e (e + 2) + 2): a small part is taken
        // away, so that its errors count by its share only.
        var q = MishExpMinusOne(x, out var bounded, out var n);
        var e = TVector.ScaleByPowerOfTwo(q + 1, n);
        var isPositive = x > 0;
        var r = TVector.Select(isPositive, TVector.Create(2.0), TVector.MultiplyAdd(e, e, e));
        r /= TVector.MultiplyAdd(e + 2, -e, -2);
        var m = TVector.MultiplyAdd(q, bounded, bounded);
        m = TVector.ScaleByPowerOfTwo(TVector.MultiplyAdd(r, m, m), n);
        return TVector.Select(x > MishBound<TVector>(), x, TVector.Select(isPositive, TVector.MultiplyAdd(r, bounded, bounded), m));
    }

    /// <summary>The derivative of <see cref="Mish"/>: e ((e + 2) (w + 2) + 4 x (e + 1)) / (w + 2)^2 with w = e (e + 2).</summary>
    [MethodImpl(Inline)]
    internal static TVector MishSlope<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var p = MishExpMinusOne(x, out var bounded, out var n) + 1;
        var e = TVector.ScaleByPowerOfTwo(p, n);
        var w = TVector.MultiplyAdd(e + 2, e, 2);
        var sum = bounded * 4;
        sum *= e + 1;
        sum = TVector.MultiplyAdd(w, e + 2, sum);
        sum /= w;
        sum /= w;
        return TVector.ScaleByPowerOfTwo(sum * p, n);
    }

    /// <summary>q with e^bounded = 2^n (1 + q), where bounded is x up to where mish is x, and down to where it is 0, as rounded.</summary>
    [MethodImpl(Inline)]
    private static TVector MishExpMinusOne<TVector>(TVector x, out TVector bounded, out TVector n) where TVector : struct, ISimdVector<TVector>
    {
        bounded = TVector.Min(MishBound<TVector>(), x);
        bounded = TVector.Max(TVector.IsSingle ? -112 : -760, bounded);
        return ExpMinusOneReduced(bounded, out n);
    }

    [MethodImpl(Inline)]
    private static double MishBound<TVector>() where TVector : struct, ISimdVector<TVector> => TVector.IsSingle ? 12 : 24;

    /// <summary>s (1 - u s(-v)) at the lower side, s = e / (1 + e), for e^-v = 2^n (1 + q).</summary>
    [MethodImpl(Inline)]
    private static TVector LogisticSlope<TVector>(TVector q, TVector n, TVector u) where TVector : struct, ISimdVector<TVector>
    {
        q += 1;
        var d = TVector.ScaleByPowerOfTwo(q, n) + 1;
        u /= d;
        q /= d;
        return TVector.ScaleByPowerOfTwo(q * (1 - u), n);
    }

    /// <summary>f'(x) from f'(-|x|).</summary>
    [MethodImpl(Inline)]
    private static TVector Mirrored<TVector>(TVector x, TVector slope) where TVector : struct, ISimdVector<TVector> =>
        TVector.Select(x > 0, 1 - slope, slope);
}
