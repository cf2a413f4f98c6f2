using System.Numerics;

namespace Backprop.Simd.Tests.Reference;

/// <summary>A number of 192 binary digits, mantissa 2^exponent: some 1e-57 of itself off after an operation.</summary>
internal readonly struct Big
{
    private const int Digits = 192;

    private readonly BigInteger _mantissa;
    private readonly int _exponent;

    private Big(BigInteger mantissa, int exponent)
    {
        var excess = (int)Math.Max(0, mantissa.GetBitLength() - Digits);
        (_mantissa, _exponent) = (mantissa >> excess, exponent + excess);
    }

    public static Big Ln2 { get; } = LnOnePlus(1);

    /// <summary>1 / sqrt(pi) and 1 / sqrt(2 pi), to 60 digits.</summary>
    public static Big InverseRootPi { get; } = Decimals("564189583547756286948079451560772585844050629328998856844086");

    public static Big InverseRootTwoPi { get; } = Decimals("398942280401432677939946059934381868475858631164934657665926");

    public int Sign => _mantissa.Sign;

    /// <summary>A finite double, exactly.</summary>
    public static implicit operator Big(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var (fraction, power) = (bits & 0xFFFFFFFFFFFFF, (int)(bits >> 52 & 0x7FF));
        var mantissa = power == 0 ? fraction : fraction | 1L << 52;
        return new(bits < 0 ? -mantissa : mantissa, Math.Max(power, 1) - 1075);
    }

    public static Big operator -(Big x) => new(-x._mantissa, x._exponent);

    public static Big operator +(Big x, Big y)
    {
        // What lies far below the last digit of the other is left out.
        if (x._exponent < y._exponent)
            (x, y) = (y, x);
        var shift = x._exponent - y._exponent;
        return shift > 3 * Digits && x.Sign != 0 ? x : new((x._mantissa << (x.Sign == 0 ? 0 : shift)) + y._mantissa, y._exponent);
    }

    public static Big operator -(Big x, Big y) => x + -y;

    public static Big operator *(Big x, Big y) => new(x._mantissa * y._mantissa, x._exponent + y._exponent);

    public static Big operator /(Big x, Big y) => new((x._mantissa << (2 * Digits)) / y._mantissa, x._exponent - y._exponent - (2 * Digits));

    public static Big Exp(Big x)
    {
        // x = n ln 2 + r; the series of e^r.
        var n = (int)Math.Round((double)x / Math.Log(2));
        var r = x - (n * Ln2);
        Big sum = 1;
        for (var k = 45; k > 0; k--)
            sum = (sum * r / k) + 1;
        return new(sum._mantissa, sum._exponent + n);
    }

    /// <summary>ln x for positive x.</summary>
    public static Big Ln(Big x)
    {
        var n = x._exponent + (int)x._mantissa.GetBitLength() - 1;
        return LnOnePlus(new Big(x._mantissa, x._exponent - n) - 1) + (n * Ln2);
    }

    /// <summary>ln(1 + x) for x from 0 to 1: 2 (f + f^3 / 3 + f^5 / 5 + ...) with f = x / (x + 2).</summary>
    public static Big LnOnePlus(Big x)
    {
        var f = x / (x + 2);
        var (square, sum) = (f * f, (Big)0);
        for (var k = 125; k > 0; k -= 2)
            sum = (sum * square) + ((Big)1 / k);
        return 2 * f * sum;
    }

    /// <summary>To nearly the nearest double.</summary>
    public static explicit operator double(Big x)
    {
        var shift = (int)Math.Max(0, x._mantissa.GetBitLength() - 60);
        return Math.ScaleB((double)(x._mantissa >> shift), x._exponent + shift);
    }

    /// <summary>How far a finite double lies from this number, in units of the last place of the double nearest to this.</summary>
    public double UlpsTo(double y)
    {
        var unit = Math.Max(_exponent + (int)_mantissa.GetBitLength() - 53, -1074);
        var off = y - this;
        return Math.Abs((double)new Big(off._mantissa, off._exponent - unit));
    }

    /// <summary>mantissa 2^exponent.</summary>
    public static Big Scaled(BigInteger mantissa, int exponent) => new(mantissa, exponent);

    private static Big Decimals(string digits) => new Big(BigInteger.Parse(digits), 0) / new Big(BigInteger.Pow(10, digits.Length), 0);
}
