using System.Numerics.Tensors;
using Backprop.Simd.Datasets;
using Backprop.Simd.Kernels;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Samples;

/// <summary>The network that is served: trained on 1,437 handwritten digits, which takes about a second.</summary>
internal static class DigitModel
{
    private const int Batch = 32, Epochs = 30;
    private const ulong Seed = 1;

    public static Network<float> Train(LabeledImages images)
    {
        var network = GraphBuilder.Chain(images.PixelsPerImage).Affine(64).Relu().Affine(images.Classes).SoftmaxCrossEntropy().Build<float>(Seed);
        var workspace = network.CreateWorkspace(Batch);
        var optimizer = new AdamW<float>(network.Parameters.Length, learningRate: 2e-3);
        var order = Enumerable.Range(0, images.Count).ToArray();
        var random = new Philox(Seed, stream: 0x5365727665);
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            // Fisher and Yates: each place takes one of those not yet placed.
            for (var i = order.Length - 1; i > 0; i--)
            {
                var j = (int)Math.BigMul(random.NextUInt64(), (ulong)(i + 1), out _);
                (order[i], order[j]) = (order[j], order[i]);
            }

            for (var start = 0; start < order.Length; start += Batch)
            {
                workspace.Rows = Math.Min(Batch, order.Length - start);
                var rows = order.AsSpan(start, workspace.Rows);
                images.CopyRows(rows, workspace.Input());
                images.CopyLabels(rows, workspace.IndexInput());
                network.Step(workspace, optimizer);
            }
        }

        return network;
    }

    /// <summary>The part of the images that a network puts into the right class.</summary>
    public static double Accuracy(Network<float> network, LabeledImages images)
    {
        var workspace = network.CreateWorkspace(images.Count, WorkspaceOptions.Inference);
        images.CopyRows(0, images.Count, workspace.Input());
        network.Forward(workspace);
        var right = 0;
        for (var i = 0; i < images.Count; i++)
            right += TensorPrimitives.IndexOfMax(workspace.Output().Slice(i * images.Classes, images.Classes)) == images.Label(i) ? 1 : 0;
        return (double)right / images.Count;
    }
}
