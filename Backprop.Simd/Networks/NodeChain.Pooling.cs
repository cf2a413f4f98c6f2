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
    /// <param name="dilation">From one cell of a window to the next; 1 by default.</param>
    /// <returns>The outputs, [H', W', C].</returns>
    public static Node MaxPooling2D(this Node node, Extent kernel, Extent? stride = null, Padding padding = default, bool ceiling = false,
        Extent? dilation = null) => node.Apply(new MaxPooling2D(kernel, stride, padding, ceiling, dilation));

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

    /// <summary>The largest values of a given number of bins of images [H, W, C]: <see cref="Layers.AdaptiveMaxPooling2D"/>.</summary>
    /// <param name="node">The images.</param>
    /// <param name="outputs">The number of bins along height and width.</param>
    /// <returns>The outputs, [H', W', C].</returns>
    public static Node AdaptiveMaxPooling2D(this Node node, Extent outputs) => node.Apply(new AdaptiveMaxPooling2D(outputs));

    /// <summary>The largest values of a given number of bins of sequences [L, C]: <see cref="Layers.AdaptiveMaxPooling1D"/>.</summary>
    /// <param name="node">The sequences.</param>
    /// <param name="outputs">The number of bins.</param>
    /// <returns>The outputs, [L', C].</returns>
    public static Node AdaptiveMaxPooling1D(this Node node, int outputs) => node.Apply(new AdaptiveMaxPooling1D(outputs));

    /// <summary>The mean of each channel of images [H, W, C]: <see cref="Layers.GlobalAveragePooling2D"/>.</summary>
    /// <param name="node">The images.</param>
    /// <returns>The means, [C].</returns>
    public static Node GlobalAveragePooling2D(this Node node) => node.Apply(new GlobalAveragePooling2D());

    /// <summary>The largest value of each channel of images [H, W, C]: <see cref="Layers.GlobalMaxPooling2D"/>.</summary>
    /// <param name="node">The images.</param>
    /// <returns>The maxima, [C].</returns>
    public static Node GlobalMaxPooling2D(this Node node) => node.Apply(new GlobalMaxPooling2D());

    /// <summary>The largest value of each window of sequences [L, C]: <see cref="Layers.MaxPooling1D"/>.</summary>
    /// <param name="node">The sequences.</param>
    /// <param name="kernel">The steps of a window.</param>
    /// <param name="stride">From one window to the next; the steps of a window if null.</param>
    /// <param name="padding">Steps before (<see cref="Padding.Left"/>) and after (<see cref="Padding.Right"/>) the sequence that never win.</param>
    /// <param name="ceiling">Whether to keep windows that only begin inside the sequence.</param>
    /// <param name="dilation">From one step of a window to the next.</param>
    /// <returns>The outputs, [L', C].</returns>
    public static Node MaxPooling1D(this Node node, int kernel, int? stride = null, Padding padding = default, bool ceiling = false, int dilation = 1) =>
        node.Apply(new MaxPooling1D(kernel, stride, padding, ceiling, dilation));

    /// <summary>The mean of each window of sequences [L, C]: <see cref="Layers.AveragePooling1D"/>.</summary>
    /// <param name="node">The sequences.</param>
    /// <param name="kernel">The steps of a window.</param>
    /// <param name="stride">From one window to the next; the steps of a window if null.</param>
    /// <param name="padding">Zeros before (<see cref="Padding.Left"/>) and after (<see cref="Padding.Right"/>) the sequence.</param>
    /// <param name="ceiling">Whether to keep windows that only begin inside the sequence.</param>
    /// <param name="includePadding">False to divide by the real steps of a window only.</param>
    /// <returns>The outputs, [L', C].</returns>
    public static Node AveragePooling1D(this Node node, int kernel, int? stride = null, Padding padding = default, bool ceiling = false,
        bool includePadding = true) => node.Apply(new AveragePooling1D(kernel, stride, padding, ceiling, includePadding));

    /// <summary>The mean of each channel over the steps of sequences [T, C]: <see cref="Layers.GlobalAveragePooling1D"/>.</summary>
    /// <param name="node">The sequences.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <returns>The means, [C].</returns>
    public static Node GlobalAveragePooling1D(this Node node, Node? lengths = null) => WithLengths(node, new GlobalAveragePooling1D(), lengths)[0];

    /// <summary>The largest value of each channel over the steps of sequences [T, C]: <see cref="Layers.GlobalMaxPooling1D"/>.</summary>
    /// <param name="node">The sequences.</param>
    /// <param name="lengths">The length of each row's sequence, indices from 1 to T; null if all have T.</param>
    /// <returns>The maxima, [C].</returns>
    public static Node GlobalMaxPooling1D(this Node node, Node? lengths = null) => WithLengths(node, new GlobalMaxPooling1D(), lengths)[0];
}
