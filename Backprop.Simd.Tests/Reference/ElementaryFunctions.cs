namespace Backprop.Simd.Tests.Reference;

/// <summary>
/// Elementary functions in double, to some 2 units of its last place: the reference for tests and for the sweep over all floats.
/// Written for accuracy, with other methods than the kernels: series and continued fractions.
/// </summary>
internal static class ElementaryFunctions
{
    /// <summary>Every function by name.</summary>
    public static readonly IReadOnlyDictionary<string, Func<double, double>> ByName = new Dictionary<string, Func<double, double>>
    {
        ["exp"] = Math.Exp,
        ["log"] = Math.Log,
        ["sigmoid"] = Sigmoid,
        ["tanh"] = Math.Tanh,
        ["erf"] = Erf,
        ["gelu"] = Gelu,
        ["geluTanh"] = GeluTanh,
        ["silu"] = Silu,
        ["softplus"] = Softplus,
        ["sin"] = Math.Sin,
        ["cos"] = Math.Cos,
    };

    public static double Sigmoid(double x) => x < 0 ? Math.Exp(x) / (1 + Math.Exp(x)) : 1 / (1 + Math.Exp(-x));

    /// <summary>x / (1 + e^-x), with its limit 0 at -infinity.</summary>
    public static double Silu(double x) =>
        // e^x is subnormal, hence inexact, long before x e^x is.
        x < -700 ? double.IsNegativeInfinity(x) ? 0 : x * Math.Exp(x / 2) * Math.Exp(x / 2)
        : x < 0 ? x * Math.Exp(x) / (1 + Math.Exp(x))
        : x / (1 + Math.Exp(-x));

    public static double Softplus(double x) => Math.Max(x, 0) + LogOnePlus(Math.Exp(-Math.Abs(x)));

    /// <summary>ln(1 + e) for e from 0 to 1, after Kahan.</summary>
    private static double LogOnePlus(double e)
    {
        var u = 1 + e;
        return u == 1 ? e : Math.Log(u) * e / (u - 1);
    }

    /// <summary>
    /// The alternating series of (-1)^n x^(2n + 1) / (n! (2n + 1)) up to 1; beyond, one less
    /// e^(-x^2) / sqrt(pi) / (x + 1/2 / (x + 1 / (x + 3/2 / ...))), whose own error hardly shows.
    /// </summary>
    public static double Erf(double x)
    {
        var a = Math.Abs(x);
        if (a >= 6)
            return Math.Sign(x);
        if (a >= 1)
        {
            var fraction = a;
            for (var k = 200; k > 0; k--)
                fraction = a + k / 2.0 / fraction;
            return Math.Sign(x) * (1 - Math.Exp(-a * a) * 0.5641895835477563 / fraction);
        }

        // 20 terms, from the innermost out: x - x^3 / 3 (1 - ...) as a nest, so that small terms come first.
        double power = 1, rest = 0;
        Span<double> terms = stackalloc double[20];
        for (var n = 1; n <= terms.Length; n++)
            terms[n - 1] = (power *= -x * x / n) / (2 * n + 1);
        for (var n = terms.Length - 1; n >= 0; n--)
            rest += terms[n];

        // 2 / sqrt(pi) = 1 + 0.128..., the greater part exact.
        return x + x * (rest + 0.1283791670955126 * (1 + rest));
    }

    /// <summary>x Phi(x), with its limit 0 at -infinity.</summary>
    public static double Gelu(double x)
    {
        const double rootHalf = 0.7071067811865476;
        if (x > -0.7 || double.IsNaN(x))
            return x * (0.5 + 0.5 * Erf(x * rootHalf));
        if (x < -40)
            return 0;

        // Phi(-a) = e^(-a^2 / 2) / sqrt(2 pi) / (a + 1 / (a + 2 / (a + 3 / ...))), a^2 in two numbers.
        double a = -x, fraction = a;
        for (var k = 30 + (int)(600 / (a * a)); k > 0; k--)
            fraction = a + k / fraction;
        var (square, low) = Product(a, a);

        // Applied in two halves: the density alone may be subnormal.
        var root = Math.Exp(-square / 4);
        return -a * root * (1 - low / 2) * 0.3989422804014327 / fraction * root;
    }

    /// <summary>x s(v) with v = 2 sqrt(2 / pi) (x + 0.044715 x^3) in two numbers; its limit 0 at -infinity.</summary>
    public static double GeluTanh(double x)
    {
        if (x < -30)
            return 0;
        if (!(x < 30))
            return x;
        var (square, squareLow) = Product(x, x);
        var (cubic, cubicLow) = Product(0.044715, square);
        cubicLow += 0.044715 * squareLow + 2.1960211427085595e-18 * square; // 0.044715 is not a double.
        var sum = 1 + cubic;
        var sumLow = (cubic <= 1 ? 1 - sum + cubic : cubic - sum + 1) + cubicLow;
        var (scaled, scaledLow) = Product(1.5957691216057308, x);
        scaledLow += -9.96930880911092e-17 * x;
        var (v, low) = Product(scaled, sum);
        low += scaled * sumLow + scaledLow * sum;
        if (v >= 0)
            return x / (1 + Math.Exp(-v) * (1 - low));
        var root = Math.Exp(v / 2);
        return x * root * (1 + low) / (1 + root * root) * root;
    }

    private static (double Product, double Error) Product(double a, double b) => (a * b, Math.FusedMultiplyAdd(a, b, -(a * b)));
}
