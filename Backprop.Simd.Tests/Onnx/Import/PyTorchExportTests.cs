using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Models that PyTorch exported, of operator versions 9 to 16: PyTorch's outputs, for one row and for three, and graphs that train.</summary>
public sealed class PyTorchExportTests
{
    /// <summary>The bound on an error, as a part of the largest output.</summary>
    private const double Tolerance = 1e-5;

    public static TheoryData<string> Names => [.. PyTorchExport.Names];

    [Theory, MemberData(nameof(Names))]
    public void Outputs_are_those_of_PyTorch(string name)
    {
        var export = PyTorchExport.Open(name);
        var imported = new ImportedModel(export.Model);
        foreach (var rows in export.Rows)
        {
            var actual = imported.Added.OutputNames.Zip(imported.Run<float>(export.Inputs(rows))).ToDictionary(o => o.First, o => o.Second);
            foreach (var (output, expected) in export.Outputs(rows))
            {
                Assert.True(expected.Shape.SequenceEqual(actual[output].Shape),
                    $"{output} has the shape [{string.Join(", ", actual[output].Shape)}] instead of [{string.Join(", ", expected.Shape)}].");
                var largest = expected.Values.Max(Math.Abs);
                var error = expected.Values.Zip(actual[output].Values, (e, a) => Math.Abs(e - a)).Max();
                Assert.True(error <= Tolerance * largest, $"{output} of {rows} rows differs by {error:E2}; the largest is {largest:E2}.");
            }
        }
    }

    [Theory]
    [InlineData("Mlp")]
    [InlineData("LeNet")]
    [InlineData("Residual")]
    [InlineData("Transposed")]
    [InlineData("Lines")]
    [InlineData("Normalizations")]
    [InlineData("Slopes")]
    [InlineData("LstmLayer")]
    [InlineData("GruLayer")]
    [InlineData("Attention")]
    [InlineData("Encoder")]
    [InlineData("EncoderTimeFirst")]
    [InlineData("Embedded")]
    [InlineData("AttentionByParts")]
    [InlineData("ClassToken")]
    [InlineData("UNet")]
    public void Imported_models_train_and_their_gradients_are_those_of_differences(string name)
    {
        var export = PyTorchExport.Open(name);
        var imported = new ImportedModel(export.Model);
        var y = imported.Added["y0"];
        y.MeanSquaredError();
        var network = imported.Create<double>();
        var workspace = network.CreateWorkspace(3);
        imported.Feed(workspace, export.Inputs(3));
        var random = new Random(5);
        workspace.SetInput("targets", [.. Enumerable.Range(0, 3 * y.Type.Shape.Size).Select(_ => random.NextDouble() - 0.5)]);

        // Some parameters, by differences.
        network.Forward(workspace);
        network.Backward(workspace);
        var gradients = workspace.Gradients.ToArray();
        foreach (var parameter in network.Definition.Parameters.Entries.Select(p => p.Name).Where(p => !network.IsFrozen(p)))
        {
            var analytic = workspace.ParameterGradientOf(parameter).ToArray();
            var at = random.Next(analytic.Length);
            double Moved(double by)
            {
                var old = network.ParameterOf(parameter)[at];
                network.ParameterOf(parameter)[at] += by;
                network.Forward(workspace);
                network.ParameterOf(parameter)[at] = old;
                return workspace.Loss;
            }

            var numeric = (Moved(1e-5) - Moved(-1e-5)) / 2e-5;
            Assert.True(Math.Abs(numeric - analytic[at]) <= 1e-6 * (1 + Math.Abs(numeric)), $"{parameter}[{at}] has {analytic[at]} instead of {numeric}.");
        }

        var adam = new Adam<double>(network, 1e-2);
        var first = network.Step(workspace, adam);
        var last = first;
        for (var step = 0; step < 40; step++)
            last = network.Step(workspace, adam);
        Assert.True(last < 0.95 * first, $"The loss is {last} after {first}.");
    }

    [Fact]
    public void There_are_forty_models() => Assert.True(PyTorchExport.Names.Count() >= 38);
}
