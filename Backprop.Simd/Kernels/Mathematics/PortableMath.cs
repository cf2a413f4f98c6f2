using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>Functions of single, individually rounded IEEE double operations: the same bits on every machine, which no system
/// library promises. The compiler does not fuse separate operations.</summary>
internal static class PortableMath
{
    private const double Ln2High = 6.93147180369123816490e-01, Ln2Low = 1.90821492927058770002e-10; // fdlibm's split

    /// <summary>ln x for positive, normal, finite x.</summary>
    /// <remarks>x = 2^k m with m in [sqrt(1/2), sqrt(2)); with f = (m - 1) / (m + 1), at most 0.172 in size,
    /// ln m = 2 (f + f^3/3 + f^5/5 + ...), to the term f^21 / 21: the next is below 2^-57 of the sum.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Log(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x) + (0x3FF0000000000000 - 0x3FE6A09E667F3BCD);
        var k = (double)((bits >> 52) - 1023);
        var m = BitConverter.Int64BitsToDouble((bits & 0x000FFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD);
        var f = (m - 1) / (m + 1);
        var z = f * f;
        var series = 1.0 / 21;
        series = series * z + 1.0 / 19;
        series = series * z + 1.0 / 17;
        series = series * z + 1.0 / 15;
        series = series * z + 1.0 / 13;
        series = series * z + 1.0 / 11;
        series = series * z + 1.0 / 9;
        series = series * z + 1.0 / 7;
        series = series * z + 1.0 / 5;
        series = series * z + 1.0 / 3;
        return k * Ln2High + (k * Ln2Low + (2 * f + 2 * f * z * series));
    }

    /// <summary>x^n for n from 0, by squaring: a function of x and n alone, in as many steps as n has bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double Power(double x, long n)
    {
        var power = 1.0;
        for (; n > 0; n >>= 1, x *= x)
            power *= (n & 1) != 0 ? x : 1;

        return power;
    }

    /// <summary>e^x for x up to 0; 0 where the result would not be normal.</summary>
    /// <remarks>x = k ln 2 + r with |r| up to 0.35; e^r by its series to the term r^13 / 13!: the next is below 2^-57.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static double ExpOfNegative(double x)
    {
        if (x < -708)
            return 0;
        var k = Math.Round(x * 1.4426950408889634);
        var r = x - k * Ln2High - k * Ln2Low;
        var series = 1.0;
        for (var n = 13; n > 0; n--)
            series = series * r / n + 1;
        return series * BitConverter.Int64BitsToDouble((long)(k + 1023) << 52);
    }
}
