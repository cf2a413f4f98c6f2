using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

public static partial class VectorMath
{
    /// <summary>x^y over the whole range, signs included, as C99's pow: x^0 and 1^y are 1, also with NaN; a negative x with a y that is
    /// no integer gives NaN.</summary>
    /// <remarks>e^(y ln x), where ln x and its product with y are carried in two numbers: at most about one unit in the last place off.
    /// A zero or infinite x gives 0 or infinity by the sign of y, negative where x is and y is odd. (-1)^y is 1 at infinite y.</remarks>
    /// <typeparam name="TVector">The register.</typeparam>
    /// <param name="x">The bases.</param>
    /// <param name="y">The exponents.</param>
    /// <returns>x^y for each lane.</returns>
    [MethodImpl(Inline)]
    public static TVector Pow<TVector>(TVector x, TVector y) where TVector : struct, ISimdVector<TVector>
    {
        var a = TVector.Abs(x);

        // Beyond this bound any x but 1 gives 0 or infinity; in the product it would overflow.
        var exponent = TVector.Min(TVector.IsSingle ? 1e10 : 2e19, TVector.Max(TVector.IsSingle ? -1e10 : -2e19, y));
        var log = LogInTwo(a, out var logLow);
        var product = log * exponent;
        var low = TVector.MultiplyAdd(logLow, exponent, TVector.ProductError(log, exponent, product));

        // Beyond these bounds the result is infinity or 0.
        var bound = TVector.IsSingle ? 120.0 : 760;
        low = TVector.AndNot(low, TVector.Abs(product) > bound);
        product = TVector.Min(bound, TVector.Max(-bound, product));
        var power = ExpReduced(product, low, out var n, out var powerLow);
        power = TVector.ScaleByPowerOfTwo(power + powerLow, n);

        // At a zero or an infinity of x.
        var limit = TVector.Select(a > 1, y, -y);
        limit = TVector.AndNot(TVector.Create(double.PositiveInfinity), limit < 0);
        var isFinite = a < double.PositiveInfinity;
        var isInside = isFinite & (a > 0);
        power = TVector.Select(isInside, power, limit);

        // The sign, and no number for a root of a negative number.
        var half = y * 0.5;
        var isInteger = TVector.Equal(TVector.Floor(y), y);
        var isEven = TVector.Equal(TVector.Floor(half), half);
        var sign = SignBit<TVector>() & x;
        power |= TVector.AndNot(sign & isInteger, isEven);
        var isNone = TVector.AndNot((x < 0) & isFinite, isInteger);
        isNone = isNone | TVector.IsNaN(x);
        isNone = isNone | TVector.IsNaN(y);
        power |= isNone;
        var isOne = TVector.Equal(y, TVector.Zero) | TVector.Equal(x, TVector.One);
        return TVector.Select(isOne, TVector.One, power);
    }

    /// <summary>ln a and what its rounding has taken, together to some 2^-34 (float) or 2^-64 (double) of ln a, for positive finite a.</summary>
    /// <remarks>a = 2^k m with m in [3/4, 3/2); with s = (m - 1) / (m + 1), ln m = 2 s + s^3 (2/3 + s^2 t(s^2)), where t is a
    /// polynomial, and all but t is carried in two numbers.</remarks>
    [MethodImpl(Inline)]
    private static TVector LogInTwo<TVector>(TVector a, out TVector low) where TVector : struct, ISimdVector<TVector>
    {
        var k = TVector.Exponent(a);
        var m = TVector.Significand(a);
        var f = m - 1;
        var d = m + 1;
        var dLow = m - (d - 1);
        var inverse = 1 / d;
        var s = f * inverse;
        var sLow = -TVector.ProductError(s, d, f);
        sLow -= s * dLow;
        sLow *= inverse;

        // Its sum with the rounding error is again in two numbers.
        var quotient = s + sLow;
        sLow -= quotient - s;
        s = quotient;
        var z = s * s;
        var zLow = TVector.ProductError(s, s, z);
        zLow = TVector.MultiplyAdd(s + s, sLow, zLow);
        var t = LogTail(z);
        var tail = t * z;
        var twoThirds = TVector.Create(0.6666666865348816f, 0.6666666666666666);
        var w = tail + twoThirds;
        var wLow = twoThirds - w;
        wLow += tail;
        wLow += TVector.Create(-1.9868215517249155e-08f, 3.700743415417188e-17);
        wLow = TVector.MultiplyAdd(zLow, t, wLow);

        // s^3 w.
        var cube = s * z;
        var cubeLow = TVector.ProductError(s, z, cube);
        cubeLow = TVector.MultiplyAdd(zLow, s, cubeLow);
        cubeLow = TVector.MultiplyAdd(sLow, z, cubeLow);
        var series = cube * w;
        low = TVector.ProductError(cube, w, series);
        low = TVector.MultiplyAdd(cube, wLow, low);
        low = TVector.MultiplyAdd(cubeLow, w, low);

        // k ln 2 + 2 s + s^3 w; k times the upper part of ln 2 is exact.
        low = TVector.MultiplyAdd(k, TVector.IsSingle ? -2.1219444005469057e-4 : 1.90821492927058770002e-10, low);
        low += sLow + sLow;
        var upper = k * (TVector.IsSingle ? 0.693359375 : 6.93147180369123816490e-01);
        s += s;
        var sum = upper + s;
        low += s - (sum - upper);
        upper = sum + series;
        low += series - (upper - sum);
        sum = upper + low;
        low -= sum - upper;
        return sum;
    }

    /// <summary>t of ln m = 2 s + s^3 (2/3 + z t(z)), z = s^2 up to 1/25.</summary>
    [MethodImpl(Inline)]
    private static TVector LogTail<TVector>(TVector z) where TVector : struct, ISimdVector<TVector>
    {
        if (TVector.IsSingle)
        {
            var p = TVector.MultiplyAdd(z, 0.19477190725336746, 0.22189271069708671);
            p = TVector.MultiplyAdd(p, z, 0.28571694400304354);
            return TVector.MultiplyAdd(p, z, 0.3999999966652055);
        }
        else
        {
            var p = TVector.MultiplyAdd(z, 0.11256990431060045, 0.10391790132793773);
            p = TVector.MultiplyAdd(p, z, 0.11770245498985364);
            p = TVector.MultiplyAdd(p, z, 0.13333201253847668);
            p = TVector.MultiplyAdd(p, z, 0.15384617228261813);
            p = TVector.MultiplyAdd(p, z, 0.18181818167391273);
            p = TVector.MultiplyAdd(p, z, 0.22222222222278695);
            p = TVector.MultiplyAdd(p, z, 0.28571428571428487);
            return TVector.MultiplyAdd(p, z, 0.4);
        }
    }
}
