namespace Backprop.Simd.Initializers;

/// <summary>Gains of activations, as PyTorch's calculate_gain: the factor of the standard deviation of the weights in front of an activation.</summary>
/// <remarks>
/// After a ReLU-like activation the mean square is the variance before it divided by the square of the gain, so that
/// <see cref="VarianceScalingInitializer"/> keeps it from layer to layer. Those of tanh and SELU are PyTorch's choice.
/// </remarks>
public static class Gain
{
    /// <summary>No activation: 1.</summary>
    public const double Linear = 1;

    /// <summary>The logistic sigmoid: 1.</summary>
    public const double Sigmoid = 1;

    /// <summary>tanh: 5/3.</summary>
    public const double Tanh = 5.0 / 3;

    /// <summary>ReLU: sqrt(2).</summary>
    public const double Relu = 1.4142135623730951;

    /// <summary>SELU: 3/4. PyTorch chose it so that training is stable; self-normalizing networks in theory have 1.</summary>
    public const double Selu = 0.75;

    /// <summary>Leaky ReLU: sqrt(2 / (1 + slope^2)).</summary>
    /// <param name="slope">The slope below 0, finite.</param>
    /// <returns>The gain.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="slope"/> is not finite.</exception>
    public static double LeakyRelu(double slope = 0.01) => double.IsFinite(slope) ? Math.Sqrt(2 / (1 + slope * slope))
        : throw new ArgumentOutOfRangeException(nameof(slope), slope, "'slope' must be finite.");
}
