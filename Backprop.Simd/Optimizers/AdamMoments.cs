using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Optimizers;

/// <summary>What Adam and AdamW share: the moments, and the numbers of a step.</summary>
internal sealed class AdamMoments<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _first, _second;
    private readonly double _beta1, _beta2, _epsilon;
    private double _power1 = 1, _power2 = 1;
    private long _step;

    public AdamMoments(int parameterCount, double beta1, double beta2, double epsilon)
    {
        _first = new AlignedBuffer<T>(parameterCount);
        _second = new AlignedBuffer<T>(parameterCount);
        (_beta1, _beta2, _epsilon) = (beta1, beta2, epsilon);
    }

    public Span<T> First => _first.Span;

    public Span<T> Second => _second.Span;

    /// <summary>The operator of a step, counted from 1.</summary>
    /// <param name="step">The step; one after the last, or the last again.</param>
    /// <param name="learningRate">The learning rate.</param>
    /// <param name="decay">What of a parameter is added to its gradient.</param>
    /// <param name="shrink">What of a parameter is taken away.</param>
    public AdamUpdate<T> Operator(long step, double learningRate, double decay, double shrink)
    {
        // The powers are running products: functions of the number of the step alone.
        for (; _step < step; _step++)
        {
            _power1 *= _beta1;
            _power2 *= _beta2;
        }

        // A gradient below leastGradient moves sqrt(v_hat) by less than half a unit in the last place of epsilon, since
        // sqrt(a + b) - sqrt(a) <= sqrt(b); so does a second moment below its square's weight, as 1 - beta2 <= 1 - beta2^t.
        var isSingle = typeof(T) == typeof(float);
        var leastGradient = Math.ScaleB(_epsilon, isSingle ? -26 : -55);
        var leastSecond = (1 - _beta2) * leastGradient * leastGradient;

        // This far from the subnormal range, products with a rate or a decay stay out of it too.
        var leastFirst = Math.ScaleB(1, isSingle ? -100 : -960);
        return new AdamUpdate<T>(
            Rate: T.CreateTruncating(-learningRate / (1 - _power1)),
            Scale: T.CreateTruncating(1 / Math.Sqrt(1 - _power2)),
            Epsilon: T.CreateTruncating(_epsilon),
            Beta1: T.CreateTruncating(_beta1),
            Weight1: T.CreateTruncating(1 - _beta1),
            Beta2: T.CreateTruncating(_beta2),
            Weight2: T.CreateTruncating(1 - _beta2),
            Decay: T.CreateTruncating(decay),
            Keep: T.CreateTruncating(1 - shrink),
            LeastFirst: T.CreateTruncating(leastFirst),
            LeastGradient: T.CreateTruncating(leastGradient),
            LeastSecond: T.CreateTruncating(leastSecond));
    }
}
