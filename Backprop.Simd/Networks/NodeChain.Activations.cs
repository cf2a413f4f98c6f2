using Backprop.Simd.Activations;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Networks;

public static partial class NodeChain
{
    /// <summary>y = x where x &gt; 0, else alpha (e^x - 1).</summary>
    /// <param name="node">x.</param>
    /// <param name="alpha">Minus the limit at -infinity.</param>
    /// <returns>y.</returns>
    public static Node Elu(this Node node, double alpha = 1) => node.Activation(new Elu(alpha));

    /// <summary>y = s x where x &gt; 0, else s alpha (e^x - 1), self-normalizing.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Selu(this Node node) => node.Activation(new Selu());

    /// <summary>y = x Phi(x), with the normal distribution function Phi.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Gelu(this Node node) => node.Activation(new Gelu());

    /// <summary>y = x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))), the tanh form of GELU, which is a slightly different function.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node GeluTanh(this Node node) => node.Activation(new GeluTanh());

    /// <summary>y = x / (1 + e^-x).</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Silu(this Node node) => node.Activation(new Silu());

    /// <summary>y = x tanh(ln(1 + e^x)).</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Mish(this Node node) => node.Activation(new Mish());

    /// <summary>y = ln(1 + e^(beta x)) / beta; y = x where beta x exceeds the threshold.</summary>
    /// <param name="node">x.</param>
    /// <param name="beta">The sharpness.</param>
    /// <param name="threshold">Where beta x is larger, y = x.</param>
    /// <returns>y.</returns>
    public static Node Softplus(this Node node, double beta = 1, double threshold = 20) => node.Activation(new Softplus(beta, threshold));

    /// <summary>y = x / (1 + |x|).</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Softsign(this Node node) => node.Activation(new Softsign());

    /// <summary>y = (x + 3) / 6, at least 0 and at most 1.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node HardSigmoid(this Node node) => node.Activation(new HardSigmoid());

    /// <summary>y = x times the hard sigmoid of x.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node HardSwish(this Node node) => node.Activation(new HardSwish());

    /// <summary>y = x where x &gt; 0, else a x, with learned slopes a.</summary>
    /// <param name="node">x.</param>
    /// <param name="slope">What every slope starts at.</param>
    /// <param name="perChannel">False for one slope shared by all channels.</param>
    /// <returns>y.</returns>
    public static Node PRelu(this Node node, double slope = 0.25, bool perChannel = true) => node.Apply(new PRelu(slope, perChannel));
}
