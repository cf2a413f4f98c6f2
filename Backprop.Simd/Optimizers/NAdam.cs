using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Optimizers;

/// <summary>Adam with Nesterov's momentum (Dozat, Incorporating Nesterov Momentum into Adam, 2016).</summary>
/// <remarks>
/// PyTorch's formulas, with g = gradient + weightDecay w, t the number of the step and mu_t = beta1 (1 - 0.96^(t momentumDecay) / 2):
/// m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w -= learningRate m_hat / (sqrt(v_hat) + epsilon), with
/// m_hat = (1 - mu_t) g / (1 - mu_1 ... mu_t) + mu_(t+1) m / (1 - mu_1 ... mu_(t+1)), v_hat = v / (1 - beta2^t).
/// If decoupled, the decay is not in g; instead w is multiplied by 1 - learningRate weightDecay. Moments are kept out of the subnormal
/// range as in <see cref="Adam{T}"/>.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class NAdam<T> : AdamOptimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private double _rise = 1;
    private long _factors;

    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its number of parameters.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="beta1">The decay of the first moment, in [0, 1).</param>
    /// <param name="beta2">The decay of the second moment, in [0, 1).</param>
    /// <param name="epsilon">The number added to the root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient. If decoupled, this share times the
    /// learning rate is subtracted from the parameter in a step. Finite and not negative.</param>
    /// <param name="momentumDecay">How fast the momentum rises from beta1 / 2 to beta1, finite and not negative.</param>
    /// <param name="decoupled">Decay the parameters themselves, as <see cref="AdamW{T}"/> does.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public NAdam(ITrainable<T> network, double learningRate = 0.002, double beta1 = 0.9, double beta2 = 0.999,
        double epsilon = 1e-8, double weightDecay = 0, double momentumDecay = 0.004, bool decoupled = false)
        : this(ITrainable<T>.CountOf(network), learningRate, beta1, beta2, epsilon, weightDecay, momentumDecay, decoupled) { }

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="beta1">The decay of the first moment, in [0, 1).</param>
    /// <param name="beta2">The decay of the second moment, in [0, 1).</param>
    /// <param name="epsilon">The number added to the root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient. If decoupled, this share times the
    /// learning rate is subtracted from the parameter in a step. Finite and not negative.</param>
    /// <param name="momentumDecay">How fast the momentum rises from beta1 / 2 to beta1, finite and not negative.</param>
    /// <param name="decoupled">Decay the parameters themselves, as <see cref="AdamW{T}"/> does.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public NAdam(int parameterCount, double learningRate = 0.002, double beta1 = 0.9, double beta2 = 0.999,
        double epsilon = 1e-8, double weightDecay = 0, double momentumDecay = 0.004, bool decoupled = false)
        : base(parameterCount, learningRate, beta1, beta2, epsilon, weightDecay, amsGrad: false)
    {
        CheckNotNegative(momentumDecay, nameof(momentumDecay));
        MomentumDecay = momentumDecay;
        Decoupled = decoupled;
    }

    /// <summary>How fast the momentum rises.</summary>
    public double MomentumDecay { get; }

    /// <summary>Whether the parameters themselves decay.</summary>
    public bool Decoupled { get; }

    internal override bool TryVisit<TVisitor>(scoped ref TVisitor visitor)
    {
        var step = Steps + 1;
        double rate = RangeLearningRate, decay = RangeWeightDecay, next = MomentumOf(step + 1);
        var product = PortableMath.Power(Beta1, step) * Rise(step); // mu_1 ... mu_t.
        var adam = UpdateOf(Decoupled ? 0 : decay, Decoupled ? rate * decay : 0) with
        {
            Rate = T.CreateTruncating(-rate * next / (1 - product * next)),
        };
        var gradientRate = -rate * (1 - MomentumOf(step)) / (1 - product);
        Visit(ref visitor, new NAdamUpdate<T>(adam, T.CreateTruncating(gradientRate)));
        return true;
    }

    private double MomentumOf(long step) => Beta1 * RiseOf(step);

    /// <summary>1 - 0.96^(step momentumDecay) / 2.</summary>
    private double RiseOf(long step) => 1 - 0.5 * PortableMath.ExpOfNegative(step * MomentumDecay * -0.040821994520255166);

    /// <summary>The product of <see cref="RiseOf"/> over the steps from 1, a function of the number of the step alone.</summary>
    /// <remarks>For any decay, at most a few thousand factors matter. Then a factor is 1, or the product is too small to matter beside 1.</remarks>
    private double Rise(long step)
    {
        if (_factors > step)
            (_factors, _rise) = (0, 1);
        while (_factors < step && _rise > 1e-20 && RiseOf(_factors + 1) is < 1 and var factor)
        {
            _rise *= factor;
            _factors++;
        }

        return _rise;
    }
}
