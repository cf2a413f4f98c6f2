using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

public static partial class NodeChain
{
    /// <summary>y = x where x &gt; 0, else a x, with learned slopes a.</summary>
    /// <param name="node">x.</param>
    /// <param name="slope">The initial value of every slope.</param>
    /// <param name="perChannel">False for one slope shared by all channels.</param>
    /// <returns>y.</returns>
    public static Node PRelu(this Node node, double slope = 0.25, bool perChannel = true) => node.Apply(new PRelu(slope, perChannel));

    /// <summary>y_i = e^x_i / sum_j e^x_j over the last dimension.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Softmax(this Node node) => node.Apply(new Softmax());

    /// <summary>y_i = x_i - ln sum_j e^x_j over the last dimension.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node LogSoftmax(this Node node) => node.Apply(new LogSoftmax());
}
