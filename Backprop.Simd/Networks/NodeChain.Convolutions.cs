using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Convolutions.</content>
public static partial class NodeChain
{
    /// <summary>A convolution of images [H, W, C]: <see cref="Layers.Convolution2D"/>.</summary>
    /// <param name="node">The images.</param>
    /// <param name="filters">The number of filters.</param>
    /// <param name="kernel">The size of a filter.</param>
    /// <param name="stride">From one position of the filter to the next; 1 by default.</param>
    /// <param name="padding">Zeros around the image; none by default.</param>
    /// <param name="dilation">From one cell of the filter to the next; 1 by default.</param>
    /// <param name="groups">Filters of a group see the channels of that group.</param>
    /// <param name="initializer">How the filters start; null to choose by the layer that follows.</param>
    /// <param name="bias">False for no bias.</param>
    /// <returns>The outputs, [H', W', filters].</returns>
    // More than eight parameters: each is an independent option with a default, as in the layer.
    public static Node Convolution2D(this Node node, int filters, Extent kernel, Extent? stride = null, Padding padding = default,
        Extent? dilation = null, int groups = 1, Initializer? initializer = null, bool bias = true) =>
        node.Apply(new Convolution2D(filters, kernel, stride, padding, dilation, groups, initializer, bias));

    /// <summary>A convolution of sequences [L, C]: <see cref="Layers.Convolution1D"/>.</summary>
    /// <param name="node">The sequences.</param>
    /// <param name="filters">The number of filters.</param>
    /// <param name="kernel">The length of a filter.</param>
    /// <param name="stride">From one position of the filter to the next.</param>
    /// <param name="padding">Zeros before (<see cref="Padding.Left"/>) and after (<see cref="Padding.Right"/>) the sequence; none by default.</param>
    /// <param name="dilation">From one cell of the filter to the next.</param>
    /// <param name="groups">Filters of a group see the channels of that group.</param>
    /// <param name="initializer">How the filters start; null to choose by the layer that follows.</param>
    /// <param name="bias">False for no bias.</param>
    /// <returns>The outputs, [L', filters].</returns>
    // More than eight parameters: each is an independent option with a default, as in the layer.
    public static Node Convolution1D(this Node node, int filters, int kernel, int stride = 1, Padding padding = default, int dilation = 1,
        int groups = 1, Initializer? initializer = null, bool bias = true) =>
        node.Apply(new Convolution1D(filters, kernel, stride, padding, dilation, groups, initializer, bias));

    /// <summary>A convolution whose filters are a node: <see cref="Layers.FunctionalConvolution"/>.</summary>
    /// <param name="node">Images [H, W, C] or sequences [L, C].</param>
    /// <param name="filters">The filters, shared by all rows: [kh, kw, C / groups, F] or [k, C / groups, F].</param>
    /// <param name="bias">A shared vector [F], or null.</param>
    /// <param name="stride">From one position of the filter to the next; 1 by default.</param>
    /// <param name="padding">Zeros around the image or sequence; none by default.</param>
    /// <param name="dilation">From one cell of the filter to the next; 1 by default.</param>
    /// <param name="groups">Filters of a group see the channels of that group.</param>
    /// <returns>The outputs, [H', W', F] or [L', F].</returns>
    public static Node FunctionalConvolution(this Node node, Node filters, Node? bias = null, Extent? stride = null, Padding padding = default,
        Extent? dilation = null, int groups = 1)
    {
        var layer = new FunctionalConvolution(stride, padding, dilation, groups);
        return bias is { } b ? node.Apply(layer, filters, b) : node.Apply(layer, filters);
    }

    /// <summary>A transposed convolution of images [H, W, C]: <see cref="Layers.ConvolutionTranspose2D"/>.</summary>
    /// <param name="node">The images.</param>
    /// <param name="filters">The channels of the output.</param>
    /// <param name="kernel">The size of a filter.</param>
    /// <param name="stride">From one position of the filter in the output to the next; 1 by default.</param>
    /// <param name="padding">What is cut off around the output; none by default.</param>
    /// <param name="outputPadding">Extra rows and columns at the end of the output; none by default.</param>
    /// <param name="dilation">From one cell of the filter to the next; 1 by default.</param>
    /// <param name="groups">Channels of a group reach the filters of that group.</param>
    /// <param name="initializer">How the filters start; null to choose by the layer that follows.</param>
    /// <param name="bias">False for no bias.</param>
    /// <returns>The outputs, [H', W', filters].</returns>
    // More than eight parameters: each is an independent option with a default, as in the layer.
    public static Node ConvolutionTranspose2D(this Node node, int filters, Extent kernel, Extent? stride = null, Padding padding = default,
        Extent? outputPadding = null, Extent? dilation = null, int groups = 1, Initializer? initializer = null, bool bias = true) =>
        node.Apply(new ConvolutionTranspose2D(filters, kernel, stride, padding, outputPadding, dilation, groups, initializer, bias));

    /// <summary>A transposed convolution of sequences [L, C]: <see cref="Layers.ConvolutionTranspose1D"/>.</summary>
    /// <param name="node">The sequences.</param>
    /// <param name="filters">The channels of the output.</param>
    /// <param name="kernel">The length of a filter.</param>
    /// <param name="stride">From one position of the filter in the output to the next.</param>
    /// <param name="padding">What is cut off at the start (<see cref="Padding.Left"/>) and the end (<see cref="Padding.Right"/>) of the output.</param>
    /// <param name="outputPadding">Extra steps at the end of the output.</param>
    /// <param name="dilation">From one cell of the filter to the next.</param>
    /// <param name="groups">Channels of a group reach the filters of that group.</param>
    /// <param name="initializer">How the filters start; null to choose by the layer that follows.</param>
    /// <param name="bias">False for no bias.</param>
    /// <returns>The outputs, [L', filters].</returns>
    // More than eight parameters: each is an independent option with a default, as in the layer.
    public static Node ConvolutionTranspose1D(this Node node, int filters, int kernel, int stride = 1, Padding padding = default,
        int outputPadding = 0, int dilation = 1, int groups = 1, Initializer? initializer = null, bool bias = true) =>
        node.Apply(new ConvolutionTranspose1D(filters, kernel, stride, padding, outputPadding, dilation, groups, initializer, bias));

    /// <summary>
    /// A depthwise convolution of images [H, W, C] without a bias, <paramref name="multiplier"/> filters for each channel, and then a convolution
    /// of one cell that mixes the channels: Keras's <c>SeparableConv2D</c>. Two layers: <c>convolution2d1</c> has the depthwise filters
    /// [kh, kw, 1, C multiplier], those of channel c from c multiplier on; <c>convolution2d2</c> has the pointwise filters and the bias.
    /// </summary>
    /// <param name="node">The images.</param>
    /// <param name="filters">The number of filters behind.</param>
    /// <param name="kernel">The size of a depthwise filter.</param>
    /// <param name="stride">From one position of the filter to the next; 1 by default.</param>
    /// <param name="padding">Zeros around the image; none by default.</param>
    /// <param name="dilation">From one cell of the filter to the next; 1 by default.</param>
    /// <param name="multiplier">Depthwise filters for each channel.</param>
    /// <param name="initializer">How both start; null to choose by the layer that follows.</param>
    /// <param name="bias">False for no bias.</param>
    /// <returns>The outputs, [H', W', filters].</returns>
    /// <exception cref="ArgumentException">The node is no image, or a size does not fit it.</exception>
    // More than eight parameters: each is an independent option with a default, as in the layers.
    public static Node SeparableConvolution2D(this Node node, int filters, Extent kernel, Extent? stride = null, Padding padding = default,
        Extent? dilation = null, int multiplier = 1, Initializer? initializer = null, bool bias = true)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(multiplier, 1);
        var channels = ChannelsOf(node, nameof(SeparableConvolution2D));
        if ((long)channels * multiplier > int.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(multiplier), multiplier, $"{channels} channels times '{nameof(multiplier)}' exceed 2^31 - 1.");
        return node.Convolution2D(channels * multiplier, kernel, stride, padding, dilation, channels, initializer, bias: false)
            .Convolution2D(filters, 1, initializer: initializer, bias: bias);
    }

    /// <summary>The channels of an image.</summary>
    private static int ChannelsOf(Node node, string form) => node.Type is { Kind: EdgeKind.Values, Shape: { Rank: 3 } shape } ? shape[2]
        : throw new ArgumentException($"{form} takes images [H, W, C]; it got {node.Type}.", nameof(node));
}
