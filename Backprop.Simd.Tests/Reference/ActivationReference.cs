namespace Backprop.Simd.Tests.Reference;

/// <summary>Activations and their derivatives by their definitions, in double; limits at the infinities are left to the tests.</summary>
internal static class ActivationReference
{
    private const double SeluScale = 1.0507009873554805, SeluAlpha = 1.6732632423543772;

    public static double Elu(double x, double alpha) => x > 0 ? x : alpha * ExpMinusOne(x);

    public static double EluSlope(double x, double alpha) => x > 0 ? 1 : alpha * Math.Exp(x);

    public static double Selu(double x) => SeluScale * Elu(x, SeluAlpha);

    public static double SeluSlope(double x) => SeluScale * EluSlope(x, SeluAlpha);

    /// <summary>Phi(x) + x phi(x).</summary>
    public static double GeluSlope(double x) =>
        (x == 0 ? 0.5 : ElementaryFunctions.Gelu(x) / x) + x * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);

    /// <summary>(1 + tanh u) / 2 + x / 2 (1 - tanh^2 u) u' with u = sqrt(2 / pi) (x + 0.044715 x^3), tanh by the logistic function s(2 u).</summary>
    public static double GeluTanhSlope(double x)
    {
        var root = Math.Sqrt(2 / Math.PI);
        var s = ElementaryFunctions.Sigmoid(2 * root * (x + 0.044715 * x * x * x));
        var below = ElementaryFunctions.Sigmoid(-2 * root * (x + 0.044715 * x * x * x));
        return s + 2 * x * s * below * root * (1 + 3 * 0.044715 * x * x);
    }

    public static double SiluSlope(double x) => ElementaryFunctions.Sigmoid(x) * (1 + x * ElementaryFunctions.Sigmoid(-x));

    public static double Mish(double x) => x * Math.Tanh(ElementaryFunctions.Softplus(x));

    public static double MishSlope(double x)
    {
        var s = ElementaryFunctions.Softplus(x);
        return Math.Tanh(s) + x / Math.Pow(Math.Cosh(s), 2) * ElementaryFunctions.Sigmoid(x);
    }

    public static double Softplus(double x, double beta, double threshold) =>
        beta * x > threshold ? x : ElementaryFunctions.Softplus(beta * x) / beta;

    public static double SoftplusSlope(double x, double beta, double threshold) =>
        beta * x > threshold ? 1 : ElementaryFunctions.Sigmoid(beta * x);

    public static double Softsign(double x) => x / (1 + Math.Abs(x));

    public static double SoftsignSlope(double x) => 1 / ((1 + Math.Abs(x)) * (1 + Math.Abs(x)));

    public static double HardSigmoid(double x) => Math.Clamp(x + 3, 0, 6) / 6;

    public static double HardSigmoidSlope(double x) => x > -3 && x < 3 ? 1 / 6.0 : 0;

    public static double HardSwish(double x) => x * HardSigmoid(x);

    public static double HardSwishSlope(double x) => x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5;

    public static double Celu(double x, double alpha) => x > 0 ? x : alpha * ExpMinusOne(x / alpha);

    public static double CeluSlope(double x, double alpha) => x > 0 ? 1 : Math.Exp(x / alpha);

    public static double ThresholdedRelu(double x, double theta) => x > theta ? x : 0;

    public static double ThresholdedReluSlope(double x, double theta) => x > theta ? 1 : 0;

    public static double Bounded(double x, double low, double high) => Math.Min(Math.Max(x, low), high);

    /// <summary>The slope of <see cref="Bounded"/>; at the bounds what is given.</summary>
    public static double BoundedSlope(double x, double low, double high, double atBounds) =>
        x == low || x == high ? atBounds : x > low && x < high ? 1 : 0;

    public static double LogSigmoid(double x) => -ElementaryFunctions.Softplus(-x);

    public static double LogSigmoidSlope(double x) => ElementaryFunctions.Sigmoid(-x);

    public static double ErfSlope(double x) => 2 / Math.Sqrt(Math.PI) * Math.Exp(-x * x);

    /// <summary>e^x - 1 without cancelling: 2 sinh(x / 2) e^(x / 2).</summary>
    private static double ExpMinusOne(double x) => 2 * Math.Sinh(x / 2) * Math.Exp(x / 2);
}
