using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Blocks of layers.</content>
public static partial class NodeChain
{
    /// <summary>block(x) + x, or block(x) + shortcut(x): a residual block. He, Zhang, Ren and Sun, "Deep Residual Learning for Image
    /// Recognition", 2016.</summary>
    /// <param name="node">x.</param>
    /// <param name="block">Makes the layers of the block.</param>
    /// <param name="shortcut">Makes the layers beside it, a convolution of one cell where shapes differ; null for x itself.</param>
    /// <returns>The sum.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="block"/> is null.</exception>
    /// <exception cref="ArgumentException">The shapes of both sides differ.</exception>
    public static Node Residual(this Node node, Func<Node, Node> block, Func<Node, Node>? shortcut = null)
    {
        ArgumentNullException.ThrowIfNull(block);
        var beside = shortcut is null ? node : shortcut(node);
        var y = block(node);
        return y.Type == beside.Type ? y + beside
            : throw new ArgumentException(
                $"The block of {nameof(Residual)} gives {y}, and beside it is {beside}: give '{nameof(shortcut)}' layers that give {y.Type}.", nameof(block));
    }

    /// <summary>x * sigmoid(affine(relu(affine(means of x)))): the channels of images [H, W, C], each scaled by a number that all channels'
    /// means decide. Hu, Shen and Sun, "Squeeze-and-Excitation Networks", 2018.</summary>
    /// <param name="node">x.</param>
    /// <param name="reduction">The channels for each number between both affine maps; there is at least one.</param>
    /// <returns>y, with the shape of x.</returns>
    /// <exception cref="ArgumentException">x is no image, or <paramref name="reduction"/> is below 1.</exception>
    public static Node SqueezeExcite(this Node node, int reduction = 16)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(reduction, 1);
        var channels = ChannelsOf(node, nameof(SqueezeExcite));
        var scales = node.GlobalAveragePooling2D().Affine(Math.Max(1, channels / reduction)).Relu().Affine(channels).Sigmoid();
        return node * scales.Reshape(1, 1, channels);
    }

    /// <summary>Sums, means or maxima of bags of rows of a table: <see cref="Layers.EmbeddingBag"/>.</summary>
    /// <param name="indices">The indices, [L].</param>
    /// <param name="count">The number of rows of the table.</param>
    /// <param name="size">The length of a row.</param>
    /// <param name="mode">What is made of a bag.</param>
    /// <param name="lengths">The number of indices that count in each row, indices from 0 to L; null if all do.</param>
    /// <param name="weights">A factor for each index, values [L], with sums only; null for 1.</param>
    /// <param name="paddingIndex">A row that starts at zero, has no gradient and does not count in a bag; null for none.</param>
    /// <returns>The bags, [size].</returns>
    public static Node EmbeddingBag(this Node indices, int count, int size, BagMode mode = BagMode.Mean, Node? lengths = null, Node? weights = null,
        int? paddingIndex = null)
    {
        var layer = new EmbeddingBag(count, size, mode, paddingIndex: paddingIndex);
        return (lengths, weights) switch
        {
            ({ } l, { } w) => indices.Apply(layer, l, w),
            ({ } l, null) => indices.Apply(layer, l),
            (null, { } w) => indices.Apply(layer, w),
            _ => indices.Apply(layer),
        };
    }
}
