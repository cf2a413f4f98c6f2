using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Normalizations.</content>
public static partial class NodeChain
{
    /// <summary>Normalizes each channel over the batch: <see cref="Layers.BatchNormalization"/>.</summary>
    /// <param name="node">x, channels last.</param>
    /// <param name="momentum">The weight of the new value in the running statistics, 0 to 1.</param>
    /// <param name="epsilon">The number added to the variance, positive.</param>
    /// <param name="affine">False for no weight and no bias.</param>
    /// <returns>y, with the shape of x.</returns>
    public static Node BatchNormalization(this Node node, double momentum = 0.1, double epsilon = 1e-5, bool affine = true) =>
        node.Apply(new BatchNormalization(momentum, epsilon, affine));

    /// <summary>Normalizes the last dimensions of each row: <see cref="Layers.LayerNormalization"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="dimensions">The number of last dimensions that are normalized together.</param>
    /// <param name="epsilon">The number added to the variance, positive.</param>
    /// <param name="affine">False for no weight and no bias.</param>
    /// <param name="bias">False for no bias.</param>
    /// <returns>y, with the shape of x.</returns>
    public static Node LayerNormalization(this Node node, int dimensions = 1, double epsilon = 1e-5, bool affine = true, bool bias = true) =>
        node.Apply(new LayerNormalization(dimensions, epsilon, affine, bias));

    /// <summary>Divides the last dimensions of each row by their root mean square: <see cref="Layers.RmsNormalization"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="dimensions">The number of last dimensions that are normalized together.</param>
    /// <param name="epsilon">The number added to the mean square, positive.</param>
    /// <param name="affine">False for no weight.</param>
    /// <returns>y, with the shape of x.</returns>
    public static Node RmsNormalization(this Node node, int dimensions = 1, double epsilon = 1e-5, bool affine = true) =>
        node.Apply(new RmsNormalization(dimensions, epsilon, affine));

    /// <summary>Normalizes groups of channels over the positions of each row: <see cref="Layers.GroupNormalization"/>.</summary>
    /// <param name="node">x, channels last.</param>
    /// <param name="groups">The number of groups. With as many groups as channels this is instance normalization.</param>
    /// <param name="epsilon">The number added to the variance, positive.</param>
    /// <param name="affine">False for no weight and no bias.</param>
    /// <returns>y, with the shape of x.</returns>
    public static Node GroupNormalization(this Node node, int groups, double epsilon = 1e-5, bool affine = true) =>
        node.Apply(new GroupNormalization(groups, epsilon, affine));
}
