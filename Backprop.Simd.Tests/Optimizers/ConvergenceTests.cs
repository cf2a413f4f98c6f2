using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Optimizers;

/// <summary>Every optimizer comes down a curved valley and a narrow one.</summary>
public class ConvergenceTests
{
    /// <summary>Name, rate for Rosenbrock's function, rate for the quadratic.</summary>
    public static TheoryData<string, double, double> Cases => new()
    {
        { "sgd", 1e-3, 1e-3 }, { "momentum", 3e-4, 1e-3 }, { "nesterov", 3e-4, 1e-3 }, { "adam", 0.03, 0.05 }, { "adamw", 0.03, 0.05 },
        { "amsgrad", 0.03, 0.05 }, { "amsgradw", 0.03, 0.05 }, { "adagrad", 0.3, 0.5 }, { "rmsprop", 0.01, 0.01 }, { "rmsprop momentum", 0.001, 0.001 },
        { "rmsprop centered", 0.003, 0.001 }, { "nadam", 0.03, 0.05 }, { "lion", 0.003, 0.003 },
        { "adadelta", 1, 1 }, { "adamax", 0.03, 0.05 }, { "radam", 0.001, 0.001 }, // RAdam's first steps are plain: a rate as for sgd.
    };

    private static Optimizer<double> Create(string name, int n, double rate) => name switch
    {
        "sgd" => new Sgd<double>(n, rate),
        "momentum" => new Sgd<double>(n, rate, 0.9),
        "nesterov" => new Sgd<double>(n, rate, 0.9, nesterov: true),
        "adam" => new Adam<double>(n, rate),
        "adamw" => new AdamW<double>(n, rate, weightDecay: 1e-6),
        "amsgrad" => new Adam<double>(n, rate, amsGrad: true),
        "amsgradw" => new AdamW<double>(n, rate, weightDecay: 1e-6, amsGrad: true),
        "adagrad" => new AdaGrad<double>(n, rate),
        "rmsprop" => new RmsProp<double>(n, rate),
        "rmsprop momentum" => new RmsProp<double>(n, rate, momentum: 0.9),
        "rmsprop centered" => new RmsProp<double>(n, rate, centered: true),
        "nadam" => new NAdam<double>(n, rate),
        "adadelta" => new AdaDelta<double>(n, rate),
        "adamax" => new AdaMax<double>(n, rate),
        "radam" => new RAdam<double>(n, rate),
        _ => new Lion<double>(n, rate),
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Rosenbrock(string name, double rate, double _) =>
        Assert.InRange(Descend(Create(name, 2, rate), [-1.2, 1], TestObjectives.Rosenbrock, rate), 0, 1e-3);

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_quadratic_of_condition_1000(string name, double _, double rate) =>
        Assert.InRange(Descend(Create(name, 10, rate), [.. Enumerable.Repeat(1.0, 10)], TestObjectives.Quadratic, rate), 0, 1e-3);

    /// <summary>20,000 steps, the rate falling to 0.</summary>
    private static double Descend(Optimizer<double> optimizer, double[] w, Objective<double> objective, double rate)
    {
        var g = new double[w.Length];
        for (var step = 0; step < 20_000; step++)
        {
            objective(w, g);
            optimizer.LearningRate = rate * (1 - step / 20_000.0);
            optimizer.Step(w, g);
        }

        return objective(w, g);
    }
}
