using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Sizes of images.</content>
public static partial class NodeChain
{
    /// <summary>Images [H, W, C] or sequences [L, C] of another size: <see cref="Layers.Upsample"/>.</summary>
    /// <param name="node">The images.</param>
    /// <param name="scale">The factors by which height and width grow; null if the outputs are given.</param>
    /// <param name="outputs">Height and width of the output; null if the scale is given.</param>
    /// <param name="mode">How the image is read.</param>
    /// <param name="alignCorners">True to put the centres of the corner cells over each other, in the bilinear mode only.</param>
    /// <returns>The outputs, [H', W', C] or [L', C].</returns>
    public static Node Upsample(this Node node, ResizeScale? scale = null, Extent? outputs = null, ResizeMode mode = ResizeMode.Nearest,
        bool alignCorners = false) => node.Apply(new Upsample(scale, outputs, mode, alignCorners));

    /// <summary>Channels become pixels, [H, W, C r r] to [H r, W r, C]: <see cref="Layers.PixelShuffle"/>.</summary>
    /// <param name="node">The images.</param>
    /// <param name="factor">r, by which height and width grow.</param>
    /// <param name="blocksFirst">True for the channel order of TensorFlow.</param>
    /// <returns>The outputs.</returns>
    public static Node PixelShuffle(this Node node, int factor, bool blocksFirst = false) => node.Apply(new PixelShuffle(factor, blocksFirst));

    /// <summary>Pixels become channels, [H r, W r, C] to [H, W, C r r]: <see cref="Layers.PixelUnshuffle"/>.</summary>
    /// <param name="node">The images.</param>
    /// <param name="factor">r, by which height and width shrink.</param>
    /// <param name="blocksFirst">True for the channel order of TensorFlow.</param>
    /// <returns>The outputs.</returns>
    public static Node PixelUnshuffle(this Node node, int factor, bool blocksFirst = false) => node.Apply(new PixelUnshuffle(factor, blocksFirst));
}
