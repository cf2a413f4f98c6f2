using Backprop.Simd.Datasets;
using Backprop.Simd.Gradients;
using Backprop.Simd.Initializers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Samples;

/// <summary>The notebook's first example: numerical against analytic gradient of a network for MNIST, on three images.</summary>
internal static class TwoLayerNetwork
{
    public const int Images = 3;
    private const double MeanBound = 1e-9;
    private const double RelativeBound = 1e-6;

    public static void Run(Report report, LabeledImages images, bool isMnist)
    {
        report.Title($"Two-layer network {images.PixelsPerImage}-50-10: numerical against analytic gradient on {Images} images");
        report.Line(isMnist
            ? "The first training images of the given files; weights N(0, 0.01), biases 0, h = 1e-4."
            : "Embedded 8x8 digits made 28x28: each pixel a 3x3 block, 2 zero pixels around; weights N(0, 0.01), biases 0, h = 1e-4.");
        var network = GraphBuilder.Chain(images.PixelsPerImage)
            .Affine(50, Initialize.Normal(0.01)).Sigmoid()
            .Affine(10, Initialize.Normal(0.01)).SoftmaxCrossEntropy()
            .Build<double>(seed: 1);
        var workspace = network.CreateWorkspace(Images, new WorkspaceOptions { Retain = Retain.All }, ComputeContext.SingleThreaded);
        images.CopyRows(0, Images, workspace.Input());
        images.CopyLabels(0, Images, workspace.IndexInput());

        var check = GradientCheck.Run(network, workspace);
        report.Header("mean |difference|");
        report.Below("W1", "2.4E-13", check["affine1.weight"].MeanAbsoluteDifference, MeanBound);
        report.Below("b1", "1.1E-12", check["affine1.bias"].MeanAbsoluteDifference, MeanBound);
        report.Below("W2", "8.8E-13", check["affine2.weight"].MeanAbsoluteDifference, MeanBound);
        report.Below("b2", "1.2E-10", check["affine2.bias"].MeanAbsoluteDifference, MeanBound);
        report.Header("relative error", "(not measured)");
        report.Below("W1", "", check["affine1.weight"].RelativeError, RelativeBound);
        report.Below("b1", "", check["affine1.bias"].RelativeError, RelativeBound);
        report.Below("W2", "", check["affine2.weight"].RelativeError, RelativeBound);
        report.Below("b2", "", check["affine2.bias"].RelativeError, RelativeBound);
        report.Picture("two-layer-network", workspace);
    }
}
