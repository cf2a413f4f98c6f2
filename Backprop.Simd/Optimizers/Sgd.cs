using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>Stochastic gradient descent, with momentum (Nesterov's if asked) and weight decay.</summary>
/// <remarks>
/// PyTorch's formulas: g = gradient + weightDecay w; without momentum w -= learningRate g. With momentum v = momentum v +
/// (1 - dampening) g, where v starts at 0 and the first step is not dampened, and w -= learningRate v, or with Nesterov
/// w -= learningRate (g + momentum v).
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Sgd<T> : Optimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T>? _velocity;

    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its number of parameters.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="momentum">The momentum, in [0, 1); with 0 there is no velocity to keep.</param>
    /// <param name="nesterov">Use Nesterov's form; needs a momentum and no dampening.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <param name="dampening">What part of a gradient does not enter the velocity after the first step, in [0, 1]; needs a momentum.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    /// <exception cref="ArgumentException"><paramref name="nesterov"/> without momentum or with dampening, or
    /// <paramref name="dampening"/> without momentum.</exception>
    public Sgd(ITrainable<T> network, double learningRate, double momentum = 0, bool nesterov = false, double weightDecay = 0, double dampening = 0)
        : this(ITrainable<T>.CountOf(network), learningRate, momentum, nesterov, weightDecay, dampening) { }

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="momentum">The momentum, in [0, 1); with 0 there is no velocity to keep.</param>
    /// <param name="nesterov">Use Nesterov's form; needs a momentum and no dampening.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <param name="dampening">What part of a gradient does not enter the velocity after the first step, in [0, 1]; needs a momentum.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    /// <exception cref="ArgumentException"><paramref name="nesterov"/> without momentum or with dampening, or
    /// <paramref name="dampening"/> without momentum.</exception>
    public Sgd(int parameterCount, double learningRate, double momentum = 0, bool nesterov = false, double weightDecay = 0, double dampening = 0)
        : base(parameterCount, learningRate, weightDecay)
    {
        CheckFraction(momentum, nameof(momentum));
        if (!(dampening is >= 0 and <= 1))
            throw new ArgumentOutOfRangeException(nameof(dampening), dampening, "'dampening' must be in [0, 1].");
        if (nesterov && (momentum == 0 || dampening != 0))
            throw new ArgumentException($"Nesterov's form needs a momentum above 0 and no dampening; they are {momentum} and {dampening}.", nameof(nesterov));
        if (dampening != 0 && momentum == 0)
            throw new ArgumentException("Dampening needs a momentum above 0; it is 0.", nameof(dampening));
        Momentum = momentum;
        Nesterov = nesterov;
        Dampening = dampening;
        _velocity = momentum == 0 ? null : AddState("velocity");
    }

    /// <summary>The momentum.</summary>
    public double Momentum { get; }

    /// <summary>Whether Nesterov's form is used.</summary>
    public bool Nesterov { get; }

    /// <summary>The part of a gradient that does not enter the velocity after the first step.</summary>
    public double Dampening { get; }

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
        T rate = T.CreateTruncating(-RangeLearningRate), decay = T.CreateTruncating(RangeWeightDecay), momentum = T.CreateTruncating(Momentum);
        if (_velocity is null && RangeWeightDecay == 0)
            visitor.Visit(new GradientUpdate<T>(rate), default, default, default);
        else if (_velocity is null)
            visitor.Visit(new DecayedGradientUpdate<T>(rate, decay), default, default, default);
        else if (Nesterov)
            visitor.Visit(new NesterovUpdate<T>(rate, decay, momentum), _velocity.Span, default, default);
        else
            visitor.Visit(new MomentumUpdate<T>(rate, decay, momentum, T.CreateTruncating(Steps == 0 ? 1 : 1 - Dampening)), _velocity.Span, default, default);
        return true;
    }
}
