using System.Numerics;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Optimizers;

/// <summary>Optimizers with options, each beside its formulas in double.</summary>
internal static class OptimizerCases
{
    public const double Rate = 0.05;

    /// <summary>A step of one parameter: the parameter, the gradient, the state (which starts as zeros), the number of the step from 1.</summary>
    public delegate double Formula(double w, double g, double[] s, int t);

    public static IReadOnlyList<string> Names =>
    [
        "adagrad", "adagrad decay", "adagrad rate decay", "rmsprop", "rmsprop decay", "rmsprop momentum", "rmsprop centered",
        "rmsprop centered momentum", "amsgrad", "amsgrad decoupled", "nadam", "nadam decay", "nadam decoupled", "lion", "lion decay",
        "adadelta", "adadelta decay", "adamax", "adamax decay", "radam", "radam decay", "radam decoupled",
    ];

    public static Optimizer<T> Create<T>(string name, int n) where T : unmanaged, IFloatingPointIeee754<T> => name switch
    {
        "adagrad" => new AdaGrad<T>(n, Rate),
        "adagrad decay" => new AdaGrad<T>(n, Rate, weightDecay: 0.1, start: 0.5),
        "adagrad rate decay" => new AdaGrad<T>(n, Rate, epsilon: 0.01, rateDecay: 0.2),
        "rmsprop" => new RmsProp<T>(n, Rate),
        "rmsprop decay" => new RmsProp<T>(n, Rate, 0.9, 1e-3, weightDecay: 0.1),
        "rmsprop momentum" => new RmsProp<T>(n, Rate, momentum: 0.8),
        "rmsprop centered" => new RmsProp<T>(n, Rate, centered: true),
        "rmsprop centered momentum" => new RmsProp<T>(n, Rate, 0.95, 1e-4, 0.2, 0.7, centered: true),
        "amsgrad" => new Adam<T>(n, Rate, 0.8, 0.5, weightDecay: 0.1, amsGrad: true),
        "amsgrad decoupled" => new AdamW<T>(n, Rate, 0.8, 0.5, weightDecay: 0.1, amsGrad: true),
        "nadam" => new NAdam<T>(n, Rate),
        "nadam decay" => new NAdam<T>(n, Rate, 0.8, 0.99, 1e-4, 0.1, 0.1),
        "nadam decoupled" => new NAdam<T>(n, Rate, weightDecay: 0.1, decoupled: true),
        "lion" => new Lion<T>(n, Rate),
        "lion decay" => new Lion<T>(n, Rate, 0.7, 0.8, 0.1),
        "adadelta" => new AdaDelta<T>(n, Rate),
        "adadelta decay" => new AdaDelta<T>(n, Rate, 0.7, 1e-3, 0.1),
        "adamax" => new AdaMax<T>(n, Rate),
        "adamax decay" => new AdaMax<T>(n, Rate, 0.8, 0.7, 1e-3, 0.1),
        "radam" => new RAdam<T>(n, Rate),
        "radam decay" => new RAdam<T>(n, Rate, 0.8, 0.95, 1e-4, 0.1),
        "radam decoupled" => new RAdam<T>(n, Rate, beta2: 0.5, weightDecay: 0.1, decoupled: true),
        _ => throw new ArgumentException(name, nameof(name)),
    };

    public static Formula FormulaOf(string name) => name switch
    {
        "adagrad" => AdaGrad(1e-10, 0, 0, 0),
        "adagrad decay" => AdaGrad(1e-10, 0.1, 0, 0.5),
        "adagrad rate decay" => AdaGrad(0.01, 0, 0.2, 0),
        "rmsprop" => RmsProp(0.99, 1e-8, 0, 0, false),
        "rmsprop decay" => RmsProp(0.9, 1e-3, 0.1, 0, false),
        "rmsprop momentum" => RmsProp(0.99, 1e-8, 0, 0.8, false),
        "rmsprop centered" => RmsProp(0.99, 1e-8, 0, 0, true),
        "rmsprop centered momentum" => RmsProp(0.95, 1e-4, 0.2, 0.7, true),
        "amsgrad" => AmsGrad(0.1, 0),
        "amsgrad decoupled" => AmsGrad(0, 0.1),
        "nadam" => NAdam(0.9, 0.999, 1e-8, 0, 0, 0.004),
        "nadam decay" => NAdam(0.8, 0.99, 1e-4, 0.1, 0, 0.1),
        "nadam decoupled" => NAdam(0.9, 0.999, 1e-8, 0, 0.1, 0.004),
        "lion" => Lion(0.9, 0.99, 0),
        "lion decay" => Lion(0.7, 0.8, 0.1),
        "adadelta" => AdaDelta(0.9, 1e-6, 0),
        "adadelta decay" => AdaDelta(0.7, 1e-3, 0.1),
        "adamax" => AdaMax(0.9, 0.999, 1e-8, 0),
        "adamax decay" => AdaMax(0.8, 0.7, 1e-3, 0.1),
        "radam" => RAdam(0.9, 0.999, 1e-8, 0, 0),
        "radam decay" => RAdam(0.8, 0.95, 1e-4, 0.1, 0),
        "radam decoupled" => RAdam(0.9, 0.5, 1e-8, 0, 0.1),
        _ => throw new ArgumentException(name, nameof(name)),
    };

    /// <summary>torch.optim.Adagrad.</summary>
    private static Formula AdaGrad(double epsilon, double decay, double rateDecay, double start) => (w, g, s, t) =>
    {
        g += decay * w;
        s[0] += g * g;
        return w - Rate / (1 + (t - 1) * rateDecay) * g / (Math.Sqrt(start + s[0]) + epsilon);
    };

    /// <summary>torch.optim.RMSprop.</summary>
    private static Formula RmsProp(double alpha, double epsilon, double decay, double momentum, bool centered) => (w, g, s, _) =>
    {
        g += decay * w;
        s[0] = alpha * s[0] + (1 - alpha) * g * g;
        s[1] = alpha * s[1] + (1 - alpha) * g;
        var scaled = g / (Math.Sqrt(s[0] - (centered ? s[1] * s[1] : 0)) + epsilon);
        s[2] = momentum * s[2] + scaled;
        return w - Rate * s[2];
    };

    /// <summary>torch.optim.Adam and AdamW with amsgrad: the largest v is kept before the correction.</summary>
    private static Formula AmsGrad(double decay, double decoupled) => (w, g, s, t) =>
    {
        g += decay * w;
        w -= Rate * decoupled * w;
        s[0] = 0.8 * s[0] + 0.2 * g;
        s[1] = 0.5 * s[1] + 0.5 * g * g;
        s[2] = Math.Max(s[2], s[1]);
        return w - Rate * (s[0] / (1 - Math.Pow(0.8, t))) / (Math.Sqrt(s[2] / (1 - Math.Pow(0.5, t))) + 1e-8);
    };

    /// <summary>torch.optim.NAdam, its product of momenta written out.</summary>
    private static Formula NAdam(double beta1, double beta2, double epsilon, double decay, double decoupled, double momentumDecay) => (w, g, s, t) =>
    {
        double Mu(int i) => beta1 * (1 - 0.5 * Math.Pow(0.96, i * momentumDecay));
        double product = 1;
        for (var i = 1; i <= t; i++)
            product *= Mu(i);
        g += decay * w;
        w *= 1 - Rate * decoupled;
        s[0] = beta1 * s[0] + (1 - beta1) * g;
        s[1] = beta2 * s[1] + (1 - beta2) * g * g;
        var root = Math.Sqrt(s[1] / (1 - Math.Pow(beta2, t))) + epsilon;
        w -= Rate * (1 - Mu(t)) / (1 - product) * g / root;
        return w - Rate * Mu(t + 1) / (1 - product * Mu(t + 1)) * s[0] / root;
    };

    /// <summary>Algorithm 2 of Chen et al.</summary>
    private static Formula Lion(double beta1, double beta2, double decay) => (w, g, s, _) =>
    {
        var step = Math.Sign(beta1 * s[0] + (1 - beta1) * g);
        s[0] = beta2 * s[0] + (1 - beta2) * g;
        return w - Rate * (step + decay * w);
    };

    /// <summary>torch.optim.Adadelta.</summary>
    private static Formula AdaDelta(double rho, double epsilon, double decay) => (w, g, s, _) =>
    {
        g += decay * w;
        s[0] = rho * s[0] + (1 - rho) * g * g;
        var step = Math.Sqrt(s[1] + epsilon) / Math.Sqrt(s[0] + epsilon) * g;
        s[1] = rho * s[1] + (1 - rho) * step * step;
        return w - Rate * step;
    };

    /// <summary>torch.optim.Adamax.</summary>
    private static Formula AdaMax(double beta1, double beta2, double epsilon, double decay) => (w, g, s, t) =>
    {
        g += decay * w;
        s[0] = beta1 * s[0] + (1 - beta1) * g;
        s[1] = Math.Max(beta2 * s[1], Math.Abs(g) + epsilon);
        return w - Rate / (1 - Math.Pow(beta1, t)) * s[0] / s[1];
    };

    /// <summary>torch.optim.RAdam.</summary>
    private static Formula RAdam(double beta1, double beta2, double epsilon, double decay, double decoupled) => (w, g, s, t) =>
    {
        double correction1 = 1 - Math.Pow(beta1, t), correction2 = 1 - Math.Pow(beta2, t);
        g += decay * w;
        w *= 1 - Rate * decoupled;
        s[0] = beta1 * s[0] + (1 - beta1) * g;
        s[1] = beta2 * s[1] + (1 - beta2) * g * g;
        double most = 2 / (1 - beta2) - 1, length = most - 2 * t * Math.Pow(beta2, t) / correction2;
        if (length <= 5)
            return w - Rate * s[0] / correction1;
        var rectified = Math.Sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length));
        return w - Rate * s[0] / correction1 * rectified * Math.Sqrt(correction2) / (Math.Sqrt(s[1]) + epsilon);
    };
}
