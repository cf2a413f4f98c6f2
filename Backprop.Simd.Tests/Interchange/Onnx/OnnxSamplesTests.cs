using System.Numerics;
using Backprop.Simd.Interchange;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Gradients;
using Microsoft.ML.OnnxRuntime;

namespace Backprop.Simd.Tests.Interchange;

/// <summary>The sample of every layer as an ONNX model: ONNX Runtime computes the outputs of the library.</summary>
public sealed class OnnxSamplesTests
{
    public static TheoryData<int> Samples => [.. Enumerable.Range(0, LayerSamples.All.Count)];

    [Theory, MemberData(nameof(Samples))]
    public void Every_layer_gives_the_same_outputs(int sample)
    {
        var layer = LayerSamples.All[sample];
        if (layer.Layer is Noise)
            return;
        foreach (var opset in (int[])[17, 20])
        {
            if (Difference(layer, opset, n => n.Float) is not { } difference)
                continue;
            Assert.True(difference <= 1e-5, $"{layer}, operators {opset}: {difference:G3}.");
        }
    }

    private static double? Difference<T>(LayerSample sample, int opset, Func<SampleNetwork, Network<T>> of) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var samples = new SampleNetwork(sample, fanOut: sample.Layer is Loss);
        var network = of(samples);
        if (!network.Definition.OutputNames.Except(network.Definition.Nodes.Where(n => n.Layer is Loss).SelectMany(n => n.Outputs)).Any())
            return null;
        var workspace = network.CreateWorkspace(sample.Rows, WorkspaceOptions.Inference);
        samples.FillInputs(workspace);
        using var run = OnnxRun.Of(network, new OnnxSaveOptions { Opset = opset });
        return run.Difference(workspace);
    }
}
