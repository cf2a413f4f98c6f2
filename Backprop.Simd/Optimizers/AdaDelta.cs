using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>AdaDelta (Zeiler, ADADELTA: An Adaptive Learning Rate Method, 2012, Algorithm 1).</summary>
/// <remarks>
/// PyTorch's formulas, with g = gradient + weightDecay w: v = rho v + (1 - rho) g^2; d = sqrt(u + epsilon) / sqrt(v + epsilon) g;
/// u = rho u + (1 - rho) d^2; w -= learningRate d. Both means start at 0. They are kept out of the subnormal range: each step takes a little
/// from them, too little to show beside epsilon, until they are 0.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class AdaDelta<T> : Optimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _second, _steps;

    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its number of parameters.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="rho">The decay of both means, in [0, 1).</param>
    /// <param name="epsilon">The number added inside the roots, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public AdaDelta(ITrainable<T> network, double learningRate = 1, double rho = 0.9, double epsilon = 1e-6, double weightDecay = 0)
        : this(ITrainable<T>.CountOf(network), learningRate, rho, epsilon, weightDecay) { }

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="rho">The decay of both means, in [0, 1).</param>
    /// <param name="epsilon">The number added inside the roots, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public AdaDelta(int parameterCount, double learningRate = 1, double rho = 0.9, double epsilon = 1e-6, double weightDecay = 0)
        : base(parameterCount, learningRate, weightDecay)
    {
        CheckFraction(rho, nameof(rho));
        CheckPositive(epsilon, nameof(epsilon));
        (Rho, Epsilon) = (rho, epsilon);
        (_second, _steps) = (AddState("second"), AddState("steps"));
    }

    /// <summary>The decay of both means.</summary>
    public double Rho { get; }

    /// <summary>The number added inside the roots.</summary>
    public double Epsilon { get; }

    /// <summary>The mean of the squares of each parameter's gradients.</summary>
    public ReadOnlySpan<T> SecondMoment => _second.Span;

    /// <summary>The mean of the squares of each parameter's steps, before the learning rate.</summary>
    public ReadOnlySpan<T> SquaredSteps => _steps.Span;

    /// <inheritdoc/>
    protected override void Update(Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context)
    {
        var visitor = new RangeUpdate<T>(parameters, gradients, range, context);
        TryVisit(ref visitor);
    }

    internal override bool TryVisit<TVisitor>(scoped ref TVisitor visitor)
    {
        // Over many steps a mean falls short by least / (1 - rho): half a unit in the last place of epsilon at most.
        var least = (1 - Rho) * Math.ScaleB(Epsilon, typeof(T) == typeof(float) ? -25 : -54);
        var update = new AdaDeltaUpdate<T>(
            T.CreateTruncating(-RangeLearningRate),
            T.CreateTruncating(Epsilon),
            T.CreateTruncating(Rho),
            T.CreateTruncating(1 - Rho),
            T.CreateTruncating(RangeWeightDecay),
            T.CreateTruncating(least));
        visitor.Visit(update, _second.Span, _steps.Span, default);
        return true;
    }
}
