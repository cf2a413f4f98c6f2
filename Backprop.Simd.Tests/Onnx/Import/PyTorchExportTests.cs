using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
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

    [Fact]
    public void There_are_forty_models() => Assert.True(PyTorchExport.Names.Count() >= 38);
}
