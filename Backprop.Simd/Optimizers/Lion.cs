using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>Lion (Chen, Liang, Huang, Real et al., Symbolic Discovery of Optimization Algorithms, 2023, Algorithm 2).</summary>
/// <remarks>
/// With g the gradient: c = beta1 m + (1 - beta1) g; w -= learningRate (sign(c) + weightDecay w); m = beta2 m + (1 - beta2) g.
/// m starts at 0, and the sign of 0 is 0. Every parameter moves by the learning rate, so it should be 3 to 10 times smaller than for Adam.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class Lion<T> : Optimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _momentum;

    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its number of parameters.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="beta1">The weight of the momentum in a step, in [0, 1).</param>
    /// <param name="beta2">The decay of the momentum, in [0, 1).</param>
    /// <param name="weightDecay">The share of each parameter that a step subtracts, times the learning rate; finite and not negative.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public Lion(ITrainable<T> network, double learningRate = 1e-4, double beta1 = 0.9, double beta2 = 0.99, double weightDecay = 0)
        : this(ITrainable<T>.CountOf(network), learningRate, beta1, beta2, weightDecay) { }

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="beta1">The weight of the momentum in a step, in [0, 1).</param>
    /// <param name="beta2">The decay of the momentum, in [0, 1).</param>
    /// <param name="weightDecay">The share of each parameter that a step subtracts, times the learning rate; finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public Lion(int parameterCount, double learningRate = 1e-4, double beta1 = 0.9, double beta2 = 0.99, double weightDecay = 0)
        : base(parameterCount, learningRate, weightDecay)
    {
        CheckFraction(beta1, nameof(beta1));
        CheckFraction(beta2, nameof(beta2));
        Beta1 = beta1;
        Beta2 = beta2;
        _momentum = AddState("momentum");
    }

    /// <summary>The weight of the momentum in a step.</summary>
    public double Beta1 { get; }

    /// <summary>The decay of the momentum.</summary>
    public double Beta2 { get; }

    /// <summary>The momentum of each parameter.</summary>
    public ReadOnlySpan<T> Momentum => _momentum.Span;

    /// <inheritdoc/>
    protected override void Update(Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context)
    {
        var visitor = new RangeUpdate<T>(parameters, gradients, range, context);
        TryVisit(ref visitor);
    }

    internal override bool TryVisit<TVisitor>(scoped ref TVisitor visitor)
    {
        var update = new LionUpdate<T>(
            T.CreateTruncating(-RangeLearningRate),
            T.CreateTruncating(Beta1),
            T.CreateTruncating(1 - Beta1),
            T.CreateTruncating(Beta2),
            T.CreateTruncating(1 - Beta2),
            T.CreateTruncating(1 - RangeLearningRate * RangeWeightDecay));
        visitor.Visit(update, _momentum.Span, default, default);
        return true;
    }
}
