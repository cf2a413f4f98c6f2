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
    private const int Seeds = 400, MinimumImported = 100;

    [Fact]
    public void Random_models_give_the_outputs_of_ONNX_Runtime_or_are_refused()
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
        SortedDictionary<string, int> reasons = [];
        var (ran, nodes, moved) = (0, 0, 0);
        List<string> faults = [];
        var seeds = int.Parse(Environment.GetEnvironmentVariable("OPS_SEEDS") ?? $"{Seeds}", null);
        for (var seed = 0; seed < seeds; seed++)
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
            catch (Exception e) { faults.Add(text + " " + e.ToString()[..400]); continue; }

            OnnxTensorList expected, actual;
            try
            {
                using var session = new InferenceSession(random.Model.Write().ToArray(), options);
                expected = new(OnnxRuntime.Run(session, [.. random.Model.Outputs.Select(o => o.Name)], [.. random.Inputs.Select(i => (i.Key, i.Value))]));
                actual = new(imported.Run<float>(random.Inputs));
            }
            catch (Exception e) { faults.Add(text + " RUN " + e.ToString()[..Math.Min(700, e.ToString().Length)]); continue; }
            if (expected.Compare(actual) is { } fault)
                faults.Add(text + " " + fault);
            (ran, nodes) = (ran + 1, nodes + random.Model.Nodes.Count);
            moved += imported.Graph.Build().Nodes.Count(n => n.Layer is Transpose);
        }

        output.WriteLine($"{ran} models of {nodes} nodes, {moved} transpositions left");
        foreach (var (reason, count) in reasons.OrderByDescending(r => r.Value))
            output.WriteLine($"{count,4} {reason}");
        Assert.True(faults.Count == 0, $"{faults.Count} faults:\n{string.Join("\n", faults.OrderBy(f => f.Length).Take(40))}");
        Assert.True(ran >= MinimumImported, $"Only {ran} models were imported.");
    }

    private sealed record OnnxTensorList(OnnxTensor[] Tensors)
    {
        public string? Compare(OnnxTensorList actual)
        {
            for (var i = 0; i < Tensors.Length; i++)
            {
                var (e, a) = (Tensors[i], actual.Tensors[i]);
                if (!e.Shape.SequenceEqual(a.Shape))
                    return $"output {i} has the shape [{string.Join(", ", a.Shape)}] instead of [{string.Join(", ", e.Shape)}]";
                var largest = e.Values.Select(Math.Abs).Where(double.IsFinite).DefaultIfEmpty(0).Max();
                for (var k = 0; k < e.Size; k++)
                {
                    var (x, y) = (e.Values[k], a.Values[k]);
                    if (x != y && !(double.IsNaN(x) && double.IsNaN(y)) && !(Math.Abs(x - y) <= 1e-5 * largest + 1e-6))
                        return $"output {i}: number {k} is {y} instead of {x}";
                }
            }

            return null;
        }
    }
}
