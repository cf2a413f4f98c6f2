using System.Globalization;
using System.Numerics;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Optimizers;

/// <summary>PyTorch's own numbers: <c>PyTorch/optimizers.py</c> wrote them.</summary>
public sealed class PyTorchOptimizerTests
{
    private static readonly string[] Lines = File.ReadAllLines(Path.Combine(RepositoryRoot.Path, "Backprop.Simd.Tests", "PyTorch", "optimizers.txt"));

    public static TheoryData<string> Names => [.. Lines.Where((_, i) => i % 2 == 0)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Eight_steps_give_the_parameters_of_PyTorch(string name)
    {
        var expected = Lines[Array.IndexOf(Lines, name) + 1].Split(' ').Select(x => double.Parse(x, CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(40, expected.Length);
        Check<double>(1e-13);
        Check<float>(3e-6);

        void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            var optimizer = Create<T>(name);
            T[] w = Array.ConvertAll((double[])[0.5, -1, 0.25, 2, -0.125], T.CreateTruncating);
            for (var step = 1; step <= 8; step++)
            {
                optimizer.Step(w, [.. Enumerable.Range(1, 5).Select(i => T.CreateTruncating(i * Math.Cos(0.7 * step * i)))]);
                for (var i = 0; i < 5; i++)
                    Assert.Equal(expected[5 * (step - 1) + i], double.CreateTruncating(w[i]), tolerance);
            }
        }
    }

    private static Optimizer<T> Create<T>(string name) where T : unmanaged, IFloatingPointIeee754<T> => name switch
    {
        "adadelta" => new AdaDelta<T>(5),
        "adadelta decay" => new AdaDelta<T>(5, 0.05, 0.7, 1e-3, 0.1),
        "adamax" => new AdaMax<T>(5),
        "adamax decay" => new AdaMax<T>(5, 0.05, 0.8, 0.7, 1e-3, 0.1),
        "radam" => new RAdam<T>(5),
        "radam decay" => new RAdam<T>(5, 0.05, 0.8, 0.95, 1e-4, 0.1),
        "adagrad" => new AdaGrad<T>(5),
        "rmsprop" => new RmsProp<T>(5, momentum: 0.8, centered: true),
        "adam" => new Adam<T>(5, 0.05, weightDecay: 0.1, amsGrad: true),
        "adamw" => new AdamW<T>(5, 0.05),
        "sgd" => new Sgd<T>(5, 0.05, 0.9, nesterov: true, weightDecay: 0.1),
        _ => throw new ArgumentException(name, nameof(name)),
    };
}
