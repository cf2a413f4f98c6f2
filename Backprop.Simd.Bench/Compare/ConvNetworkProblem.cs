using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Bench;

/// <summary>
/// 28 x 28 x 1, 30 filters 5 x 5, ReLU, max-pooling 2, affine 100, ReLU, affine 10, softmax cross-entropy, Adam. The result is
/// the losses of the first three steps.
/// </summary>
internal sealed class ConvNetworkProblem
{
    public const double LearningRate = 1e-5;

    /// <summary>The dense count: forward and dW of all layers, dX of the affine ones.</summary>
    public const double OperationsPerImage = 2.0 * (2 * 24 * 24 * 30 * 25 + 3 * 4320 * 100 + 3 * 100 * 10);

    public ConvNetworkProblem(int batch)
    {
        Batch = batch;
        X = new float[batch * 784];
        Fill.Uniform<float>(X, seed: 1, 0, 1);
        Labels = Fill.Labels(batch, 10, seed: 3);
    }

    public int Batch { get; }

    public float[] X { get; }

    public int[] Labels { get; }

    public static Network<float> Build() => GraphBuilder.Chain(new Shape(28, 28, 1))
        .Convolution2D(30, 5).Relu().MaxPooling2D(2).Flatten().Affine(100).Relu().Affine(10).SoftmaxCrossEntropy().Build<float>(seed: 1);

    public void CopyBatch<T>(Span<T> x, Span<int> labels)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < X.Length; i++)
            x[i] = T.CreateTruncating(X[i]);
        Labels.CopyTo(labels);
    }

    public string? Verify(double[] losses)
    {
        var network = Build().ConvertTo<double>();
        var workspace = network.CreateWorkspace(Batch);
        var optimizer = new Adam<double>(network.Parameters.Length, LearningRate);
        CopyBatch(workspace.Input(), workspace.IndexInput());
        for (var step = 0; step < NetworkProblem.CheckedSteps; step++)
        {
            var expected = network.Step(workspace, optimizer);
            if (step >= losses.Length || !(Math.Abs(losses[step] - expected) <= 2e-5 * (1 + Math.Abs(expected))))
                return $"the loss of step {step} is {(step < losses.Length ? losses[step] : double.NaN):G9} instead of {expected:G9}";
        }

        return null;
    }
}
