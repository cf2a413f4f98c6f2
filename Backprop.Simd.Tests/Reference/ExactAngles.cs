using System.Numerics;

namespace Backprop.Simd.Tests.Reference;

/// <summary>Sine and cosine of doubles of any size to some 50 digits: the angle is reduced in integers, with pi to 1,400 binary places.</summary>
internal static class ExactAngles
{
    private const int Places = 1400;

    /// <summary>pi 2^<see cref="Places"/>, by Machin's formula: pi = 16 arctan(1/5) - 4 arctan(1/239).</summary>
    private static readonly BigInteger Pi = (16 * InverseTangent(5) - 4 * InverseTangent(239)) >> 64;

    public static Big Sin(double x) => OfQuarters(x, 0);

    public static Big Cos(double x) => OfQuarters(Math.Abs(x), 1);

    private static Big OfQuarters(double x, int ahead)
    {
        var bits = BitConverter.DoubleToInt64Bits(Math.Abs(x));
        var exponent = (int)(bits >> 52);
        var mantissa = (BigInteger)(exponent == 0 ? bits : bits & 0xFFFFFFFFFFFFF | 1L << 52);
        var shift = Math.Max(exponent, 1) - 1075 + Places;
        if (shift < 0)
            return ahead == 0 ? x : 1; // Below 1e-400 there is nothing, and no double.
        var quarter = Pi >> 1;
        var n = ((mantissa << shift) + (quarter >> 1)) / quarter;
        var rest = (mantissa << shift) - n * quarter;
        var quarters = (int)(n & 3) + ahead;
        var r = Big.Scaled(rest, -Places);
        var y = (quarters & 1) == 0 ? Series(r, r, 1) : Series(r, 1, 0);
        return (quarters & 2) != 0 != x < 0 ? -y : y;
    }

    /// <summary>The series of the sine (from r and 1) or cosine (from 1 and 0).</summary>
    private static Big Series(Big r, Big term, int degree)
    {
        var (square, sum) = (r * r, term);
        for (; degree < 60; degree += 2)
        {
            term = term * square / -((degree + 1) * (degree + 2));
            sum += term;
        }

        return sum;
    }

    /// <summary>arctan(1 / n) with 64 more places: 1/n - 1/(3 n^3) + 1/(5 n^5) - ...</summary>
    private static BigInteger InverseTangent(int n)
    {
        var power = (BigInteger.One << (Places + 64)) / n;
        var sum = power;
        for (var k = 3; !power.IsZero; k += 2)
        {
            power /= -n * n;
            sum += power / k;
        }

        return sum;
    }
}
