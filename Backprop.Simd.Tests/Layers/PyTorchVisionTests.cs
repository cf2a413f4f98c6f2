using System.Globalization;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>PyTorch's numbers for layers of images and sequences: PyTorch/vision.py made PyTorch/vision.txt.</summary>
public sealed class PyTorchVisionTests
{
    private static readonly Dictionary<string, Dictionary<string, (int[] Shape, double[] Numbers)>> Numbers = Read();

    private static readonly Dictionary<string, Func<Node, Node[], Node>> Forms = new()
    {
        ["upsample-nearest"] = (x, _) => x.Upsample(2),
        ["upsample-nearest-real"] = (x, _) => x.Upsample(new ResizeScale(1.5, 2.4)),
        ["upsample-nearest-size"] = (x, _) => x.Upsample(outputs: new Extent(5, 3)),
        ["upsample-exact-size"] = (x, _) => x.Upsample(outputs: new Extent(5, 3), mode: ResizeMode.NearestExact),
        ["upsample-bilinear"] = (x, _) => x.Upsample(2, mode: ResizeMode.Bilinear),
        ["upsample-bilinear-real"] = (x, _) => x.Upsample(new ResizeScale(1.7, 0.6), mode: ResizeMode.Bilinear),
        ["upsample-bilinear-size"] = (x, _) => x.Upsample(outputs: new Extent(5, 2), mode: ResizeMode.Bilinear),
        ["upsample-aligned"] = (x, _) => x.Upsample(outputs: new Extent(5, 4), mode: ResizeMode.Bilinear, alignCorners: true),
        ["upsample-aligned-one"] = (x, _) => x.Upsample(outputs: new Extent(1, 4), mode: ResizeMode.Bilinear, alignCorners: true),
        ["upsample-linear"] = (x, _) => x.Upsample(2.5, mode: ResizeMode.Bilinear),
    };

    public static TheoryData<string> Names => [.. Numbers.Keys.Union(Forms.Keys)];

    [Theory, MemberData(nameof(Names))]
    public void Values_and_gradients_are_PyTorchs(string name)
    {
        var numbers = Numbers[name];
        var graph = new GraphBuilder();
        var rows = numbers["x"].Shape[0];
        var x = graph.Input("x", new Shape(numbers["x"].Shape.AsSpan(1)));
        var indices = numbers.TryGetValue("i", out var given) ? [graph.IndexInput("i", given.Shape.AsSpan(1))] : Array.Empty<Node>();
        var y = Forms[name](x, indices);
        graph.Output(y);
        var network = graph.Build().CreateNetwork<double>();
        foreach (var (kind, value) in numbers.Where(n => n.Key.StartsWith("p.", StringComparison.Ordinal)))
            value.Numbers.CopyTo(network.ParameterOf(kind[2..]));
        var workspace = network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        workspace.SetInput("x", numbers["x"].Numbers);
        if (indices.Length > 0)
            workspace.SetIndexInput("i", [.. given.Numbers.Select(v => (int)v)]);
        network.Forward(workspace);
        Close("y", workspace.Output());
        Assert.Equal(numbers["y"].Shape[1..], Enumerable.Range(0, y.Type.Shape.Rank).Select(d => y.Type.Shape[d]));
        numbers["dy"].Numbers.CopyTo(workspace.OutputGradient(y.Name));
        network.Backward(workspace);
        Close("dx", workspace.GradientOf("x"));
        foreach (var kind in numbers.Keys.Where(k => k.StartsWith("g.", StringComparison.Ordinal)))
            Close(kind, workspace.ParameterGradientOf(kind[2..]));

        void Close(string kind, ReadOnlySpan<double> actual)
        {
            var expected = numbers[kind].Numbers;
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
            {
                var error = Math.Abs(expected[i] - actual[i]);
                Assert.True(error <= 1e-12 * Math.Max(1, Math.Abs(expected[i])), $"{name} {kind} [{i}]: {actual[i]}, not {expected[i]}.");
            }
        }
    }

    private static Dictionary<string, Dictionary<string, (int[] Shape, double[] Numbers)>> Read()
    {
        using var stream = typeof(PyTorchVisionTests).Assembly.GetManifestResourceStream("PyTorch.vision.txt")!;
        using var reader = new StreamReader(stream);
        var all = new Dictionary<string, Dictionary<string, (int[], double[])>>();
        while (reader.ReadLine() is { } line)
        {
            var cells = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (!all.TryGetValue(cells[0], out var own))
                all.Add(cells[0], own = []);
            own.Add(cells[1], ([.. cells[2].Split(',').Select(d => int.Parse(d, CultureInfo.InvariantCulture))],
                [.. cells[3..].Select(c => double.Parse(c, CultureInfo.InvariantCulture))]));
        }

        return all;
    }
}
