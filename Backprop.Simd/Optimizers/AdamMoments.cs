using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Optimizers;

/// <summary>What Adam, AdamW and NAdam share: the moments, and the numbers of a step.</summary>
internal sealed class AdamMoments<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _first, _second;
    private readonly AlignedBuffer<T>? _largest;
    private readonly double _beta1, _beta2, _epsilon;
    private long _step;
    private (double LearningRate, double Decay, double Shrink) _rates;
    private AdamUpdate<T> _operator;

    public AdamMoments(AlignedBuffer<T> first, AlignedBuffer<T> second, AlignedBuffer<T>? largest, double beta1, double beta2, double epsilon)
    {
        (_first, _second, _largest) = (first, second, largest);
        (_beta1, _beta2, _epsilon) = (beta1, beta2, epsilon);
    }

    public Span<T> First => _first.Span;

    public Span<T> Second => _second.Span;

    public bool IsAmsGrad => _largest is not null;

    public Span<T> Largest => _largest is null ? default : _largest.Span;

    public void Visit<TVisitor>(AdamUpdate<T> update, scoped ref TVisitor visitor)
        where TVisitor : struct, IUpdateVisitor<T>, allows ref struct
    {
        if (_largest is null)
            visitor.Visit(update, First, Second, default);
        else
            visitor.Visit(new AmsGradUpdate<T>(update), First, Second, _largest.Span);
    }

    /// <summary>The operator of a step, counted from 1.</summary>
    /// <param name="step">The step, in any order.</param>
    /// <param name="learningRate">The learning rate.</param>
    /// <param name="decay">What of a parameter is added to its gradient.</param>
    /// <param name="shrink">What of a parameter is taken away.</param>
    public AdamUpdate<T> Operator(long step, double learningRate, double decay, double shrink)
    {
        // A step over many ranges asks many times.
        if (step == _step && _rates == (learningRate, decay, shrink))
            return _operator;

        (_step, _rates) = (step, (learningRate, decay, shrink));
        _operator = new AdamUpdate<T>(
            Rate: T.CreateTruncating(-learningRate / (1 - PortableMath.Power(_beta1, step))),
            Scale: T.CreateTruncating(1 / Math.Sqrt(1 - PortableMath.Power(_beta2, step))),
            Epsilon: T.CreateTruncating(_epsilon),
            Beta1: T.CreateTruncating(_beta1),
            Weight1: T.CreateTruncating(1 - _beta1),
            Beta2: T.CreateTruncating(_beta2),
            Weight2: T.CreateTruncating(1 - _beta2),
            Decay: T.CreateTruncating(decay),
            Keep: T.CreateTruncating(1 - shrink),
            Rounder: Moments.Rounder<T>(),
            Least: Moments.Least<T>(_epsilon, _beta2));
        return _operator;
    }
}
