using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Normalizations.</content>
public static partial class NodeChain
{
    /// <summary>Normalizes each channel over the batch: <see cref="Layers.BatchNormalization"/>.</summary>
    /// <param name="node">x, channels last.</param>
    /// <param name="momentum">The weight of the new value in the running statistics, 0 to 1.</param>
    /// <param name="epsilon">What is added to the variance, positive.</param>
    /// <param name="affine">False for no weight and no bias.</param>
    /// <returns>y, of the shape of x.</returns>
    public static Node BatchNormalization(this Node node, double momentum = 0.1, double epsilon = 1e-5, bool affine = true) =>
        node.Apply(new BatchNormalization(momentum, epsilon, affine));
}
