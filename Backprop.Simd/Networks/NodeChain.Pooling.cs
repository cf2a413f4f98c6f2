using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Pooling.</content>
public static partial class NodeChain
{
    /// <summary>The largest value of each window of images [H, W, C]: <see cref="Layers.MaxPooling2D"/>.</summary>
    /// <param name="node">The images.</param>
    /// <param name="kernel">The size of a window.</param>
    /// <param name="stride">From one window to the next; the size of a window if null.</param>
    /// <param name="padding">Cells around the image that never win; none by default.</param>
    /// <param name="ceiling">Whether to keep windows that only begin inside the image.</param>
    /// <returns>The outputs, [H', W', C].</returns>
    public static Node MaxPooling2D(this Node node, Extent kernel, Extent? stride = null, Padding padding = default, bool ceiling = false) =>
        node.Apply(new MaxPooling2D(kernel, stride, padding, ceiling));

    /// <summary>The mean of each window of images [H, W, C]: <see cref="Layers.AveragePooling2D"/>.</summary>
    /// <param name="node">The images.</param>
    /// <param name="kernel">The size of a window.</param>
    /// <param name="stride">From one window to the next; the size of a window if null.</param>
    /// <param name="padding">Zeros around the image; none by default.</param>
    /// <param name="ceiling">Whether to keep windows that only begin inside the image.</param>
    /// <param name="includePadding">False to divide by the real cells of a window only.</param>
    /// <returns>The outputs, [H', W', C].</returns>
    public static Node AveragePooling2D(this Node node, Extent kernel, Extent? stride = null, Padding padding = default, bool ceiling = false,
        bool includePadding = true) =>
        node.Apply(new AveragePooling2D(kernel, stride, padding, ceiling, includePadding));

    /// <summary>The means of a given number of bins of images [H, W, C]: <see cref="Layers.AdaptiveAveragePooling2D"/>.</summary>
    /// <param name="node">The images.</param>
    /// <param name="outputs">The number of bins along height and width.</param>
    /// <returns>The outputs, [H', W', C].</returns>
    public static Node AdaptiveAveragePooling2D(this Node node, Extent outputs) => node.Apply(new AdaptiveAveragePooling2D(outputs));

    /// <summary>The mean of each channel of images [H, W, C]: <see cref="Layers.GlobalAveragePooling2D"/>.</summary>
    /// <param name="node">The images.</param>
    /// <returns>The means, [C].</returns>
    public static Node GlobalAveragePooling2D(this Node node) => node.Apply(new GlobalAveragePooling2D());
}
