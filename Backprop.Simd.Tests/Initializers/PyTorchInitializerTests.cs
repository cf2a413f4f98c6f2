using System.Globalization;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Tests.Initializers;

/// <summary>PyTorch's gains, bounds and patterns: PyTorch/initializers.py made PyTorch/initializers.txt.</summary>
public class PyTorchInitializerTests
{
    private static readonly string[][] Lines = Read();

    public static TheoryData<int> Cases => [.. Enumerable.Range(0, Lines.Length)];

    [Theory, MemberData(nameof(Cases))]
    public void Numbers_are_those_of_PyTorch(int line)
    {
        var cells = Lines[line];
        switch (cells[0])
        {
            case "gain":
                Assert.Equal(Number(cells[3]), GainOf(cells[1], cells[2]), 1e-15);
                break;
            case "scale":
                CheckScale(cells);
                break;
            default:
                CheckPattern(cells);
                break;
        }
    }

    private static double GainOf(string name, string slope) => name switch
    {
        "linear" => Gain.Linear,
        "sigmoid" => Gain.Sigmoid,
        "tanh" => Gain.Tanh,
        "relu" => Gain.Relu,
        "selu" => Gain.Selu,
        _ => slope == "-" ? Gain.LeakyRelu() : Gain.LeakyRelu(Number(slope)),
    };

    /// <summary>The draws of the stream, times PyTorch's bound or standard deviation.</summary>
    private static void CheckScale(string[] cells)
    {
        var mode = cells[2] switch { "fan_in" => FanMode.FanIn, "fan_out" => FanMode.FanOut, _ => FanMode.Average };
        var isUniform = cells[1] == "uniform";
        var initializer = Initialize.VarianceScaling(Number(cells[5]), mode, isUniform ? ScalingDistribution.Uniform : ScalingDistribution.Normal);
        var (values, random, draws) = (new double[100], new Philox(4, 0), new Philox(4, 0));
        initializer.Fill<double>(values, int.Parse(cells[3], CultureInfo.InvariantCulture), int.Parse(cells[4], CultureInfo.InvariantCulture), ref random);
        var scale = Number(cells[6]);
        foreach (var value in values)
        {
            var draw = isUniform ? 2 * draws.NextDouble() - 1 : draws.NextNormal();
            Assert.Equal(draw * scale, value, 1e-15);
        }

        Assert.Equal(draws, random);
    }

    private static void CheckPattern(string[] cells)
    {
        var groups = int.Parse(cells[1], CultureInfo.InvariantCulture);
        int[] shape = [.. cells[2].Split(',').Select(d => int.Parse(d, CultureInfo.InvariantCulture))];
        double[] expected = [.. cells[3..].Select(Number)];
        var rule = cells[0] == "eye" ? Initialize.Identity() : Initialize.Dirac;
        int kernel = shape[..^2].Aggregate(1, (a, b) => a * b), fanIn = kernel * shape[^2], fanOut = kernel * shape[^1] / groups;
        foreach (var (first, second) in new[] { (fanIn, fanOut), (fanOut, fanIn) })
        {
            var random = new Philox(4, 0);
            var values = Enumerable.Repeat(7.0, expected.Length).ToArray();
            rule.Fill<double>(values, shape, first, second, ref random);
            Assert.Equal(expected, values);
            Assert.Equal(new Philox(4, 0), random);
        }
    }

    private static double Number(string cell) => double.Parse(cell, CultureInfo.InvariantCulture);

    private static string[][] Read()
    {
        using var stream = typeof(PyTorchInitializerTests).Assembly.GetManifestResourceStream("PyTorch.initializers.txt")!;
        using var reader = new StreamReader(stream);
        return [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' '))];
    }
}
