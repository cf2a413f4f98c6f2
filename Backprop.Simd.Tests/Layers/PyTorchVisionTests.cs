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
        ["pixel-shuffle"] = (x, _) => x.PixelShuffle(2),
        ["pixel-unshuffle"] = (x, _) => x.PixelUnshuffle(2),
        ["max-pooling-1d"] = (x, _) => x.MaxPooling1D(3, stride: 2, padding: 1),
        ["max-pooling-1d-dilated"] = (x, _) => x.MaxPooling1D(2, stride: 1, padding: 1, dilation: 3),
        ["max-pooling-2d-dilated"] = (x, _) => x.MaxPooling2D(new Extent(2, 3), new Extent(1, 2), 1, ceiling: true, new Extent(3, 2)),
        ["adaptive-max-1d"] = (x, _) => x.AdaptiveMaxPooling1D(3),
        ["adaptive-max-2d"] = (x, _) => x.AdaptiveMaxPooling2D(new Extent(3, 2)),
        ["adaptive-max-2d-more"] = (x, _) => x.AdaptiveMaxPooling2D(new Extent(3, 4)),
        ["average-pooling-1d"] = (x, _) => x.AveragePooling1D(3, stride: 2, padding: 1, ceiling: true, includePadding: false),
        ["global-average-1d"] = (x, _) => x.GlobalAveragePooling1D(),
        ["global-max-2d"] = (x, _) => x.GlobalMaxPooling2D(),
        ["masked-mean"] = (x, n) => x.GlobalAveragePooling1D(n[0]),
        ["masked-max"] = (x, n) => x.GlobalMaxPooling1D(n[0]),
        ["convolution-transpose-1d"] = (x, _) => x.ConvolutionTranspose1D(6, 3, 2, 1, outputPadding: 1, dilation: 2, groups: 2),
        ["separable"] = (x, _) => x.SeparableConvolution2D(4, 3, stride: 2, padding: 1, multiplier: 3),
        ["instance-normalization"] = (x, _) => x.InstanceNormalization(),
        ["instance-normalization-affine"] = (x, _) => x.InstanceNormalization(affine: true),
        ["weight-normalized"] = (x, _) => x.WeightNormalizedAffine("map", 2),
        ["weight-normalized-1d"] = (x, _) => x.WeightNormalizedConvolution1D("line", 4, 3, stride: 2, padding: 2, dilation: 2, groups: 2),
        ["weight-normalized-2d"] = (x, _) => x.WeightNormalizedConvolution2D("image", 3, new Extent(3, 2), padding: 1),
        ["bag-sum"] = (_, i) => i[0].EmbeddingBag(5, 3, BagMode.Sum, i[1]),
        ["bag-mean"] = (_, i) => i[0].EmbeddingBag(5, 3, BagMode.Mean, i[1]),
        ["bag-max"] = (_, i) => i[0].EmbeddingBag(5, 3, BagMode.Max, i[1]),
        ["bag-padding"] = (_, i) => i[0].EmbeddingBag(5, 3, paddingIndex: 2),
        ["bag-weighted"] = (x, i) => i[0].EmbeddingBag(5, 3, BagMode.Sum, weights: x),
        ["squeeze-excite"] = (x, _) => x.SqueezeExcite(reduction: 2),
        ["residual"] = (x, _) => x.Residual(b => b.Convolution2D(3, 3, padding: 1, bias: false).Relu(), s => s.Convolution2D(3, 1, bias: false)),
    };

    public static TheoryData<string> Names => [.. Numbers.Keys.Union(Forms.Keys)];

    [Theory, MemberData(nameof(Names))]
    public void Values_and_gradients_are_PyTorchs(string name)
    {
        var numbers = Numbers[name];
        var graph = new GraphBuilder();
        var hasNumbers = numbers.TryGetValue("x", out var given);
        Node x = hasNumbers ? graph.Input("x", new Shape(given.Shape.AsSpan(1))) : default;
        Node[] indices = [.. "in".Select(k => $"{k}").Where(numbers.ContainsKey).Select(k => graph.IndexInput(k, numbers[k].Shape.AsSpan(1)))];
        var y = Forms[name](x, indices);
        graph.Output(y);
        var network = graph.Build().CreateNetwork<double>();
        foreach (var (kind, value) in numbers.Where(n => n.Key.StartsWith("p.", StringComparison.Ordinal)))
            value.Numbers.CopyTo(network.ParameterOf(kind[2..]));
        Assert.Equal(network.Definition.Parameters.Entries.Count, numbers.Keys.Count(k => k.StartsWith("p.", StringComparison.Ordinal)));
        var options = new WorkspaceOptions { InputGradients = hasNumbers };
        var workspace = network.CreateWorkspace(numbers["y"].Shape[0], options, ComputeContext.SingleThreaded);
        if (hasNumbers)
            workspace.SetInput("x", given.Numbers);
        foreach (var input in indices)
            workspace.SetIndexInput(input.Name, [.. numbers[input.Name].Numbers.Select(v => (int)v)]);
        network.Forward(workspace);
        Close("y", workspace.Output());
        Assert.Equal(numbers["y"].Shape[1..], Enumerable.Range(0, y.Type.Shape.Rank).Select(d => y.Type.Shape[d]));
        numbers["dy"].Numbers.CopyTo(workspace.OutputGradient(y.Name));
        network.Backward(workspace);
        if (hasNumbers)
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
