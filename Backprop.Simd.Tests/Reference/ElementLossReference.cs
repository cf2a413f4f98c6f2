namespace Backprop.Simd.Tests.Reference;

/// <summary>Losses of one prediction and one target with their derivatives, by definition, in double.</summary>
internal sealed record ElementLossReference(
    Func<double, double, double> Value, Func<double, double, double> Slope, Func<double, double, double> TargetSlope)
{
    public static ElementLossReference Squared { get; } = new((y, t) => (y - t) * (y - t), (y, t) => 2 * (y - t), (y, t) => -2 * (y - t));

    public static ElementLossReference Absolute { get; } = new((y, t) => Math.Abs(y - t), (y, t) => Math.Sign(y - t), (y, t) => -Math.Sign(y - t));

    public static ElementLossReference Huber(double delta) => new(
        (y, t) => Math.Abs(y - t) <= delta ? (y - t) * (y - t) / 2 : delta * (Math.Abs(y - t) - delta / 2),
        (y, t) => Math.Clamp(y - t, -delta, delta),
        (y, t) => -Math.Clamp(y - t, -delta, delta));

    public static ElementLossReference SmoothL1(double beta) => new(
        (y, t) => Math.Abs(y - t) < beta ? (y - t) * (y - t) / 2 / beta : Math.Abs(y - t) - beta / 2,
        (y, t) => Math.Clamp((y - t) / beta, -1, 1),
        (y, t) => -Math.Clamp((y - t) / beta, -1, 1));

    public static ElementLossReference BinaryCrossEntropy(double p) => new(
        (x, t) => p * t * ElementaryFunctions.Softplus(-x) + (1 - t) * ElementaryFunctions.Softplus(x),
        (x, t) => (1 - t) * ElementaryFunctions.Sigmoid(x) - p * t * ElementaryFunctions.Sigmoid(-x),
        (x, t) => p * ElementaryFunctions.Softplus(-x) - ElementaryFunctions.Softplus(x));

    public static ElementLossReference Hinge(double m) => new(
        (y, t) => Math.Max(0, m - y * t), (y, t) => y * t < m ? -t : 0, (y, t) => y * t < m ? -y : 0);

    public static ElementLossReference Quantile(double q) => new(
        (y, t) => Math.Max(q * (t - y), (q - 1) * (t - y)), (y, t) => t > y ? -q : t < y ? 1 - q : 0, (y, t) => t > y ? q : t < y ? q - 1 : 0);

    public static ElementLossReference Poisson { get; } = new((y, t) => Math.Exp(y) - t * y, (y, t) => Math.Exp(y) - t, (y, t) => -y);

    public static ElementLossReference Divergence { get; } = new(
        (x, t) => t == 0 ? 0 : t * (Math.Log(t) - x), (x, t) => -t, (x, t) => t == 0 ? 0 : Math.Log(t) + 1 - x);

    public static ElementLossReference LogDivergence { get; } = new(
        (x, u) => Math.Exp(u) * (u - x), (x, u) => -Math.Exp(u), (x, u) => Math.Exp(u) * (u + 1 - x));
}
