using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Optimizers;

/// <summary>Rectified Adam (Liu, Jiang, He, Chen, Liu, Gao and Han, On the Variance of the Adaptive Learning Rate and Beyond, 2020,
/// Algorithm 2).</summary>
/// <remarks>
/// PyTorch's formulas, with g = gradient + weightDecay w and t the number of the step: m = beta1 m + (1 - beta1) g;
/// v = beta2 v + (1 - beta2) g^2; r = n - 2 t beta2^t / (1 - beta2^t), with n = 2 / (1 - beta2) - 1. Where r &gt; 5,
/// w -= learningRate q m_hat sqrt(1 - beta2^t) / (sqrt(v) + epsilon), with m_hat = m / (1 - beta1^t) and
/// q = sqrt((r - 4) (r - 2) n / ((n - 4) (n - 2) r)); elsewhere, in the first steps, w -= learningRate m_hat.
/// If decoupled, the decay is not in g; instead w is multiplied by 1 - learningRate weightDecay. Moments are kept out of the subnormal
/// range as in <see cref="Adam{T}"/>.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class RAdam<T> : AdamOptimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its number of parameters.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="beta1">The decay of the first moment, in [0, 1).</param>
    /// <param name="beta2">The decay of the second moment, in [0, 1).</param>
    /// <param name="epsilon">The number added to the root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient. If decoupled, this share times the
    /// learning rate is subtracted from the parameter in a step. Finite and not negative.</param>
    /// <param name="decoupled">Decay the parameters themselves, as <see cref="AdamW{T}"/> does.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public RAdam(ITrainable<T> network, double learningRate = 0.001, double beta1 = 0.9, double beta2 = 0.999,
        double epsilon = 1e-8, double weightDecay = 0, bool decoupled = false)
        : this(ITrainable<T>.CountOf(network), learningRate, beta1, beta2, epsilon, weightDecay, decoupled) { }

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="beta1">The decay of the first moment, in [0, 1).</param>
    /// <param name="beta2">The decay of the second moment, in [0, 1).</param>
    /// <param name="epsilon">The number added to the root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient. If decoupled, this share times the
    /// learning rate is subtracted from the parameter in a step. Finite and not negative.</param>
    /// <param name="decoupled">Decay the parameters themselves, as <see cref="AdamW{T}"/> does.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public RAdam(int parameterCount, double learningRate = 0.001, double beta1 = 0.9, double beta2 = 0.999,
        double epsilon = 1e-8, double weightDecay = 0, bool decoupled = false)
        : base(parameterCount, learningRate, beta1, beta2, epsilon, weightDecay, amsGrad: false) => Decoupled = decoupled;

    /// <summary>Whether the parameters themselves decay.</summary>
    public bool Decoupled { get; }

    internal override bool TryVisit<TVisitor>(scoped ref TVisitor visitor)
    {
        var step = Steps + 1;
        double rate = RangeLearningRate, decay = RangeWeightDecay;
        double power = PortableMath.Power(Beta2, step), most = 2 / (1 - Beta2) - 1;
        var length = most - 2 * step * power / (1 - power);
        var adam = UpdateOf(Decoupled ? 0 : decay, Decoupled ? rate * decay : 0);
        if (length <= 5)
        {
            Visit(ref visitor, new FirstMomentUpdate<T>(adam));
            return true;
        }

        var rectified = Math.Sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length));
        rate *= rectified * Math.Sqrt(1 - power) / (1 - PortableMath.Power(Beta1, step));
        Visit(ref visitor, adam with { Rate = T.CreateTruncating(-rate), Scale = T.One });
        return true;
    }
}
