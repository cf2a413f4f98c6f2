using System.Globalization;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;

namespace Backprop.Simd.Tests.Losses;

/// <summary>PyTorch's numbers: PyTorch/losses.py made PyTorch/losses.txt.</summary>
public sealed class PyTorchLossTests
{
    private static readonly Dictionary<string, ElementwiseLoss> Losses = new()
    {
        ["poisson-log-False"] = new PoissonNegativeLogLikelihood(),
        ["poisson-log-True"] = new PoissonNegativeLogLikelihood(full: true),
        ["poisson-rate-False"] = new PoissonNegativeLogLikelihood(logInput: false),
        ["poisson-rate-True"] = new PoissonNegativeLogLikelihood(logInput: false, full: true),
        ["hinge"] = new Hinge(),
        ["quantile"] = new Quantile(0.3),
    };

    [Fact]
    public void Values_and_gradients_are_PyTorchs()
    {
        using var stream = typeof(PyTorchLossTests).Assembly.GetManifestResourceStream("PyTorch.losses.txt")!;
        using var reader = new StreamReader(stream);
        var numbers = new Dictionary<string, double[]>();
        while (reader.ReadLine() is { } line)
        {
            var cells = line.Split(' ');
            numbers.Add($"{cells[0]} {cells[1]}", [.. cells[2..].Select(c => double.Parse(c, CultureInfo.InvariantCulture))]);
        }

        Assert.Equal(5 * Losses.Count, numbers.Count);
        foreach (var (name, loss) in Losses)
        {
            var run = new ReducedLossRun<double>(loss, new Shape(4), numbers[$"{name} y"], numbers[$"{name} t"], null, null);
            Close(numbers[$"{name} loss"], run.Outputs, 1);
            Close(numbers[$"{name} dy"], run.Dx, run.Seeds[0]);
            Close(numbers[$"{name} dt"], run.Dt, run.Seeds[0]);

            void Close(double[] expected, double[] actual, double scale)
            {
                Assert.Equal(expected.Length, actual.Length);
                for (var i = 0; i < expected.Length; i++)
                    Assert.True(Math.Abs(scale * expected[i] - actual[i]) <= 1e-13 * Math.Max(1, Math.Abs(actual[i])), $"{name} [{i}]: {actual[i]}.");
            }
        }
    }
}
