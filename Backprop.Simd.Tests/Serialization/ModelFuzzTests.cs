using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Serialization;
using Backprop.Simd.Tests.Gradients;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Serialization;

/// <summary>Graphs that were changed behind the checksum's back: each is a graph, or refused with the documented exception, without large memory.</summary>
public sealed class ModelFuzzTests
{
    private const long MostBytes = 64 << 20;

    private static readonly string[] Pieces =
    [
        "0", "-1", "1e9", "2147483647", "2147483648", "9223372036854775807", "1e400", "null", "true",
        "\"\"", "[]", "{}", "[[]]", "\"x\"", "\"NaN\"", ",", ":", "\"",
    ];

    [Fact]
    public void Changed_graphs_give_the_documented_exception()
    {
        var random = new TestRandom(31);
        var samples = LayerSamples.All;
        var passed = 0;
        for (var trial = 0; trial < 4000; trial++)
        {
            var network = Of(samples[random.Integer(0, samples.Count - 1)]);
            var text = Changed(GraphText.Write(network.Definition), ref random);
            using var stream = File(network, text);
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                Model.Load<float>(stream);
                passed++;
            }
            catch (ModelFileException)
            {
            }

            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < MostBytes, text);
        }

        Assert.InRange(passed, 1, 3999);
    }

    private static Network<float> Of(LayerSample sample)
    {
        var graph = new GraphBuilder();
        Node[] nodes = [.. sample.Inputs.Select((type, i) => type.Kind switch
        {
            EdgeKind.Values => graph.Input($"input{i}", type.Shape),
            EdgeKind.Indices => graph.IndexInput($"input{i}", type.Shape),
            _ => graph.Parameter($"input{i}", type.Shape),
        })];
        foreach (var output in graph.ApplyAll(sample.Layer, nodes))
            graph.Output(output);
        return graph.Build().CreateNetwork<float>(seed: 1);
    }

    /// <summary>The text with some numbers, words or places replaced, doubled or cut out.</summary>
    private static string Changed(string text, ref TestRandom random)
    {
        for (var change = random.Integer(1, 3); change > 0; change--)
        {
            // From a random place to the end of the number or word that begins behind it.
            var from = random.Integer(0, text.Length - 1);
            while (from < text.Length && !char.IsLetterOrDigit(text[from]))
                from++;
            var to = from;
            while (to < text.Length && char.IsLetterOrDigit(text[to]))
                to++;
            var piece = random.Integer(0, 3) switch
            {
                0 => Pieces[random.Integer(0, Pieces.Length - 1)],
                1 => text[from..to] + text[from..to],
                2 => "",
                _ => random.Integer(-3, 40).ToString(System.Globalization.CultureInfo.InvariantCulture),
            };
            text = text[..from] + piece + text[to..];
            if (text.Length == 0)
                return "{}";
        }

        return text;
    }

    private static MemoryStream File(Network<float> network, string graph)
    {
        var writer = new SafetensorsWriter { Checksum = true };
        foreach (var (key, value) in new[] { ("format", "backprop.simd"), ("version", "2"), ("element", "F32"), ("seed", "1"), ("graph", graph) })
            writer.AddMetadata(key, value);
        foreach (var entry in network.Definition.Parameters.Entries)
            writer.Add<float>(entry.Name, entry.Shape, network.ParameterOf(entry.Name).ToArray());
        foreach (var entry in network.Definition.State.Entries)
            writer.Add<float>(entry.Name, entry.Shape, network.StateOf(entry.Name).ToArray());
        var stream = new MemoryStream();
        writer.Write(stream);
        stream.Position = 0;
        return stream;
    }
}
