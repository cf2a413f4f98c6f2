using Backprop.Simd.Data;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <content>Normalizations.</content>
public static partial class NodeChain
{
    /// <summary>y = (x - offset) factor with fitted statistics: <see cref="Layers.Normalize"/>. Rows of any input then come in the units of the
    /// data: features, and targets too, whose loss is then in normalized units.</summary>
    /// <param name="node">x.</param>
    /// <param name="statistics">The statistics. If there is a pair for each element, their shape is that of x; if there is one for each channel, x
    /// has as many channels.</param>
    /// <returns>y, with the shape of x.</returns>
    /// <exception cref="ArgumentException">The statistics do not fit x, or have numbers that float cannot hold.</exception>
    public static Node Normalize(this Node node, Normalization statistics)
    {
        CheckStatistics(node, statistics);
        return node.Apply(new Normalize(statistics.Offsets, statistics.Factors));
    }

    /// <summary>y = x / factor + offset with fitted statistics: <see cref="Layers.Denormalize"/>. What a network computes in normalized units comes
    /// out in the units of the data.</summary>
    /// <param name="node">x.</param>
    /// <param name="statistics">The statistics. If there is a pair for each element, their shape is that of x; if there is one for each channel, x
    /// has as many channels.</param>
    /// <returns>y, with the shape of x.</returns>
    /// <exception cref="ArgumentException">The statistics do not fit x, have numbers that float cannot hold, or a factor of 0.</exception>
    public static Node Denormalize(this Node node, Normalization statistics)
    {
        CheckStatistics(node, statistics);
        return node.Apply(new Denormalize(statistics.Offsets, statistics.Factors));
    }

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
        var y = Node.MatrixProduct(node, WeightNormalized(node.Graph, name, bias, initializer, shape.Last, outputs));
        return bias ? y + node.Graph.Parameter($"{name}.bias", new Shape(outputs), Initialize.Zeros) : y;
    }

    /// <summary>
    /// A convolution of images [H, W, C] whose filter n is g[n] V[.., n] / |V[.., n]|: length and direction of each filter are trained apart.
    /// PyTorch's <c>weight_norm(Conv2d)</c>. Salimans and Kingma, "Weight Normalization", 2016.
    /// </summary>
    /// <remarks>An expression of parameters with a <see cref="Layers.FunctionalConvolution"/>: the filters are computed once for a batch. The parameters
    /// are <c>name.direction</c> V [kh, kw, C / groups, filters], <c>name.length</c> g [1, 1, 1, filters], which starts at 1, and <c>name.bias</c>.
    /// PyTorch has V as <c>weight_v</c> [filters, C / groups, kh, kw], and g as <c>weight_g</c>.</remarks>
    /// <param name="node">The images.</param>
    /// <param name="name">The name of the convolution, unique in the graph.</param>
    /// <param name="filters">The number of filters.</param>
    /// <param name="kernel">The size of a filter.</param>
    /// <param name="stride">From one position of the filter to the next; 1 by default.</param>
    /// <param name="padding">Zeros around the image; none by default.</param>
    /// <param name="dilation">From one cell of the filter to the next; 1 by default.</param>
    /// <param name="groups">Filters of a group see the channels of that group.</param>
    /// <param name="initializer">How V starts; He normal if null. Only its directions matter.</param>
    /// <param name="bias">False for no bias.</param>
    /// <returns>The outputs, [H', W', filters].</returns>
    /// <exception cref="ArgumentException">The node is no image, a size does not suit it, or the name is taken.</exception>
    // More than eight parameters: each is an independent option with a default, as in Convolution2D.
    public static Node WeightNormalizedConvolution2D(this Node node, string name, int filters, Extent kernel, Extent? stride = null,
        Padding padding = default, Extent? dilation = null, int groups = 1, Initializer? initializer = null, bool bias = true)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);

        // Checks the sizes before a parameter is made.
        new Convolution2D(filters, kernel, stride, padding, dilation, groups).Declare(
            new LayerDeclaration(nameof(WeightNormalizedConvolution2D), [node.Type]));
        var weights = WeightNormalized(node.Graph, name, bias, initializer, kernel.Height, kernel.Width, node.Type.Shape.Last / groups, filters);
        return Convolve(node, weights, name, filters, bias, new FunctionalConvolution(stride, padding, dilation, groups));
    }

    /// <summary>A convolution of sequences [L, C] whose filter n is g[n] V[.., n] / |V[.., n]|, as
    /// <see cref="WeightNormalizedConvolution2D"/>. PyTorch's <c>weight_norm(Conv1d)</c>.</summary>
    /// <param name="node">The sequences.</param>
    /// <param name="name">The name of the convolution, unique in the graph.</param>
    /// <param name="filters">The number of filters.</param>
    /// <param name="kernel">The length of a filter.</param>
    /// <param name="stride">From one position of the filter to the next.</param>
    /// <param name="padding">Zeros before (<see cref="Padding.Left"/>) and after (<see cref="Padding.Right"/>) the sequence; none by default.</param>
    /// <param name="dilation">From one cell of the filter to the next.</param>
    /// <param name="groups">Filters of a group see the channels of that group.</param>
    /// <param name="initializer">How V [kernel, C / groups, filters] starts; He normal if null. Only its directions matter.</param>
    /// <param name="bias">False for no bias.</param>
    /// <returns>The outputs, [L', filters].</returns>
    /// <exception cref="ArgumentException">The node is no sequence, a size does not suit it, or the name is taken.</exception>
    // More than eight parameters: each is an independent option with a default, as in Convolution1D.
    public static Node WeightNormalizedConvolution1D(this Node node, string name, int filters, int kernel, int stride = 1, Padding padding = default,
        int dilation = 1, int groups = 1, Initializer? initializer = null, bool bias = true)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        new Convolution1D(filters, kernel, stride, padding, dilation, groups).Declare(
            new LayerDeclaration(nameof(WeightNormalizedConvolution1D), [node.Type]));
        var weights = WeightNormalized(node.Graph, name, bias, initializer, kernel, node.Type.Shape.Last / groups, filters);
        return Convolve(node, weights, name, filters, bias, new FunctionalConvolution(stride, padding, dilation, groups));
    }

    private static Node Convolve(Node node, Node weights, string name, int filters, bool bias, FunctionalConvolution layer) =>
        bias ? node.Apply(layer, weights, node.Graph.Parameter($"{name}.bias", new Shape(filters), Initialize.Zeros)) : node.Apply(layer, weights);

    /// <summary>Weights with a length and a direction for each unit, the last dimension.</summary>
    private static Node WeightNormalized(GraphBuilder graph, string name, bool bias, Initializer? initializer, params ReadOnlySpan<int> sizes)
    {
        graph.RequireFree([$"{name}.direction", $"{name}.length", .. bias ? (ReadOnlySpan<string>)[$"{name}.bias"] : []]);
        Span<int> axes = stackalloc int[sizes.Length - 1], lengths = stackalloc int[sizes.Length];
        for (var d = 0; d < axes.Length; d++)
            (axes[d], lengths[d]) = (d, 1);
        lengths[^1] = sizes[^1];
        var direction = graph.Parameter($"{name}.direction", new Shape(sizes), initializer ?? Initialize.He);
        var length = graph.Parameter($"{name}.length", new Shape(lengths), Initialize.Constant(1));
        return direction * (length / direction.Norm(true, axes));
    }

    /// <summary>Throws if there is a pair for each channel and the node has not as many, or one for each element of another shape.</summary>
    private static void CheckStatistics(Node node, Normalization statistics)
    {
        ArgumentNullException.ThrowIfNull(statistics);
        var (count, shape, input) = (statistics.Offsets.Length, statistics.Shape, node.Type.Shape);
        if (count == 1 || (count == shape.Last ? input.Rank > 0 && input.Last == count : input == shape))
            return;
        throw new ArgumentException($"The statistics of '{statistics.Column}' are for each {(count == shape.Last ? "channel" : "element")} of {shape}; "
            + $"the node is {node.Type}.", nameof(statistics));
    }
}
