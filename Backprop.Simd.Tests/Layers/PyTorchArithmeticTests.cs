using System.Globalization;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Arithmetic that broadcasts, and reductions, beside PyTorch's results and gradients: PyTorch/arithmetic.py wrote them.</summary>
public sealed class PyTorchArithmeticTests
{
    public static TheoryData<string> Lines => [.. ReadLines()];

    private static string[] ReadLines()
    {
        using var reader = new StreamReader(typeof(PyTorchArithmeticTests).Assembly.GetManifestResourceStream("PyTorch.arithmetic.txt")!);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Theory]
    [MemberData(nameof(Lines))]
    public void Results_and_gradients_are_PyTorchs(string line)
    {
        var parts = line.Split(" | ");
        var head = parts[0].Split(' ');
        int[] axes = [.. head[1..].Select(n => int.Parse(n, CultureInfo.InvariantCulture))];
        var isBinary = head[0] is "add" or "subtract" or "multiply" or "divide" or "maximum" or "minimum" or "power";
        var operands = isBinary ? 2 : 1;
        var graph = new GraphBuilder();
        var nodes = new Node[operands];
        for (var i = 0; i < operands; i++)
            nodes[i] = graph.Input($"x{i}", new Shape([.. parts[1 + 2 * i].Split(' ').Select(n => int.Parse(n, CultureInfo.InvariantCulture))]));
        var (x, y) = (nodes[0], nodes[^1]);
        graph.Output(head[0] switch
        {
            "add" => x + y,
            "subtract" => x - y,
            "multiply" => x * y,
            "divide" => x / y,
            "maximum" => Node.Maximum(x, y),
            "minimum" => Node.Minimum(x, y),
            "power" => x.Pow(y),
            "sum" => x.Sum(axes),
            "mean" => x.Mean(axes),
            "max" => x.Max(axes),
            "min" => x.Min(axes),
            "norm" => x.Norm(axes),
            "logsumexp" => x.LogSumExp(axes),
            "variance" => x.Variance(0, false, axes),
            "argmax" => x.ArgMax(axes[0]),
            _ => throw new InvalidOperationException($"Unknown function {head[0]}."),
        });
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        for (var i = 0; i < operands; i++)
            workspace.SetInput($"x{i}", Numbers(parts[2 + 2 * i]));
        network.Forward(workspace);
        Near(Numbers(parts[1 + 2 * operands]), workspace.Output(), "z");
        if (head[0] == "argmax")
            return;
        var dz = workspace.OutputGradient();
        for (var i = 0; i < dz.Length; i++)
            dz[i] = i + 1;
        network.Backward(workspace);
        for (var i = 0; i < operands; i++)
            Near(Numbers(parts[2 + 2 * operands + i]), workspace.GradientOf($"x{i}"), $"dx{i}");

        void Near(double[] expected, ReadOnlySpan<double> actual, string what)
        {
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
            {
                var (e, a) = (expected[i], actual[i]);
                Assert.True(e == a || double.IsNaN(e) && double.IsNaN(a) || Math.Abs(e - a) <= 1e-13 * (1 + Math.Abs(e)),
                    $"{head[0]}: {what}[{i}] is {a:R}, not {e:R}.");
            }
        }
    }

    private static double[] Numbers(string text) => [.. text.Split(' ').Select(v => v switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        _ => double.Parse(v, CultureInfo.InvariantCulture),
    })];
}
