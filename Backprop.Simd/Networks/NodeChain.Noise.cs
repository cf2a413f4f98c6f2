using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Noise.</content>
public static partial class NodeChain
{
    /// <summary>In training, adds normal noise: <see cref="Layers.GaussianNoise"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="deviation">The standard deviation.</param>
    /// <returns>y.</returns>
    public static Node GaussianNoise(this Node node, double deviation) => node.Apply(new GaussianNoise(deviation));

    /// <summary>In training, multiplies by normal factors of mean 1: <see cref="Layers.GaussianDropout"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="probability">The probability p of the dropout that it stands for, in [0, 1); the factors have the variance p / (1 - p).</param>
    /// <returns>y.</returns>
    public static Node GaussianDropout(this Node node, double probability = 0.5) => node.Apply(new GaussianDropout(probability));

    /// <summary>In training, sets random elements to selu's lowest value, and keeps mean 0 and variance 1: <see cref="Layers.AlphaDropout"/>.</summary>
    /// <param name="node">x.</param>
    /// <param name="probability">The probability that an element is dropped, in [0, 1].</param>
    /// <returns>y.</returns>
    public static Node AlphaDropout(this Node node, double probability = 0.5) => node.Apply(new AlphaDropout(probability));

    /// <summary>In training, sets random channels to zero and scales up the others: <see cref="Layers.SpatialDropout"/>.</summary>
    /// <param name="node">x, channels last.</param>
    /// <param name="probability">The probability that a channel is dropped, in [0, 1].</param>
    /// <returns>y.</returns>
    public static Node SpatialDropout(this Node node, double probability = 0.5) => node.Apply(new SpatialDropout(probability));

    /// <summary>Random numbers with the shape of a node, in training and inference: <see cref="Layers.Noise"/>.</summary>
    /// <param name="node">The node; its numbers do not matter, and no gradient flows to it.</param>
    /// <param name="distribution">The distribution.</param>
    /// <param name="location">The mean, where a uniform distribution begins, or a probability.</param>
    /// <param name="spread">The standard deviation, the width, or the number that has the probability.</param>
    /// <returns>The noise.</returns>
    public static Node Noise(this Node node, NoiseDistribution distribution = NoiseDistribution.Normal, double location = 0, double spread = 1) =>
        node.Apply(new Noise(distribution, location, spread));
}
