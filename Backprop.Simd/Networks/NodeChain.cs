using Backprop.Simd.Activations;
using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

/// <summary>The short form of a chain of layers: <c>x.Affine(50).Sigmoid().Affine(10).SoftmaxCrossEntropy()</c>.</summary>
public static partial class NodeChain
{
    /// <summary>y = x W + b over the last dimension: <see cref="Layers.Affine"/>.</summary>
    /// <param name="node">x, [.., in].</param>
    /// <param name="outputs">The number of outputs.</param>
    /// <param name="initializer">How the weights start; null to choose by the layer that follows.</param>
    /// <param name="bias">False for y = x W.</param>
    /// <param name="perPosition">True to take images, [H, W, C] to [H, W, outputs].</param>
    /// <returns>y, [.., outputs].</returns>
    public static Node Affine(this Node node, int outputs, Initializer? initializer = null, bool bias = true, bool perPosition = false) =>
        node.Apply(new Affine(outputs, initializer, bias, perPosition));

    /// <summary>y = f(x), element by element.</summary>
    /// <typeparam name="TFunction">The function.</typeparam>
    /// <param name="node">x.</param>
    /// <param name="function">f.</param>
    /// <returns>y.</returns>
    public static Node Activation<TFunction>(this Node node, TFunction function)
        where TFunction : struct, IActivation => node.Apply(new Activation<TFunction>(function));

    /// <summary>y = max(x, 0).</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Relu(this Node node) => node.Activation(new Relu());

    /// <summary>y = x where x &gt; 0, else slope * x.</summary>
    /// <param name="node">x.</param>
    /// <param name="negativeSlope">The slope for negative x.</param>
    /// <returns>y.</returns>
    public static Node LeakyRelu(this Node node, double negativeSlope = 0.01) => node.Activation(new LeakyRelu(negativeSlope));

    /// <summary>y = 1 / (1 + e^-x).</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Sigmoid(this Node node) => node.Activation(new Sigmoid());

    /// <summary>y = tanh x.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Tanh(this Node node) => node.Activation(new Tanh());

    /// <summary>Builds the graph of this node and a network on it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="node">Any node of the graph. If the graph has no output and no loss, this node becomes its output.</param>
    /// <param name="seed">The seed of the parameters.</param>
    /// <returns>The network.</returns>
    public static Network<T> Build<T>(this Node node, ulong seed = 0)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        if (!node.Graph.HasEnd)
            node.Graph.Output(node);
        return node.Graph.Build().CreateNetwork<T>(seed);
    }

    /// <summary>A layer on a sequence, with the lengths of the rows if they are given.</summary>
    private static IReadOnlyList<Node> WithLengths(Node node, Layer layer, Node? lengths) =>
        lengths is { } counts ? node.Graph.ApplyAll(layer, node, counts) : node.Graph.ApplyAll(layer, node);
}
