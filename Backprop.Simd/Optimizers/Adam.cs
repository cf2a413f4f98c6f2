using System.Numerics;

namespace Backprop.Simd.Optimizers;

/// <summary>Adam (Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, Algorithm 1).</summary>
/// <remarks>
/// With g = gradient + weightDecay w and t the number of the step: m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2;
/// w -= learningRate m_hat / (sqrt(v_hat) + epsilon), with m_hat = m / (1 - beta1^t), v_hat = v / (1 - beta2^t).
/// With AMSGrad v_hat is the largest v so far / (1 - beta2^t), as in PyTorch.
/// See <see cref="AdamOptimizer{T}"/> for how the moments are kept.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Adam<T> : AdamOptimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its number of parameters.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="beta1">The decay of the first moment, in [0, 1).</param>
    /// <param name="beta2">The decay of the second moment, in [0, 1).</param>
    /// <param name="epsilon">The number added to the root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <param name="amsGrad">Divide by the largest v so far (Reddi, Kale and Kumar, On the Convergence of Adam and Beyond, 2018).</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public Adam(ITrainable<T> network, double learningRate = 0.001, double beta1 = 0.9, double beta2 = 0.999,
        double epsilon = 1e-8, double weightDecay = 0, bool amsGrad = false)
        : this(ITrainable<T>.CountOf(network), learningRate, beta1, beta2, epsilon, weightDecay, amsGrad) { }

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="beta1">The decay of the first moment, in [0, 1).</param>
    /// <param name="beta2">The decay of the second moment, in [0, 1).</param>
    /// <param name="epsilon">The number added to the root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <param name="amsGrad">Divide by the largest v so far (Reddi, Kale and Kumar, On the Convergence of Adam and Beyond, 2018).</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public Adam(int parameterCount, double learningRate = 0.001, double beta1 = 0.9, double beta2 = 0.999,
        double epsilon = 1e-8, double weightDecay = 0, bool amsGrad = false)
        : base(parameterCount, learningRate, beta1, beta2, epsilon, weightDecay, amsGrad) { }

    /// <summary>Whether steps are divided by the largest second moment so far.</summary>
    public bool AmsGrad => HasLargest;

    /// <summary>The largest second moment so far of each parameter's gradient, without the correction; empty without AMSGrad.</summary>
    public ReadOnlySpan<T> LargestSecondMoment => Largest;

    internal override bool TryVisit<TVisitor>(scoped ref TVisitor visitor)
    {
        Visit(ref visitor, decay: RangeWeightDecay, shrink: 0);
        return true;
    }
}
