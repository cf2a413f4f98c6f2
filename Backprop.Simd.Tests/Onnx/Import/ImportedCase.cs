using System.Text.RegularExpressions;
using Backprop.Simd.Interchange;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>A case of ONNX through the import. Its inputs are inputs of the network; what the import needs known, or cannot take as an input, becomes
/// an initializer.</summary>
internal static partial class ImportedCase
{
    /// <summary>Runs a case.</summary>
    /// <param name="c">The case.</param>
    /// <returns>The outputs that the import gives, by name; why there are none.</returns>
    public static (IReadOnlyDictionary<string, OnnxTensor>? Outputs, string? Refusal) Run(OnnxCase c)
    {
        // The batch is dimension 0, or dimension 1 of recurrences. If that is refused, the case has no batch.
        var isRecurrent = c.Model.Nodes.Any(n => n.Operator is "RNN" or "LSTM" or "GRU" && !n.Attributes.Any(a => a is { Name: "layout", Integer: 1 }));
        string? refusal = null;
        foreach (var batch in isRecurrent ? [1] : (int[])[0, -1])
        {
            var (outputs, reason) = Attempt(c, batch);
            if (outputs is not null)
                return (outputs, null);
            refusal = reason;
        }

        return (null, refusal);
    }

    private static (IReadOnlyDictionary<string, OnnxTensor>? Outputs, string? Refusal) Attempt(OnnxCase c, int batch)
    {
        int Rows(OnnxTensor x) => x.Rank == 0 ? 0 : x.Shape[Math.Min(batch, x.Rank - 1)];
        var first = c.Model.Inputs.Select(i => c.Value(i.Name)).FirstOrDefault();
        HashSet<string> known = [.. c.Model.Inputs.Select(i => i.Name).Where(n => !IsInput(c.Value(n)) || batch >= 0 && Rows(c.Value(n)) != Rows(first!))];
        List<string> outputs = [.. c.Model.Outputs.Select(o => o.Name)];
        while (true)
        {
            var model = c.With(known);
            var batches = model.Inputs.ToDictionary(i => i.Name, i => Math.Min(batch, c.Value(i.Name).Rank - 1));
            try
            {
                var inputs = model.Inputs.ToDictionary(i => i.Name, i => c.Value(i.Name));
                var isDouble = inputs.Values.Any(v => v.Type == OnnxType.Double);
                var imported = new ImportedModel(model, new() { BatchDimensions = batches, Outputs = outputs });
                var results = isDouble ? imported.Run<double>(inputs) : imported.Run<float>(inputs);
                return (outputs.Zip(results).ToDictionary(r => r.First, r => r.Second), null);
            }
            catch (Exception e) when (e is ModelFileException or ArgumentException)
            {
                // "Op 'name': its input 1 is computed", of a node whose inputs are those of the model.
                if (NotGiven().Match(e.Message) is { Success: true } output && outputs.Count > 1
                    && outputs.Remove(c.Node.Outputs[int.Parse(output.Groups[1].Value, null)]))
                    continue;
                var wanted = Computed().Match(e.Message) is { Success: true } match && c.Model.Nodes.Count == 1
                    ? c.Model.Nodes[0].Inputs[int.Parse(match.Groups[1].Value, null)] : null;
                if (wanted is null || !known.Add(wanted))
                    return (null, e.Message);
            }
        }
    }

    /// <summary>Whether a network can take it as an input.</summary>
    private static bool IsInput(OnnxTensor x) => x.Type is OnnxType.Float or OnnxType.Double or OnnxType.Int32 or OnnxType.Int64 && x.Size > 0
        && !(x.IsInteger && x.Integers.Any(i => i < 0));

    [GeneratedRegex("output ([0-9]+) of .* is not given")]
    private static partial Regex NotGiven();

    [GeneratedRegex("its input ([0-9]+) is computed")]
    private static partial Regex Computed();
}
