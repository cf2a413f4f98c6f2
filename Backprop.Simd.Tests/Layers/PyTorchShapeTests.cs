using System.Globalization;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Products of arrays, shapes, gathers, prefix sums and sorting beside PyTorch's numbers: <c>PyTorch/shapes.py</c> made them.</summary>
public sealed class PyTorchShapeTests
{
    public static TheoryData<string> Lines => [.. ReadLines()];

    private static string[] ReadLines()
    {
        using var reader = new StreamReader(typeof(PyTorchShapeTests).Assembly.GetManifestResourceStream("PyTorch.shapes.txt")!);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    [Theory, MemberData(nameof(Lines))]
    public void Outputs_and_gradients_are_PyTorchs(string line)
    {
        var parts = line.Split(" | ");
        var layer = LayerOf(parts[0].Split(' '));
        var tensors = parts[1..].Select(p => new Tensor(p)).ToArray();

        // One output, and a gradient for each input of numbers.
        var inputs = Enumerable.Range(1, tensors.Length - 1).Select(n => tensors[..n])
            .First(some => some.Length + 1 + some.Count(t => t.Kind != 'i') == tensors.Length);
        var output = tensors[inputs.Length];
        var gradients = tensors[(inputs.Length + 1)..];
        Run<double>(layer, inputs, output, gradients, 1e-13);
        Run<float>(layer, inputs, output, gradients, 2e-6);
    }

    private static Layer LayerOf(string[] head) => head[0] switch
    {
        "matmul" => new MatrixProduct(),
        "pad" => new Pad(Integers(head[3]), Integers(head[4]), Enum.Parse<PaddingMode>(head[1], ignoreCase: true), Number(head[2])),
        "reverse" => new Reverse(Integers(head[1])),
        "tile" => new Tile(Integers(head[1])),
        "gather" => new Gather(Integers(head[1])[0]),
        "gatherelements" => new GatherElements(Integers(head[1])[0]),
        "segmentsum" => new SegmentSum(Integers(head[1])[0], Integers(head[2])[0]),
        "scatteradd" => new ScatterAdd(Integers(head[1])[0], Integers(head[2])[0]),
        "cumulativesum" => new CumulativeSum(Integers(head[1])[0], bool.Parse(head[2]), bool.Parse(head[3])),
        "sort" => new Sort(Integers(head[1])[0], bool.Parse(head[2])),
        "topk" => new TopK(Integers(head[1])[0], Integers(head[2])[0], bool.Parse(head[3])),
        "transpose" => new Transpose(Integers(head[1])),
        _ => throw new InvalidOperationException($"Unknown layer {head[0]}."),
    };

    private static void Run<T>(Layer layer, Tensor[] inputs, Tensor output, Tensor[] gradients, double tolerance)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        var graph = new GraphBuilder();
        var nodes = inputs.Select((t, i) => t.Kind switch
        {
            'v' => graph.Input($"x{i}", new Shape(t.Shape.AsSpan(1))),
            's' => graph.SharedInput($"x{i}", t.Shape),
            _ => graph.IndexInput($"x{i}", t.Shape.AsSpan(1)),
        }).ToArray();
        var y = graph.ApplyAll(layer, nodes)[0];
        graph.Output(y.Named("y"));
        var isShared = y.Type.Kind == EdgeKind.Shared;
        var shape = isShared ? output.Shape : output.Shape[1..];
        Assert.Equal(new Shape(shape), y.Type.Shape);
        var network = graph.Build().CreateNetwork<T>();
        var rows = inputs.FirstOrDefault(t => t.Kind != 's')?.Shape[0] ?? 1;
        var workspace = network.CreateWorkspace(rows, new WorkspaceOptions { InputGradients = true, OutputGradients = true });
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i].Kind == 'i')
                workspace.SetIndexInput($"x{i}", [.. inputs[i].Numbers.Select(v => (int)v)]);
            else
                workspace.SetInput($"x{i}", [.. inputs[i].Numbers.Select(T.CreateTruncating)]);
        }

        network.Forward(workspace);
        Compare(output.Numbers, workspace.Output("y"), "y");
        var dy = workspace.OutputGradient("y");
        for (var i = 0; i < dy.Length; i++)
            dy[i] = T.CreateTruncating(i % 5 + 1);
        network.Backward(workspace);
        var at = 0;
        for (var i = 0; i < inputs.Length; i++)
        {
            if (inputs[i].Kind != 'i')
                Compare(gradients[at++].Numbers, workspace.GradientOf($"x{i}"), $"dx{i}");
        }

        void Compare(double[] expected, ReadOnlySpan<T> actual, string what)
        {
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
            {
                var (e, a) = (expected[i], double.CreateTruncating(actual[i]));
                Assert.True(e == a || double.IsNaN(e) && double.IsNaN(a) || Math.Abs(e - a) <= tolerance * (1 + Math.Abs(e)),
                    $"{what}[{i}] is {a:R}, not {e:R}.");
            }
        }
    }

    /// <summary>Kind, shape and numbers, as <c>v[2,3] 1.0 2.0 ..</c></summary>
    private sealed class Tensor
    {
        public Tensor(string text)
        {
            var end = text.IndexOf(']', StringComparison.Ordinal);
            (Kind, Shape) = (text[0], Integers(text[2..end]));
            Numbers = [.. text[(end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(Number)];
        }

        public char Kind { get; }

        public int[] Shape { get; }

        public double[] Numbers { get; }
    }

    private static int[] Integers(string text) =>
        [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(v => int.Parse(v, CultureInfo.InvariantCulture))];

    private static double Number(string text) => text switch
    {
        "inf" => double.PositiveInfinity,
        "-inf" => double.NegativeInfinity,
        "nan" => double.NaN,
        var number => double.Parse(number, CultureInfo.InvariantCulture),
    };
}
