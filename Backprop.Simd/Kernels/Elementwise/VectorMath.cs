using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Elementary functions of a whole vector, for kernels and for activations written outside the library.</summary>
/// <remarks>
/// <para>A lane's result depends on that lane alone, never on its neighbours, so a loop may group elements as it likes. All
/// functions cover the full range: subnormal arguments and results, zeros, infinities and NaN.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static class VectorMath
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>e^x, with subnormal results, 0 and infinity at the ends of the range; exactly 1 at 0.</summary>
    /// <remarks>x = n ln 2 + r, |r| at most ln 2 / 2; e^r is a polynomial (float: Cephes expf; double: the Taylor series to
    /// degree 13) and 2^n is applied in two halves, so that results round to subnormals once.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>e^x for each lane; NaN for NaN.</returns>
    [MethodImpl(Inline)]
    public static Vector<T> Exp<T>(Vector<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Beyond these bounds the result is 0 or infinity. The constant comes first: native forms then return x where it is NaN.
        x = Vector.MinNative(Both<T>(89f, 710d), x);
        x = Vector.MaxNative(Both<T>(-104f, -746d), x);

        // Adding 1.5 * 2^(mantissa bits) rounds to an integer and leaves that integer in the low bits.
        var magic = Both<T>(12582912f, 6755399441055744d);
        var n = MultiplyAdd(x, Both<T>(1.44269504088896341f, 1.4426950408889634074), magic) - magic;
        var r = MultiplyAdd(n, Both<T>(-0.693359375f, -6.93147180369123816490e-01), x);
        r = MultiplyAdd(n, Both<T>(2.12194440e-4f, -1.90821492927058770002e-10), r);

        // e^r = 1 + (r + r^2 q(r)): the large term is added last.
        var r2 = r * r;
        var p = Vector<T>.One + MultiplyAdd(ExpPolynomial(r, r2), r2, r);

        var half = MultiplyAdd(n, Both<T>(0.5f, 0.5), magic);
        var first = half - magic;
        return p * PowerOfTwo(half) * PowerOfTwo(n - first + magic);
    }

    /// <summary>The natural logarithm: -infinity at both zeros, NaN below them.</summary>
    /// <remarks>x = 2^k m with m in [sqrt(1/2), sqrt(2)); ln m by the odd series in (m - 1) / (m + 1) with the coefficients of
    /// fdlibm's e_log.c (double) and e_logf.c (float).</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>ln x for each lane.</returns>
    [MethodImpl(Inline)]
    public static Vector<T> Log<T>(Vector<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var small = Vector.LessThan(x, Both<T>(1.17549435e-38f, 2.2250738585072014e-308));
        var normal = Vector.ConditionalSelect(small, x * Both<T>(33554432f, 18014398509481984d), x);
        SplitExponent(normal, out var k, out var m);
        k -= small & Both<T>(25f, 54d);

        var f = m - Vector<T>.One;
        var s = f / (f + Both<T>(2f, 2d));
        var z = s * s;
        var halfSquare = Both<T>(0.5f, 0.5) * f * f;
        var series = s * MultiplyAdd(LogPolynomial(z), z, halfSquare);
        var result = MultiplyAdd(k, Both<T>(6.9313812256e-01f, 6.93147180369123816490e-01),
            f - (halfSquare - MultiplyAdd(k, Both<T>(9.0580006145e-06f, 1.90821492927058770002e-10), series)));

        // +infinity and NaN pass through; below zero there is no logarithm, and at zero it is -infinity.
        var infinity = Vector.Create(T.PositiveInfinity);
        result = Vector.ConditionalSelect(Vector.LessThan(x, infinity), result, x);
        result = Vector.ConditionalSelect(Vector.GreaterThanOrEqual(x, Vector<T>.Zero), result, Vector.Create(T.NaN));
        return Vector.ConditionalSelect(Vector.Equals(x, Vector<T>.Zero), -infinity, result);
    }

    /// <summary>The logistic function 1 / (1 + e^-x), without overflow; saturates to exactly 0 and 1.</summary>
    /// <remarks>With e = e^-|x|: 1 / (1 + e) for x at or above 0, e / (1 + e) below, which keeps its relative accuracy down to
    /// the smallest subnormal.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>The logistic function of each lane; NaN for NaN.</returns>
    [MethodImpl(Inline)]
    public static Vector<T> Sigmoid<T>(Vector<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var e = Exp(x | SignBit<T>());
        var numerator = Vector.ConditionalSelect(Vector.LessThan(x, Vector<T>.Zero), e, Vector<T>.One);
        return numerator / (Vector<T>.One + e);
    }

    /// <summary>The hyperbolic tangent, relatively accurate near 0; saturates to exactly -1 and 1, and keeps the sign of 0.</summary>
    /// <remarks>Below 0.625 the odd approximations of Cephes' tanhf.c (polynomial) and tanh.c (rational), above it
    /// 1 - 2 / (e^(2|x|) + 1), with the sign put back.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The arguments.</param>
    /// <returns>tanh x for each lane; NaN for NaN.</returns>
    [MethodImpl(Inline)]
    public static Vector<T> Tanh<T>(Vector<T> x) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sign = x & SignBit<T>();
        var a = x ^ sign;
        var z = a * a;
        var near = MultiplyAdd(TanhCorrection(z) * z, a, a);
        var far = Vector<T>.One - Both<T>(2f, 2d) / (Exp(a + a) + Vector<T>.One);
        return Vector.ConditionalSelect(Vector.LessThan(a, Both<T>(0.625f, 0.625)), near, far) | sign;
    }

    /// <summary>a b + c, fused where the hardware fuses.</summary>
    [MethodImpl(Inline)]
    internal static Vector<T> MultiplyAdd<T>(Vector<T> a, Vector<T> b, Vector<T> c) where T : unmanaged, IFloatingPointIeee754<T> =>
        VectorSimd<T>.MultiplyAdd(a, b, c);

    /// <summary>The constant of the type in hand, in all lanes.</summary>
    [MethodImpl(Inline)]
    internal static Vector<T> Both<T>(float single, double twice) where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return Vector.As<float, T>(Vector.Create(single));
        if (typeof(T) == typeof(double))
            return Vector.As<double, T>(Vector.Create(twice));
        throw new NotSupportedException();
    }

    [MethodImpl(Inline)]
    private static Vector<T> SignBit<T>() where T : unmanaged => Both<T>(-0f, -0d);

    /// <summary>(e^r - 1 - r) / r^2.</summary>
    [MethodImpl(Inline)]
    private static Vector<T> ExpPolynomial<T>(Vector<T> r, Vector<T> r2) where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Even and odd powers in two chains: half the latency of one.
        if (typeof(T) == typeof(float))
        {
            var even = MultiplyAdd(MultiplyAdd(Both<T>(1.3981999507e-3f, 0), r2, Both<T>(4.1665795894e-2f, 0)), r2, Both<T>(5.0000001201e-1f, 0));
            var odd = MultiplyAdd(MultiplyAdd(Both<T>(1.9875691500e-4f, 0), r2, Both<T>(8.3334519073e-3f, 0)), r2, Both<T>(1.6666665459e-1f, 0));
            return MultiplyAdd(odd, r, even);
        }
        else
        {
            var even = MultiplyAdd(Both<T>(0, 1.0 / 479001600), r2, Both<T>(0, 1.0 / 3628800));
            even = MultiplyAdd(even, r2, Both<T>(0, 1.0 / 40320));
            even = MultiplyAdd(even, r2, Both<T>(0, 1.0 / 720));
            even = MultiplyAdd(even, r2, Both<T>(0, 1.0 / 24));
            even = MultiplyAdd(even, r2, Both<T>(0, 1.0 / 2));
            var odd = MultiplyAdd(Both<T>(0, 1.0 / 6227020800), r2, Both<T>(0, 1.0 / 39916800));
            odd = MultiplyAdd(odd, r2, Both<T>(0, 1.0 / 362880));
            odd = MultiplyAdd(odd, r2, Both<T>(0, 1.0 / 5040));
            odd = MultiplyAdd(odd, r2, Both<T>(0, 1.0 / 120));
            odd = MultiplyAdd(odd, r2, Both<T>(0, 1.0 / 6));
            return MultiplyAdd(odd, r, even);
        }
    }

    /// <summary>fdlibm's R(z) / z, where ln m = f - f^2/2 + s (f^2/2 + R).</summary>
    [MethodImpl(Inline)]
    private static Vector<T> LogPolynomial<T>(Vector<T> z) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float))
        {
            var p = MultiplyAdd(Both<T>(0.24279078841f, 0), z, Both<T>(0.28498786688f, 0));
            p = MultiplyAdd(p, z, Both<T>(0.40000972152f, 0));
            return MultiplyAdd(p, z, Both<T>(0.66666662693f, 0));
        }
        else
        {
            var p = MultiplyAdd(Both<T>(0, 1.479819860511658591e-01), z, Both<T>(0, 1.531383769920937332e-01));
            p = MultiplyAdd(p, z, Both<T>(0, 1.818357216161805012e-01));
            p = MultiplyAdd(p, z, Both<T>(0, 2.222219843214978396e-01));
            p = MultiplyAdd(p, z, Both<T>(0, 2.857142874366239149e-01));
            p = MultiplyAdd(p, z, Both<T>(0, 3.999999999940941908e-01));
            return MultiplyAdd(p, z, Both<T>(0, 6.666666666666735130e-01));
        }
    }

    /// <summary>(tanh a - a) / (a z) for z = a^2 below 0.625^2.</summary>
    [MethodImpl(Inline)]
    private static Vector<T> TanhCorrection<T>(Vector<T> z) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(float))
        {
            var p = MultiplyAdd(Both<T>(-5.70498872745e-3f, 0), z, Both<T>(2.06390887954e-2f, 0));
            p = MultiplyAdd(p, z, Both<T>(-5.37397155531e-2f, 0));
            p = MultiplyAdd(p, z, Both<T>(1.33314422036e-1f, 0));
            return MultiplyAdd(p, z, Both<T>(-3.33332819422e-1f, 0));
        }
        else
        {
            var p = MultiplyAdd(Both<T>(0, -9.64399179425052238628e-1), z, Both<T>(0, -9.92877231001918586564e1));
            p = MultiplyAdd(p, z, Both<T>(0, -1.61468768441708447952e3));
            var q = z + Both<T>(0, 1.12811678491632931402e2);
            q = MultiplyAdd(q, z, Both<T>(0, 2.23548839060100448583e3));
            q = MultiplyAdd(q, z, Both<T>(0, 4.84406305325125486048e3));
            return p / q;
        }
    }

    /// <summary>2^n, where n was left in the low bits by the magic addition.</summary>
    [MethodImpl(Inline)]
    private static Vector<T> PowerOfTwo<T>(Vector<T> shifted) where T : unmanaged => typeof(T) == typeof(float)
        ? Vector.As<int, T>(Vector.ShiftLeft(Vector.As<T, int>(shifted), 23) + Vector.Create(0x3F800000))
        : Vector.As<long, T>(Vector.ShiftLeft(Vector.As<T, long>(shifted), 52) + Vector.Create(0x3FF0000000000000));

    /// <summary>x = 2^k m with m in [sqrt(1/2), sqrt(2)), for positive normal x; other lanes get anything.</summary>
    [MethodImpl(Inline)]
    private static void SplitExponent<T>(Vector<T> x, out Vector<T> k, out Vector<T> m) where T : unmanaged, IFloatingPointIeee754<T>
    {
        // Biased so that the exponent changes at sqrt(1/2); an exponent behind the bits of 2^(mantissa bits) is a number.
        if (typeof(T) == typeof(float))
        {
            var bits = Vector.As<T, int>(x) + Vector.Create(0x3F800000 - 0x3F3504F3);
            var exponent = Vector.ShiftRightLogical(bits, 23) | Vector.Create(0x4B000000);
            k = Vector.As<int, T>(exponent) - Both<T>(8388608f + 127f, 0);
            m = Vector.As<int, T>((bits & Vector.Create(0x007FFFFF)) + Vector.Create(0x3F3504F3));
        }
        else
        {
            var bits = Vector.As<T, long>(x) + Vector.Create(0x3FF0000000000000 - 0x3FE6A09E667F3BCD);
            var exponent = Vector.ShiftRightLogical(bits, 52) | Vector.Create(0x4330000000000000);
            k = Vector.As<long, T>(exponent) - Both<T>(0, 4503599627370496d + 1023d);
            m = Vector.As<long, T>((bits & Vector.Create(0x000FFFFFFFFFFFFF)) + Vector.Create(0x3FE6A09E667F3BCD));
        }
    }
}
