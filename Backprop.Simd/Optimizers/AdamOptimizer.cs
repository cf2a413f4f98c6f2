using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Optimizers;

/// <summary>What <see cref="Adam{T}"/>, <see cref="AdamW{T}"/>, <see cref="NAdam{T}"/> and <see cref="RAdam{T}"/> share: the first
/// and the second moment.</summary>
/// <remarks>
/// With g the gradient: m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2. Both start at 0. Corrections and rates are
/// computed in double once per step. Moments are kept out of the subnormal range, where processors are several times slower: m is
/// rounded to multiples of 2^-100 (float) or 2^-960 (double), and each step takes a little from v, too little to show beside
/// epsilon, until v is 0.
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public abstract class AdamOptimizer<T> : Optimizer<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _first, _second;
    private readonly AlignedBuffer<T>? _largest;
    private long _step;
    private (double LearningRate, double Decay, double Shrink) _rates;
    private AdamUpdate<T> _update;

    private protected AdamOptimizer(int parameterCount, double learningRate, double beta1, double beta2, double epsilon, double weightDecay, bool amsGrad)
        : base(parameterCount, learningRate, weightDecay)
    {
        CheckFraction(beta1, nameof(beta1));
        CheckFraction(beta2, nameof(beta2));
        CheckPositive(epsilon, nameof(epsilon));
        (Beta1, Beta2, Epsilon) = (beta1, beta2, epsilon);
        (_first, _second, _largest) = (AddState("first"), AddState("second"), amsGrad ? AddState("largest") : null);
    }

    /// <summary>The decay of the first moment.</summary>
    public double Beta1 { get; }

    /// <summary>The decay of the second moment.</summary>
    public double Beta2 { get; }

    /// <summary>The number added to the root.</summary>
    public double Epsilon { get; }

    /// <summary>The first moment of each parameter's gradient, without the correction.</summary>
    public ReadOnlySpan<T> FirstMoment => _first.Span;

    /// <summary>The second moment of each parameter's gradient, without the correction.</summary>
    public ReadOnlySpan<T> SecondMoment => _second.Span;

    private protected bool HasLargest => _largest is not null;

    private protected ReadOnlySpan<T> Largest => _largest is null ? default : _largest.Span;

    /// <inheritdoc/>
    protected sealed override void Update(Span<T> parameters, ReadOnlySpan<T> gradients, BlockRange range, ComputeContext? context)
    {
        var visitor = new RangeUpdate<T>(parameters, gradients, range, context);
        TryVisit(ref visitor);
    }

    /// <summary>Passes the step of Adam or AMSGrad to the visitor.</summary>
    /// <param name="visitor">The visitor.</param>
    /// <param name="decay">The part of a parameter that is added to its gradient.</param>
    /// <param name="shrink">The part of a parameter that is subtracted from it.</param>
    private protected void Visit<TVisitor>(scoped ref TVisitor visitor, double decay, double shrink)
        where TVisitor : struct, IUpdateVisitor<T>, allows ref struct
    {
        var update = UpdateOf(decay, shrink);
        if (_largest is null)
            Visit(ref visitor, update);
        else
            visitor.Visit(new AmsGradUpdate<T>(update), _first.Span, _second.Span, _largest.Span);
    }

    /// <summary>Passes a step that changes the two moments to the visitor.</summary>
    private protected void Visit<TVisitor, TUpdate>(scoped ref TVisitor visitor, TUpdate update)
        where TVisitor : struct, IUpdateVisitor<T>, allows ref struct
        where TUpdate : struct, IUpdate<T> =>
        visitor.Visit(update, _first.Span, _second.Span, default);

    /// <summary>The operator of the step in progress.</summary>
    private protected AdamUpdate<T> UpdateOf(double decay, double shrink)
    {
        // A step over many ranges reads this many times.
        var (step, rate) = (Steps + 1, RangeLearningRate);
        if (step == _step && _rates == (rate, decay, shrink))
            return _update;

        (_step, _rates) = (step, (rate, decay, shrink));
        _update = NumbersOf((Beta1, Beta2), Epsilon, rate, decay, shrink, step);
        return _update;
    }

    /// <summary>The numbers of a step of Adam, each rounded once.</summary>
    internal static AdamUpdate<T> NumbersOf((double First, double Second) beta, double epsilon, double rate, double decay, double shrink, long step) =>
        new()
        {
            Rate = T.CreateTruncating(-rate / (1 - PortableMath.Power(beta.First, step))),
            Scale = T.CreateTruncating(1 / Math.Sqrt(1 - PortableMath.Power(beta.Second, step))),
            Epsilon = T.CreateTruncating(epsilon),
            Beta1 = T.CreateTruncating(beta.First),
            Weight1 = T.CreateTruncating(1 - beta.First),
            Beta2 = T.CreateTruncating(beta.Second),
            Weight2 = T.CreateTruncating(1 - beta.Second),
            Decay = T.CreateTruncating(decay),
            Keep = T.CreateTruncating(1 - shrink),
            Rounder = Moments.Rounder<T>(),
            Least = Moments.Least<T>(epsilon, beta.Second),
        };
}
