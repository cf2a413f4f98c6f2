using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Serialization;
using Microsoft.ML.OnnxRuntime;
using Xunit.Abstractions;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>Random models give ONNX Runtime's outputs, or are refused by name.</summary>
/// <param name="output">What is told.</param>
public sealed class RandomModelTests(ITestOutputHelper output)
{
    private const int Seeds = 1000, MinimumImported = 700;

    /// <summary>Seeds of models that were imported wrong once.</summary>
    private static readonly int[] _found = [3026, 3598, 9130];

    [Fact]
    public void Random_models_give_the_outputs_of_ONNX_Runtime_or_are_refused()
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        SortedDictionary<string, int> reasons = [];
        var (ran, nodes, moved) = (0, 0, 0);
        List<string> faults = [];
        foreach (var seed in Enumerable.Range(0, Seeds).Concat(_found))
        {
            var random = new RandomModel(seed);
            if (random.Model.Outputs.Count == 0)
                continue;
            var text = $"seed {seed}: {string.Join("; ", random.Model.Nodes.Select(n => $"{n.Outputs[0]} = {n.Operator}({string.Join(", ", n.Inputs)})"))}";
            ImportedModel imported;
            try
            {
                imported = new(random.Model);
            }
            catch (Exception e) when (e is ModelFileException or ArgumentException)
            {
                var reason = OnnxNodeTests.ReasonOf(e.Message);
                reasons[reason] = reasons.GetValueOrDefault(reason) + 1;
                continue;
            }

            using var session = new InferenceSession(random.Model.Write().ToArray(), options);
            var expected = OnnxRuntime.Run(session, [.. random.Model.Outputs.Select(o => o.Name)], [.. random.Inputs.Select(i => (i.Key, i.Value))]);
            var actual = imported.Run<float>(random.Inputs);
            for (var i = 0; i < expected.Length; i++)
            {
                if (Difference(expected[i], actual[i]) is { } difference)
                    faults.Add($"{text}: output {i} {difference}");
            }

            (ran, nodes) = (ran + 1, nodes + random.Model.Nodes.Count);
            moved += imported.Graph.Build().Nodes.Count(n => n.Layer is Transpose);
        }

        output.WriteLine($"{ran} models of {nodes} nodes, {moved} transpositions left");
        foreach (var (reason, count) in reasons.OrderByDescending(r => r.Value))
            output.WriteLine($"{count,4} {reason}");
        Assert.True(faults.Count == 0, $"{faults.Count} faults:\n{string.Join("\n", faults.OrderBy(f => f.Length).Take(40))}");
        Assert.True(ran >= MinimumImported, $"Only {ran} models were imported.");
    }

    private static string? Difference(OnnxTensor expected, OnnxTensor actual)
    {
        if (!expected.Shape.SequenceEqual(actual.Shape))
            return $"has the shape [{string.Join(", ", actual.Shape)}] instead of [{string.Join(", ", expected.Shape)}]";
        var largest = expected.Values.Select(Math.Abs).Where(double.IsFinite).DefaultIfEmpty(0).Max();
        for (var k = 0; k < expected.Size; k++)
        {
            var (e, a) = (expected.Values[k], actual.Values[k]);
            if (e != a && !(double.IsNaN(e) && double.IsNaN(a)) && !(Math.Abs(e - a) <= 1e-5 * largest + 1e-6))
                return $"has the number {k} {a} instead of {e}";
        }

        return null;
    }
}
