using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>AdaGrad (Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization, 2011,
/// Figure 1, in its diagonal form).</summary>
/// <remarks>
/// PyTorch's formulas, with g = gradient + weightDecay w and t the number of the step: s += g^2, where s starts at
/// <see cref="Start"/>; w -= learningRate / (1 + (t - 1) rateDecay) g / (sqrt(s) + epsilon).
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class AdaGrad<T> : Optimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _sum;

    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its number of parameters.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="epsilon">The number added to the root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <param name="rateDecay">How the learning rate falls with the steps, finite and not negative.</param>
    /// <param name="start">The start of the sums of squares, finite and not negative.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public AdaGrad(ITrainable<T> network, double learningRate = 0.01, double epsilon = 1e-10, double weightDecay = 0, double rateDecay = 0, double start = 0)
        : this(ITrainable<T>.CountOf(network), learningRate, epsilon, weightDecay, rateDecay, start) { }

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="epsilon">The number added to the root, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <param name="rateDecay">How the learning rate falls with the steps, finite and not negative.</param>
    /// <param name="start">The start of the sums of squares, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public AdaGrad(int parameterCount, double learningRate = 0.01, double epsilon = 1e-10, double weightDecay = 0, double rateDecay = 0, double start = 0)
        : base(parameterCount, learningRate, weightDecay)
    {
        CheckPositive(epsilon, nameof(epsilon));
        CheckNotNegative(rateDecay, nameof(rateDecay));
        CheckNotNegative(start, nameof(start));
        Epsilon = epsilon;
        RateDecay = rateDecay;
        Start = start;
        _sum = AddState("sum");
        _sum.Span.Fill(T.CreateTruncating(start));
    }

    /// <summary>The number added to the root.</summary>
    public double Epsilon { get; }

    /// <summary>How the learning rate falls with the steps.</summary>
    public double RateDecay { get; }

    /// <summary>The start of the sums of squares.</summary>
    public double Start { get; }

    /// <summary>The sum of the squares of each parameter's gradients.</summary>
    public ReadOnlySpan<T> SumOfSquares => _sum.Span;

    /// <inheritdoc/>
    protected override void Update(Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context)
    {
        var visitor = new RangeUpdate<T>(parameters, gradients, range, context);
        TryVisit(ref visitor);
    }

    internal override bool TryVisit<TVisitor>(scoped ref TVisitor visitor)
    {
        var rate = -RangeLearningRate / (1 + Steps * RateDecay);
        visitor.Visit(
            new AdaGradUpdate<T>(T.CreateTruncating(rate), T.CreateTruncating(Epsilon), T.CreateTruncating(RangeWeightDecay)), _sum.Span, default, default);
        return true;
    }
}
