using System.Numerics;
using Backprop.Simd.Interchange;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Gradients;
using Backprop.Simd.Tests.Infrastructure;
using Microsoft.ML.OnnxRuntime;

namespace Backprop.Simd.Tests.Onnx;

/// <summary>The sample of every layer as an ONNX model: ONNX Runtime computes the outputs of the library.</summary>
public sealed class OnnxSamplesTests
{
    /// <summary>In float, relative to the largest output: rounding of sums in another order. Double has 2^29 times finer digits, but constants such
    /// as epsilon are floats in a model.</summary>
    private const double FloatTolerance = 1e-5, DoubleTolerance = 1e-6;

    /// <summary>Exported, but without comparison: its numbers are of the generator of ONNX Runtime. A test below holds their distribution.</summary>
    private static readonly Type[] _drawn = [typeof(Noise)];

    /// <summary>Without a form of their own: this one has no class that a table could name; it is exported, and a test of its own holds it.</summary>
    private static readonly Type[] _unnamed = [typeof(ParameterReader)];

    /// <summary>Layers with an operator that ONNX Runtime 1.31 has in float alone.</summary>
    private static readonly HashSet<string> _withoutDoubles =
    [
        "averagepooling1d", "averagepooling2d", "convolution1d", "convolution2d", "convolutiontranspose1d", "convolutiontranspose2d", "eachstep", "elu", "erf",
        "functionalconvolution", "gelu", "groupnormalization", "gru", "hardsigmoid", "hardswish", "logsigmoid", "lstm", "mish", "rnn", "selu", "softplus",
        "softsign", "thresholdedrelu", "upsample",
    ];

    public static TheoryData<int> Samples => [.. Enumerable.Range(0, LayerSamples.All.Count).Where(i => !_drawn.Contains(LayerSamples.All[i].Layer.GetType()))];

    [Theory, MemberData(nameof(Samples))]
    public void Every_layer_gives_the_same_outputs(int index)
    {
        var sample = LayerSamples.All[index];
        foreach (var opset in (int[])[17, 18, 19, 20])
        {
            foreach (var (rows, difference) in Differences(sample, opset, n => n.Float))
                Assert.True(difference <= FloatTolerance, $"{sample}, operators {opset}, {rows} rows: {difference:G3}.");
        }
    }

    [Theory, MemberData(nameof(Samples))]
    public void Every_layer_gives_the_same_outputs_in_double(int index)
    {
        var sample = LayerSamples.All[index];
        try
        {
            foreach (var (rows, difference) in Differences(sample, 17, n => n.Double))
                Assert.True(difference <= DoubleTolerance, $"{sample}, {rows} rows: {difference:G3}.");
        }
        catch (OnnxRuntimeException e) when (e.Message.Contains("NotImplemented", StringComparison.Ordinal)
            || e.Message.Contains("does not support double yet", StringComparison.Ordinal))
        {
            // The model is valid; float is compared above.
            Assert.Contains(sample.Layer.Kind, _withoutDoubles);
        }
    }

    [Fact]
    public void No_layer_is_without_a_form()
    {
        var layers = SampleCoverage.ConcreteLayers([.. typeof(Layer).Assembly.GetTypes().Where(t => t.Namespace != "Backprop.Simd.Execution")]);
        Assert.DoesNotContain(layers, l => !OnnxLayers.Knows(l) && !l.IsSubclassOf(typeof(Loss)) && !_unnamed.Contains(l));
    }

    [Fact]
    public void Noise_is_drawn_from_its_distribution()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 10_000);
        graph.Output(x.Noise(NoiseDistribution.Normal, 2, 3).Named("normal"));
        graph.Output(x.Noise(NoiseDistribution.Uniform, -1, 4).Named("uniform"));
        graph.Output(x.Noise(NoiseDistribution.Bernoulli, 0.25, 8).Named("bernoulli"));
        var network = graph.Build().CreateNetwork<float>();
        using var run = OnnxRun.Of(network);
        var drawn = run.Outputs.Zip(run.Run(network.CreateWorkspace(1, WorkspaceOptions.Inference))).ToDictionary(p => p.First, p => p.Second);

        // Four standard deviations of the mean of 10,000 numbers.
        Assert.InRange(drawn["normal"].Average(), 2 - 0.12, 2 + 0.12);
        Assert.InRange(drawn["normal"].Average(v => (v - 2) * (v - 2)), 9 - 0.6, 9 + 0.6);
        Assert.InRange(drawn["uniform"].Average(), 1 - 0.05, 1 + 0.05);
        Assert.All(drawn["uniform"], v => Assert.InRange(v, -1, 3));
        Assert.InRange(drawn["bernoulli"].Average(), 2 - 0.14, 2 + 0.14);
        Assert.All(drawn["bernoulli"], v => Assert.True(v is 0 or 8));
    }

    /// <summary>With the rows of the sample, with one row and with three.</summary>
    private static IEnumerable<(int Rows, double Difference)> Differences<T>(LayerSample sample, int opset, Func<SampleNetwork, Network<T>> of)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // A loss is not part of a model; its inputs are outputs of other nodes there.
        var samples = new SampleNetwork(sample, fanOut: sample.Layer is Loss);
        var network = of(samples);
        if (sample.Layer is Loss && sample.Inputs.All(i => i.Kind == EdgeKind.Indices))
            yield break;
        var random = new TestRandom(5);
        foreach (ref var value in network.State)
            value = T.CreateTruncating((float)(1 + 0.5 * random.Signed<double>()));
        var filled = network.CreateWorkspace(sample.Rows, WorkspaceOptions.Inference);
        samples.FillInputs(filled);
        using var run = OnnxRun.Of(network, new OnnxSaveOptions { Opset = opset });
        Assert.Equal(network.Definition.OutputNames.Where(o => !network.Definition.Nodes.Any(n => n.Layer is Loss && n.Outputs.Contains(o))), run.Outputs);
        yield return (sample.Rows, run.Difference(filled));
        foreach (var rows in (int[])[1, 3])
        {
            var workspace = network.CreateWorkspace(rows, WorkspaceOptions.Inference);
            foreach (var name in network.Definition.InputNames)
            {
                var type = network.Definition.TypeOf(name);
                if (type.Kind == EdgeKind.Indices)
                    Repeat(filled.IndexInput(name), workspace.IndexInput(name));
                else
                    Repeat(filled.Input(name), workspace.Input(name));
            }

            yield return (rows, run.Difference(workspace));
        }
    }

    /// <summary>The first rows, and from the beginning again where there are no more.</summary>
    private static void Repeat<T>(ReadOnlySpan<T> rows, Span<T> values)
    {
        for (var i = 0; i < values.Length; i++)
            values[i] = rows[i % rows.Length];
    }
}
