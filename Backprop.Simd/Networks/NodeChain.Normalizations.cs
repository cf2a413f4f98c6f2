using Backprop.Simd.Initializers;
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

    /// <summary>Normalizes each channel of each row over its positions, PyTorch's <c>InstanceNorm</c>: a
    /// <see cref="Layers.GroupNormalization"/> with a group for each channel.</summary>
    /// <param name="node">x, values [.., C].</param>
    /// <param name="epsilon">The number added to the variance, positive.</param>
    /// <param name="affine">True for a weight and a bias per channel; as in PyTorch there are none by default.</param>
    /// <returns>y, with the shape of x.</returns>
    public static Node InstanceNormalization(this Node node, double epsilon = 1e-5, bool affine = false) =>
        node.GroupNormalization(node.Type.Shape.Last, epsilon, affine);

    /// <summary>
    /// y = x W + b with W[:, n] = g[n] V[:, n] / |V[:, n]|: length and direction of the weights of each output are trained apart. PyTorch's
    /// <c>weight_norm</c> of a linear layer. Salimans and Kingma, "Weight Normalization", 2016.
    /// </summary>
    /// <remarks>An expression of parameters, not a layer: the weights are computed once for a batch, and the gradients are those of its gates.
    /// The parameters are <c>name.direction</c> V [in, out], <c>name.length</c> g [1, out], which starts at 1, and <c>name.bias</c>. PyTorch
    /// has the transpose of V as <c>weight_v</c>, and g as <c>weight_g</c>.</remarks>
    /// <param name="node">x, values [in] or [T, in].</param>
    /// <param name="name">The name of the map, unique in the graph.</param>
    /// <param name="outputs">The number of outputs.</param>
    /// <param name="initializer">How V starts; He normal if null. Only its directions matter.</param>
    /// <param name="bias">False for y = x W.</param>
    /// <returns>y, [outputs] or [T, outputs].</returns>
    /// <exception cref="ArgumentException">x is not values of rank 1 or 2, the number of outputs is below 1, or the name is taken.</exception>
    public static Node WeightNormalizedAffine(this Node node, string name, int outputs, Initializer? initializer = null, bool bias = true)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentOutOfRangeException.ThrowIfLessThan(outputs, 1);
        if (node.Type is not { Kind: EdgeKind.Values, Shape: { Rank: 1 or 2 } shape })
            throw new ArgumentException($"{nameof(WeightNormalizedAffine)} takes values [in] or [T, in]; it got {node.Type}.", nameof(node));
        var direction = node.Graph.Parameter($"{name}.direction", new Shape(shape.Last, outputs), initializer ?? Initialize.He);
        var length = node.Graph.Parameter($"{name}.length", new Shape(1, outputs), Initialize.Constant(1));
        var y = Node.MatrixProduct(node, direction * (length / direction.Norm(true, 0)));
        return bias ? y + node.Graph.Parameter($"{name}.bias", new Shape(outputs), Initialize.Zeros) : y;
    }
}
