using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>RMSProp (Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012); centered as in Graves,
/// Generating Sequences With Recurrent Neural Networks, 2013, eqs. 38 to 45, with epsilon outside the root.</summary>
/// <remarks>
/// PyTorch's formulas, with g = gradient + weightDecay w: v = alpha v + (1 - alpha) g^2; r = sqrt(v), or centered
/// a = alpha a + (1 - alpha) g and r = sqrt(v - a^2), which is 0 where rounding brings a^2 above v; w -= learningRate g / (r + epsilon),
/// or with momentum b = momentum b + g / (r + epsilon) and w -= learningRate b. v, a and b start at 0. Moments are kept
/// out of the subnormal range: a is rounded to multiples of 2^-100 (float) or 2^-960 (double), and v loses too little to show beside
/// epsilon.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class RmsProp<T> : Optimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _second;
    private readonly AlignedBuffer<T>? _mean, _velocity;

    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its number of parameters.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="alpha">The decay of the moments, in [0, 1).</param>
    /// <param name="epsilon">The number added to the root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <param name="momentum">The momentum, in [0, 1); with 0 there is no velocity to keep.</param>
    /// <param name="centered">Divide by the deviation of the gradient from its mean.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public RmsProp(ITrainable<T> network, double learningRate = 0.01, double alpha = 0.99,
        double epsilon = 1e-8, double weightDecay = 0, double momentum = 0, bool centered = false)
        : this(ITrainable<T>.CountOf(network), learningRate, alpha, epsilon, weightDecay, momentum, centered) { }

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="alpha">The decay of the moments, in [0, 1).</param>
    /// <param name="epsilon">The number added to the root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <param name="momentum">The momentum, in [0, 1); with 0 there is no velocity to keep.</param>
    /// <param name="centered">Divide by the deviation of the gradient from its mean.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public RmsProp(int parameterCount, double learningRate = 0.01, double alpha = 0.99,
        double epsilon = 1e-8, double weightDecay = 0, double momentum = 0, bool centered = false)
        : base(parameterCount, learningRate, weightDecay)
    {
        CheckFraction(alpha, nameof(alpha));
        CheckPositive(epsilon, nameof(epsilon));
        CheckFraction(momentum, nameof(momentum));
        Alpha = alpha;
        Epsilon = epsilon;
        Momentum = momentum;
        Centered = centered;
        _second = AddState("second");
        _mean = centered ? AddState("mean") : null;
        _velocity = momentum == 0 ? null : AddState("velocity");
    }

    /// <summary>The decay of the moments.</summary>
    public double Alpha { get; }

    /// <summary>The number added to the root.</summary>
    public double Epsilon { get; }

    /// <summary>The momentum.</summary>
    public double Momentum { get; }

    /// <summary>Whether steps are divided by the deviation of the gradient from its mean.</summary>
    public bool Centered { get; }

    /// <summary>The second moment of each parameter's gradient.</summary>
    public ReadOnlySpan<T> SecondMoment => _second.Span;

    /// <summary>The mean of each parameter's gradient; empty unless centered.</summary>
    public ReadOnlySpan<T> Mean => _mean is null ? default : _mean.Span;

    /// <summary>The velocity of each parameter; empty without momentum.</summary>
    public ReadOnlySpan<T> Velocity => _velocity is null ? default : _velocity.Span;

    /// <inheritdoc/>
    protected override void Update(Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context)
    {
        var visitor = new RangeUpdate<T>(parameters, gradients, range, context);
        TryVisit(ref visitor);
    }

    internal override bool TryVisit<TVisitor>(scoped ref TVisitor visitor)
    {
        var numbers = new RmsPropNumbers<T>(
            Rate: T.CreateTruncating(-RangeLearningRate),
            Epsilon: T.CreateTruncating(Epsilon),
            Alpha: T.CreateTruncating(Alpha),
            Weight: T.CreateTruncating(1 - Alpha),
            Decay: T.CreateTruncating(RangeWeightDecay),
            Momentum: T.CreateTruncating(Momentum),
            Rounder: Moments.Rounder<T>(),
            Least: Moments.Least<T>(Epsilon, Alpha));
        if (_mean is null && _velocity is null)
            visitor.Visit(new RmsPropUpdate<T, No, No>(numbers), _second.Span, default, default);
        else if (_mean is null)
            visitor.Visit(new RmsPropUpdate<T, No, Yes>(numbers), _second.Span, _velocity!.Span, default);
        else if (_velocity is null)
            visitor.Visit(new RmsPropUpdate<T, Yes, No>(numbers), _second.Span, _mean.Span, default);
        else
            visitor.Visit(new RmsPropUpdate<T, Yes, Yes>(numbers), _second.Span, _mean.Span, _velocity.Span);
        return true;
    }
}
