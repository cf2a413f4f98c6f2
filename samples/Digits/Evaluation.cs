using System.Numerics.Tensors;
using Backprop.Simd.Datasets;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>What a network says about a set of images.</summary>
internal sealed class Evaluation
{
    private readonly Network<float> _network;
    private readonly LabeledImages _images;
    private readonly Workspace<float> _workspace;

    public Evaluation(Network<float> network, LabeledImages images, ComputeContext compute)
    {
        _network = network;
        _images = images;
        _workspace = network.CreateWorkspace(images.Count, WorkspaceOptions.Inference, compute);
        images.CopyRows(0, images.Count, _workspace.Input());
    }

    /// <summary>The share of the images that the network, as it is now, classifies correctly.</summary>
    public double Accuracy()
    {
        _network.Forward(_workspace);
        var right = 0;
        for (var i = 0; i < _images.Count; i++)
        {
            if (Prediction(i) == _images.Label(i))
                right++;
        }

        return (double)right / _images.Count;
    }

    /// <summary>The class of an image in the last <see cref="Accuracy"/>: the one with the largest logit.</summary>
    public int Prediction(int image) =>
        TensorPrimitives.IndexOfMax(_workspace.Output().Slice(image * _images.Classes, _images.Classes));
}
