using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>Adam (Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015, Algorithm 1).</summary>
/// <remarks>
/// With g = gradient + weightDecay w and t the number of the step: m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; w -= learningRate m_hat / (sqrt(v_hat) + epsilon), with m_hat = m / (1 - beta1^t), v_hat = v / (1 - beta2^t).
/// With AMSGrad v_hat is the largest v so far / (1 - beta2^t), as in PyTorch.
/// m and v start at 0; corrections and rates are computed in double once per step.
/// Moments never come to rest in the subnormal range, where processors are several times slower: m is rounded to multiples of
/// 2^-100 (float) or 2^-960 (double), and v is diminished by less than shows beside epsilon, until it is 0.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Adam<T> : Optimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AdamMoments<T> _moments;

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="beta1">The decay of the first moment, in [0, 1).</param>
    /// <param name="beta2">The decay of the second moment, in [0, 1).</param>
    /// <param name="epsilon">What is added to the root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">What of each parameter is added to its gradient, finite and not negative.</param>
    /// <param name="amsGrad">Divide by the largest v so far (Reddi, Kale and Kumar, On the Convergence of Adam and Beyond, 2018).</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public Adam(int parameterCount, double learningRate = 0.001, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8, double weightDecay = 0, bool amsGrad = false)
        : base(parameterCount, learningRate, weightDecay)
    {
        CheckFraction(beta1, nameof(beta1));
        CheckFraction(beta2, nameof(beta2));
        CheckPositive(epsilon, nameof(epsilon));
        Beta1 = beta1;
        Beta2 = beta2;
        Epsilon = epsilon;
        _moments = new AdamMoments<T>(AddState("first"), AddState("second"), amsGrad ? AddState("largest") : null, beta1, beta2, epsilon);
    }

    /// <summary>The decay of the first moment.</summary>
    public double Beta1 { get; }

    /// <summary>The decay of the second moment.</summary>
    public double Beta2 { get; }

    /// <summary>What is added to the root.</summary>
    public double Epsilon { get; }

    /// <summary>The first moment of each parameter's gradient, without the correction.</summary>
    public ReadOnlySpan<T> FirstMoment => _moments.First;

    /// <summary>The second moment of each parameter's gradient, without the correction.</summary>
    public ReadOnlySpan<T> SecondMoment => _moments.Second;

    /// <summary>Whether steps are divided by the largest second moment so far.</summary>
    public bool AmsGrad => _moments.IsAmsGrad;

    /// <summary>The largest second moment so far of each parameter's gradient, without the correction; empty without AMSGrad.</summary>
    public ReadOnlySpan<T> LargestSecondMoment => _moments.Largest;

    /// <inheritdoc/>
    protected override void Update(Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context)
    {
        var visitor = new RangeUpdate<T>(parameters, gradients, range, context);
        TryVisit(ref visitor);
    }

    internal override bool TryVisit<TVisitor>(scoped ref TVisitor visitor)
    {
        _moments.Visit(_moments.Operator(Steps + 1, RangeLearningRate, RangeWeightDecay, 0), ref visitor);
        return true;
    }
}
