namespace Backprop.Simd.Tests.Reference;

/// <summary>Functions of doubles to some 50 digits, from their definitions: what the error of double kernels is measured against.</summary>
internal static class ExactFunctions
{
    public static readonly IReadOnlyDictionary<string, Func<double, Big>> ByName = new Dictionary<string, Func<double, Big>>
    {
        ["exp"] = x => Big.Exp(x),
        ["log"] = x => Big.Ln(x),
        ["sigmoid"] = x => 1 / (1 + Big.Exp(-x)),
        ["tanh"] = x => 1 - 2 / (Big.Exp((Big)x * 2) + 1),
        ["erf"] = Erf,
        ["gelu"] = Gelu,
        ["geluTanh"] = GeluTanh,
        ["silu"] = x => x / (1 + Big.Exp(-x)),
        ["softplus"] = x => Math.Max(x, 0) + Big.LnOnePlus(Big.Exp(-Math.Abs(x))),
        ["mish"] = Mish,
        ["elu"] = x => x > 0 ? x : Big.Exp(x) - 1,
        ["sin"] = ExactAngles.Sin,
        ["cos"] = ExactAngles.Cos,
    };

    private static Big Erf(double x)
    {
        Big a = Math.Abs(x);
        var y = Math.Abs(x) < 3 ? 2 * Big.InverseRootPi * a * Series(2 * a * a) : 1 - Big.Exp(-(a * a)) * Big.InverseRootPi / Fraction(a, 0.5);
        return x < 0 ? -y : y;
    }

    private static Big Gelu(double x)
    {
        Big a = Math.Abs(x);
        if (Math.Abs(x) < 3)
            return x * (0.5 + Big.InverseRootTwoPi * x * Series(a * a));
        return Math.Max(x, 0) - a * Big.Exp(a * a / -2) * Big.InverseRootTwoPi / Fraction(a, 1);
    }

    /// <summary>x / (1 + e^-v) with v = 2 sqrt(2 / pi) (x + 0.044715 x^3).</summary>
    private static Big GeluTanh(double x)
    {
        Big v = 4 * Big.InverseRootTwoPi * (x + 44715 * ((Big)x * x * x) / 1e6);
        return x / (1 + Big.Exp(-v));
    }

    private static Big Mish(double x)
    {
        var e = Big.Exp(x);
        var w = e * (e + 2);
        return x * w / (w + 2);
    }

    /// <summary>The sum of (-s / 2)^k / (k! (2k + 1)).</summary>
    private static Big Series(Big s)
    {
        Big sum = 0, term = 1;
        for (var k = 0; k < 120; k++)
        {
            sum += term / (2 * k + 1);
            term = term * s / (-2 * (k + 1));
        }

        return sum;
    }

    /// <summary>a + step / (a + 2 step / (a + 3 step / ...)).</summary>
    private static Big Fraction(Big a, double step)
    {
        var fraction = a;
        for (var k = 200; k > 0; k--)
            fraction = a + k * step / fraction;
        return fraction;
    }
}
