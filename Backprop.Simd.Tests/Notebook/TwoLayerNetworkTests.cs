using Backprop.Simd.Datasets;
using Backprop.Simd.Gradients;
using Backprop.Simd.Initializers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Notebook;

/// <summary>The notebook's network for MNIST: numerical against analytic gradient on three images.</summary>
public sealed class TwoLayerNetworkTests
{
    [Fact]
    public void Numerical_and_analytic_gradient_agree_as_in_the_notebook()
    {
        var network = GraphBuilder.Chain(784)
            .Affine(50, Initialize.Normal(0.01)).Sigmoid()
            .Affine(10, Initialize.Normal(0.01)).SoftmaxCrossEntropy()
            .Build<double>(seed: 1);
        var workspace = network.CreateWorkspace(3, compute: ComputeContext.SingleThreaded);
        var images = Digits.Resize28x28(Digits.Load());
        images.CopyRows(0, 3, workspace.Input());
        images.CopyLabels(0, 3, workspace.IndexInput());

        var report = GradientCheck.Run(network, workspace, new GradientCheckOptions { Step = 1e-4 });

        Assert.Equal(["affine1.weight", "affine1.bias", "affine2.weight", "affine2.bias"], report.Entries.Select(e => e.Name));
        Assert.Equal([784 * 50, 50, 50 * 10, 10], report.Entries.Select(e => e.Compared));
        Assert.All(report.Entries, entry =>
        {
            Assert.InRange(entry.MeanAbsoluteDifference, 0, 1e-9);
            Assert.InRange(entry.RelativeError, 0, 1e-6);
            Assert.NotEqual(0, entry.WorstAnalytic);
        });
    }
}
