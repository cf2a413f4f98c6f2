using System.Numerics;
using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Gradients;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Networks;
using Xunit.Abstractions;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Networks written as ONNX and read again compute the same.</summary>
/// <param name="output">What is told.</param>
public sealed class OnnxRoundTripTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-6;

    [Fact]
    public void Explore()
    {
        var refused = new SortedDictionary<string, int>();
        var bits = new SortedDictionary<string, string>();
        for (var index = 0; index < LayerSamples.All.Count; index++)
        {
            var sample = LayerSamples.All[index];
            if (sample.Layer is Noise || sample.Layer is Loss)
                continue;
            try
            {
                var samples = new SampleNetwork(sample);
                var d = Difference(samples.Double, samples, sample.Rows);
                var f = Difference(samples.Float, samples, sample.Rows);
                var text = $"{(d <= Tolerance ? "" : $"DOUBLE {d:E1} ")}{(f == 0 ? "bits" : $"{f:E1}")}";
                bits[$"{sample.Layer.Kind} {text}"] = $"{sample}";
            }
            catch (Exception e)
            {
                var m = e.Message.ReplaceLineEndings(" ");
                refused[$"{sample.Layer.Kind}: {e.GetType().Name} {m[..Math.Min(m.Length, 230)]}"] = index;
            }
        }

        foreach (var (k, v) in bits)
            output.WriteLine($"{k}   {(k.Contains("DOUBLE") ? v : "")}");
        foreach (var (k, v) in refused)
            output.WriteLine($"{v} {k}");
    }

    private static double Difference<T>(Network<T> network, SampleNetwork samples, int rows) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new TestRandom(5);
        foreach (ref var value in network.State)
            value = T.CreateTruncating((float)(1 + 0.5 * random.Signed<double>()));
        var first = network.CreateWorkspace(rows, WorkspaceOptions.Inference);
        samples.FillInputs(first);
        network.Forward(first);

        using var stream = new MemoryStream(OnnxRun.Model(network));
        var shared = network.Definition.InputNames.Where(n => network.Definition.TypeOf(n).Kind == EdgeKind.Shared).ToDictionary(n => n, _ => -1);
        var again = OnnxFile.Open(stream).CreateNetwork<T>(new() { BatchDimensions = shared });

        // Without a batch all of it is one row.
        var second = again.CreateWorkspace(shared.Count == again.Definition.InputNames.Count() ? 1 : rows, WorkspaceOptions.Inference);
        foreach (var name in again.Definition.InputNames)
        {
            if (again.Definition.TypeOf(name).Kind == EdgeKind.Indices)
                second.SetIndexInput(name, first.IndexInput(name));
            else
                second.SetInput(name, first.Input(name));
        }

        again.Forward(second);
        double largest = 1e-3, difference = 0;
        foreach (var name in network.Definition.OutputNames)
        {
            ReadOnlySpan<T> expected = first.Output(name), actual = second.Output(name);
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
            {
                double e = double.CreateTruncating(expected[i]), a = double.CreateTruncating(actual[i]);
                if (e == a || double.IsNaN(e) && double.IsNaN(a))
                    continue;
                (largest, difference) = (Math.Max(largest, Math.Abs(e)), Math.Max(difference, Math.Abs(e - a)));
            }
        }

        return difference / largest;
    }
}
