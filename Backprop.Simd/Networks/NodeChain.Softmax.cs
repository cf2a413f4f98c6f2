using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

public static partial class NodeChain
{
    /// <summary>y_i = e^x_i / sum_j e^x_j over the last dimension.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Softmax(this Node node) => node.Apply(new Softmax());

    /// <summary>y_i = x_i - ln sum_j e^x_j over the last dimension.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node LogSoftmax(this Node node) => node.Apply(new LogSoftmax());
}
