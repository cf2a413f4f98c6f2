using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>AdaMax: Adam with the largest gradient in place of the second moment (Kingma and Ba, Adam, 2015, Algorithm 2).</summary>
/// <remarks>
/// PyTorch's formulas, with g = gradient + weightDecay w and t the number of the step: m = beta1 m + (1 - beta1) g;
/// u = max(beta2 u, |g| + epsilon); w -= learningRate / (1 - beta1^t) m / u. Both start at 0. The first moment is kept out of the
/// subnormal range as in <see cref="Adam{T}"/>.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class AdaMax<T> : Optimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _first, _largest;

    /// <summary>Creates the optimizer for a network.</summary>
    /// <param name="network">The network, for its number of parameters.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="beta1">The decay of the first moment, in [0, 1).</param>
    /// <param name="beta2">The decay of the largest gradient, in [0, 1).</param>
    /// <param name="epsilon">The number added to the size of a gradient, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <exception cref="ArgumentNullException"><paramref name="network"/> is null.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public AdaMax(ITrainable<T> network, double learningRate = 0.002, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8,
        double weightDecay = 0)
        : this(ITrainable<T>.CountOf(network), learningRate, beta1, beta2, epsilon, weightDecay) { }

    /// <summary>Creates the optimizer.</summary>
    /// <param name="parameterCount">The number of parameters, zero or more.</param>
    /// <param name="learningRate">The learning rate, finite and not negative.</param>
    /// <param name="beta1">The decay of the first moment, in [0, 1).</param>
    /// <param name="beta2">The decay of the largest gradient, in [0, 1).</param>
    /// <param name="epsilon">The number added to the size of a gradient, finite and positive in <typeparamref name="T"/> too.</param>
    /// <param name="weightDecay">The share of each parameter that is added to its gradient, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public AdaMax(int parameterCount, double learningRate = 0.002, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8,
        double weightDecay = 0)
        : base(parameterCount, learningRate, weightDecay)
    {
        CheckFraction(beta1, nameof(beta1));
        CheckFraction(beta2, nameof(beta2));
        CheckPositive(epsilon, nameof(epsilon));
        (Beta1, Beta2, Epsilon) = (beta1, beta2, epsilon);
        (_first, _largest) = (AddState("first"), AddState("largest"));
    }

    /// <summary>The decay of the first moment.</summary>
    public double Beta1 { get; }

    /// <summary>The decay of the largest gradient.</summary>
    public double Beta2 { get; }

    /// <summary>The number added to the size of a gradient.</summary>
    public double Epsilon { get; }

    /// <summary>The first moment of each parameter's gradient, without the correction.</summary>
    public ReadOnlySpan<T> FirstMoment => _first.Span;

    /// <summary>The size of each parameter's largest gradient, which decays.</summary>
    public ReadOnlySpan<T> Largest => _largest.Span;

    /// <inheritdoc/>
    protected override void Update(Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context)
    {
        var visitor = new RangeUpdate<T>(parameters, gradients, range, context);
        TryVisit(ref visitor);
    }

    internal override bool TryVisit<TVisitor>(scoped ref TVisitor visitor)
    {
        var update = new AdaMaxUpdate<T>(
            T.CreateTruncating(-RangeLearningRate / (1 - PortableMath.Power(Beta1, Steps + 1))),
            T.CreateTruncating(Epsilon),
            T.CreateTruncating(Beta1),
            T.CreateTruncating(1 - Beta1),
            T.CreateTruncating(Beta2),
            T.CreateTruncating(RangeWeightDecay),
            Moments.Rounder<T>());
        visitor.Visit(update, _first.Span, _largest.Span, default);
        return true;
    }
}
