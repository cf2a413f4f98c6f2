using System.Numerics.Tensors;
using Backprop.Simd.Data;
using Backprop.Simd.Datasets;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Serialization;
using Backprop.Simd.Training;

namespace Backprop.Simd.Samples;

/// <summary>The network that is served: trained on 1,437 handwritten digits, which takes about a second.</summary>
internal static class DigitModel
{
    private const int Batch = 32, Epochs = 30;
    private const ulong Seed = 1;

    /// <summary>The network with fresh weights: 64-64-10 for 8 x 8 images.</summary>
    public static Network<float> Build(LabeledImages images) =>
        GraphBuilder.Chain(images.PixelsPerImage).Affine(64).Relu().Affine(images.Classes).SoftmaxCrossEntropy().Build<float>(Seed);

    public static Network<float> Train(LabeledImages images)
    {
        var network = Build(images);
        using var batches = new BatchLoader<float>(images.ToDataset<float>(), Batch, new() { Seed = Seed });
        var optimizer = new AdamW<float>(network, learningRate: 2e-3);
        new Trainer<float>(network, optimizer, batches, new() { Epochs = Epochs }).Run();
        return network;
    }

    /// <summary>A network that was saved.</summary>
    /// <exception cref="ModelFileException">The file is damaged or of another network, its numbers are not finite, or the network's output
    /// for one of the images is not.</exception>
    public static Network<float> Load(LabeledImages images, string path)
    {
        var network = Build(images);
        network.Load(path);
        foreach (var entry in network.Definition.Parameters.Entries)
        {
            if (!TensorPrimitives.IsFiniteAll<float>(network.ParameterOf(entry.Name)))
                throw new ModelFileException($"'{entry.Name}' has numbers that are not finite.");
        }

        var loss = new Evaluator<float>(network, images.ToDataset<float>()).Run().Loss;
        return double.IsFinite(loss) ? network
            : throw new ModelFileException($"The loss of the training images is {loss}: the network's outputs are not finite.");
    }

    /// <summary>The share of the images that a network classifies correctly.</summary>
    public static double Accuracy(Network<float> network, LabeledImages images) =>
        new Evaluator<float>(network, images.ToDataset<float>(), [new AccuracyMetric<float>()]).Run()["accuracy"];
}
