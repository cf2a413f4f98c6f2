using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;
using Xunit.Abstractions;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Models that others made and trained: the same outputs as ONNX Runtime's, and a graph that trains.</summary>
/// <param name="output">What is told.</param>
public sealed class RealModelTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-4;

    private static string? PathOf(string model) => model switch
    {
        "resnet18" => ModelPackages.ResNet18,
        "recognition" => ModelPackages.Recognition,
        "detection" => ModelPackages.Detection,
        _ => ModelPackages.Angle,
    };

    [Theory]
    [InlineData("resnet18", 224, 224, 1, false)]
    [InlineData("resnet18", 224, 224, 1, true)]
    [InlineData("recognition", 48, 320, 2, false)]
    [InlineData("recognition", 48, 200, 1, false)]
    [InlineData("recognition", 48, 320, 1, true)]
    [InlineData("angle", 48, 192, 3, false)]
    [InlineData("angle", 48, 192, 1, true)]
    [InlineData("detection", 320, 320, 1, false)]
    [InlineData("detection", 96, 160, 2, true)]
    public void Outputs_are_those_of_ONNX_Runtime(string model, int height, int width, int rows, bool fold)
    {
        if (PathOf(model) is not { } path)
        {
            output.WriteLine(ModelPackages.Missing);
            return;
        }

        var x = Image(rows, height, width);
        var file = OnnxFile.Open(path);
        var input = file.InputNames.Single();
        var options = new OnnxLoadOptions { Sizes = new Dictionary<string, int[]> { [input] = [rows, 3, height, width] }, Fold = fold };
        var network = file.CreateNetwork<float>(options);
        Assert.Equal(fold, !network.Definition.Nodes.Any(n => n.Layer is BatchNormalization));
        var expected = OnnxRuntime.Run(path, [.. file.OutputNames], (input, x)).Single();
        var actual = Run(network, rows, x.ChannelsLast());
        var last = expected.Rank == 4 ? expected.ChannelsLast() : expected;
        var largest = last.Numbers.Max(Math.Abs);
        var error = last.Numbers.Zip(actual, (e, a) => Math.Abs(e - a)).Max();
        output.WriteLine($"{model}: {error / largest:E1} of the largest, {largest:E1}");
        Assert.Equal(last.Size, actual.Length);
        Assert.True(error <= Tolerance * largest, $"The outputs differ by {error:E2}; the largest is {largest:E2}.");
    }

    [Fact]
    public void No_transposition_is_left_in_models_of_images()
    {
        foreach (var model in (string[])["resnet18", "angle", "detection"])
        {
            if (PathOf(model) is not { } path)
            {
                output.WriteLine(ModelPackages.Missing);
                return;
            }

            var file = OnnxFile.Open(path);
            var sizes = new Dictionary<string, int[]> { [file.InputNames.Single()] = model == "resnet18" ? [1, 3, 224, 224] : [1, 3, 64, 64] };
            var network = file.CreateNetwork<float>(new() { Sizes = sizes });
            Assert.DoesNotContain(network.Definition.Nodes, n => n.Layer is Transpose);
        }
    }

    [Fact]
    public void The_parts_of_layers_are_recognized()
    {
        if (ModelPackages.Recognition is not { } path)
        {
            output.WriteLine(ModelPackages.Missing);
            return;
        }

        var network = OnnxNetworks.LoadOnnx<float>(path, new() { Sizes = new Dictionary<string, int[]> { ["x"] = [1, 3, 48, 320] } });
        var kinds = network.Definition.Nodes.GroupBy(n => n.Layer.Kind).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal(5, kinds["layernormalization"]);
        Assert.Equal(7, kinds["silu"]);
        Assert.Equal(28, kinds["hardswish"]);
        Assert.False(kinds.ContainsKey("sigmoid"));
    }

    [Fact]
    public void An_imported_model_trains()
    {
        if (ModelPackages.Angle is not { } path)
        {
            output.WriteLine(ModelPackages.Missing);
            return;
        }

        // Two classes of images that the model has never seen: the loss falls, and batch normalization takes statistics of the batch.
        var graph = new GraphBuilder();
        var model = OnnxFile.Open(path).AddTo(graph, new() { Sizes = new Dictionary<string, int[]> { ["x"] = [1, 3, 48, 64] }, Outputs = ["p2o.Add.87"] });
        model["p2o.Add.87"].SoftmaxCrossEntropy();
        var network = graph.Build().CreateNetwork<float>();
        model.CopyTo(network);
        var workspace = network.CreateWorkspace(8);
        var x = Image(8, 48, 64).ChannelsLast().Numbers;
        workspace.SetInput("x", Array.ConvertAll(x, v => (float)v));
        workspace.SetIndexInput("labels", [0, 1, 0, 1, 1, 0, 0, 1]);
        var adam = new Adam<float>(network, 1e-3);
        var first = network.Step(workspace, adam);
        double last = 0;
        for (var step = 0; step < 30; step++)
            last = network.Step(workspace, adam);
        output.WriteLine($"loss {first:F3}, after 31 steps {last:F3}");
        Assert.True(last < first / 2, $"The loss is {last} after {first}.");
    }

    /// <summary>Dark strokes like letters, two lines of them, on white with some noise: -1 to 1.</summary>
    private static OnnxTensor Image(int rows, int height, int width)
    {
        var random = new Random(7);
        var numbers = new double[rows * 3 * height * width];
        for (var i = 0; i < numbers.Length; i++)
        {
            var (r, y, x) = (i / (3 * height * width), i / width % height, i % width);
            var period = Math.Min(48, height / 2);
            var (line, letter) = (y % period, (x / 9 + r) * 7 % 5);
            var inLine = line > period / 4 && line < period * 2 / 3 && x > 8 && x < width - 8 && x % 9 < 7;
            var stroke = letter switch
            {
                0 => x % 9 < 2,
                1 => line < period / 4 + 3,
                2 => x % 9 is 3 or 4,
                3 => line > period * 2 / 3 - 4
                || x % 9 < 2,
                _ => x % 9 > 5
            };
            numbers[i] = (float)((inLine && stroke ? -0.9 : 0.9) + 0.1 * (random.NextDouble() - 0.5));
        }

        return OnnxTensor.Of(OnnxType.Float, [rows, 3, height, width], numbers);
    }

    private static double[] Run(Network<float> network, int rows, OnnxTensor x)
    {
        var workspace = network.CreateWorkspace(rows, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        workspace.SetInput(network.Definition.InputNames.Single(), Array.ConvertAll(x.Numbers, v => (float)v));
        network.Forward(workspace);
        return [.. workspace.Output().ToArray().Select(v => (double)v)];
    }
}
