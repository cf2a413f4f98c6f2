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

    /// <summary>The derivative by the logit equals the definition's derivative, term by term.</summary>
    public static ElementLossReference Focal(double? alpha, double gamma)
    {
        double Weight(double t) => alpha is { } a ? a * t + (1 - a) * (1 - t) : 1;
        double Wrong(double x, double t) => (1 - t) * ElementaryFunctions.Sigmoid(x) + t * ElementaryFunctions.Sigmoid(-x);
        double Change(double x, double t) => gamma * Math.Pow(Wrong(x, t), gamma - 1) * BinaryCrossEntropy(1).Value(x, t);
        return new(
            (x, t) => Weight(t) * Math.Pow(Wrong(x, t), gamma) * BinaryCrossEntropy(1).Value(x, t),
            (x, t) => Weight(t) * (Math.Pow(Wrong(x, t), gamma) * BinaryCrossEntropy(1).Slope(x, t)
                + Change(x, t) * (1 - 2 * t) * ElementaryFunctions.Sigmoid(x) * ElementaryFunctions.Sigmoid(-x)),
            (x, t) => (alpha is { } a ? 2 * a - 1 : 0) * Math.Pow(Wrong(x, t), gamma) * BinaryCrossEntropy(1).Value(x, t)
                + Weight(t) * (Math.Pow(Wrong(x, t), gamma) * -x + Change(x, t) * (ElementaryFunctions.Sigmoid(-x) - ElementaryFunctions.Sigmoid(x))));
    }

    public static ElementLossReference SmoothedBinaryCrossEntropy(double p, double smoothing)
    {
        double Target(double t) => t * (1 - smoothing) + 0.5 * smoothing;
        var plain = BinaryCrossEntropy(p);
        return new((x, t) => plain.Value(x, Target(t)), (x, t) => plain.Slope(x, Target(t)), (x, t) => (1 - smoothing) * plain.TargetSlope(x, Target(t)));
    }

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
