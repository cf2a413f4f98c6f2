using Backprop.Simd.Activations;
using Backprop.Simd.Layers;
using Backprop.Simd.Layers.Gates;

namespace Backprop.Simd.Networks;

/// <content>Elementary functions, and activations in pieces.</content>
public static partial class NodeChain
{
    /// <summary>y = ln x.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Log(this Node node) => node.Activation(new Log());

    /// <summary>y = the square root of x.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Sqrt(this Node node) => node.Activation(new Sqrt());

    /// <summary>y = |x|.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Abs(this Node node) => node.Activation(new Abs());

    /// <summary>y = sin x, in radians.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Sin(this Node node) => node.Activation(new Sin());

    /// <summary>y = cos x, in radians.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Cos(this Node node) => node.Activation(new Cos());

    /// <summary>y = the error function of x.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Erf(this Node node) => node.Activation(new Erf());

    /// <summary>y = the largest integer that is not above x. The gradient is 0.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Floor(this Node node) => node.Activation(new Floor());

    /// <summary>y = x, at least 0 and at most 6.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node Relu6(this Node node) => node.Activation(new Relu6());

    /// <summary>y = -ln(1 + e^-x).</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node LogSigmoid(this Node node) => node.Activation(new LogSigmoid());

    /// <summary>y = x^p with a constant p.</summary>
    /// <param name="node">x.</param>
    /// <param name="exponent">p.</param>
    /// <returns>y.</returns>
    public static Node Pow(this Node node, double exponent) => node.Activation(new Pow(exponent));

    /// <summary>z = x^y, element by element, broadcast as NumPy does.</summary>
    /// <param name="node">x.</param>
    /// <param name="exponent">y.</param>
    /// <returns>z.</returns>
    public static Node Pow(this Node node, Node exponent) => node.Apply(new BinaryGate<Power>(), exponent);

    /// <summary>y = x, at least low and at most high. At the bounds the gradient passes.</summary>
    /// <param name="node">x.</param>
    /// <param name="low">The least output.</param>
    /// <param name="high">The largest output.</param>
    /// <returns>y.</returns>
    public static Node Clip(this Node node, double low = double.NegativeInfinity, double high = double.PositiveInfinity) =>
        node.Activation(new Clip(low, high));

    /// <summary>y = x, at least low and at most high. At the bounds the gradient is 0.</summary>
    /// <param name="node">x.</param>
    /// <param name="low">The least output.</param>
    /// <param name="high">The largest output.</param>
    /// <returns>y.</returns>
    public static Node HardTanh(this Node node, double low = -1, double high = 1) => node.Activation(new HardTanh(low, high));

    /// <summary>y = x where x &gt; 0, else alpha (e^(x / alpha) - 1).</summary>
    /// <param name="node">x.</param>
    /// <param name="alpha">Minus the limit at -infinity.</param>
    /// <returns>y.</returns>
    public static Node Celu(this Node node, double alpha = 1) => node.Activation(new Celu(alpha));

    /// <summary>y = x where x &gt; theta, else 0.</summary>
    /// <param name="node">x.</param>
    /// <param name="theta">Up to here y is 0.</param>
    /// <returns>y.</returns>
    public static Node ThresholdedRelu(this Node node, double theta = 1) => node.Activation(new ThresholdedRelu(theta));

    /// <summary>y = a sigmoid(b), where a and b are the halves of the last dimension: <see cref="Layers.Glu"/>.</summary>
    /// <param name="node">[.., 2 D].</param>
    /// <returns>[.., D].</returns>
    public static Node Glu(this Node node) => node.Apply(new Glu());

    /// <summary>y = silu(a) b, where a and b are the halves of the last dimension: <see cref="Layers.SwiGlu"/>.</summary>
    /// <param name="node">[.., 2 D].</param>
    /// <returns>[.., D].</returns>
    public static Node SwiGlu(this Node node) => node.Apply(new SwiGlu());

    /// <summary>y = x, with the gradient 0: <see cref="Layers.StopGradient"/>. Copies nothing.</summary>
    /// <param name="node">x.</param>
    /// <returns>y.</returns>
    public static Node StopGradient(this Node node) => node.Apply(new StopGradient());
}
