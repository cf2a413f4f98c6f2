using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>L = mean of -p t log s(x) - (1 - t) log s(-x) over all elements, for logits x, targets t in [0, 1] and the logistic function s.</summary>
/// <remarks><para>The same as PyTorch's BCEWithLogitsLoss with pos_weight p. -log s(-x) is max(x, 0) + log(1 + e^-|x|): with p = 1 the loss is
/// max(x, 0) - x t + log(1 + e^-|x|). A factor of 0 leaves its term out, so that the loss is exact at infinite logits: 0 on the
/// right side, infinity on the wrong one.</para>
/// <para>dx = ((1 - t) s(x) - p t s(-x)) / N, relatively accurate in both tails; dt = (p (max(-x, 0) + l) - max(x, 0) - l) / N
/// with l = log(1 + e^-|x|). The mean divides by the elements; with sample weights, by the sum of the weights times the
/// elements of a row.</para>
/// <para>Label smoothing is Keras's: with e the targets are t (1 - e) + e / 2, and dt is multiplied by 1 - e.</para>
/// </remarks>
public sealed class BinaryCrossEntropy : ElementwiseLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="positiveWeight">p, the weight of positive targets: 0, or 1e-30 to 1e30.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <param name="labelSmoothing">e, in [0, 1): how far targets are moved towards 1/2.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public BinaryCrossEntropy(double positiveWeight = 1, LossReduction reduction = LossReduction.Mean, double labelSmoothing = 0) : base(reduction)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(positiveWeight);
        SpanGuard.InFloatRange(positiveWeight);
        if (!(labelSmoothing is >= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(labelSmoothing), labelSmoothing, "Label smoothing must be in [0, 1).");
        (PositiveWeight, LabelSmoothing) = (positiveWeight, labelSmoothing);
    }

    /// <summary>The weight of positive targets.</summary>
    public double PositiveWeight { get; }

    /// <summary>How far targets are moved towards 1/2.</summary>
    public double LabelSmoothing { get; }

    /// <inheritdoc/>
    public override string Kind => "binarycrossentropy";

    internal override LossInput Takes => LossInput.Logits;

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        if (LabelSmoothing == 0)
            Forward(in context, new Term(PositiveWeight));
        else
            Forward(in context, new SmoothedTerm(new(PositiveWeight), LabelSmoothing));
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        if (LabelSmoothing == 0)
            Backward(in context, new Term(PositiveWeight));
        else
            Backward(in context, new SmoothedTerm(new(PositiveWeight), LabelSmoothing));
    }

    private readonly struct SmoothedTerm(Term term, double smoothing) : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => term.Value(y, Smooth(t));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => term.Slope(y, Smooth(t));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> =>
            term.TargetSlope(y, Smooth(t)) * (1 - smoothing);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private TVector Smooth<TVector>(TVector t) where TVector : struct, ISimdVector<TVector> => t * (1 - smoothing) + 0.5 * smoothing;
    }

    private readonly struct Term(double positiveWeight) : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var l = VectorMath.Softplus(-TVector.Abs(y));
            var onPositive = t * positiveWeight;
            var onNegative = 1 - t;
            var negative = TVector.Max(0, y) + l;
            var positive = TVector.Max(0, -y) + l;
            positive = TVector.AndNot(positive * onPositive, TVector.Equal(onPositive, TVector.Zero));
            negative = TVector.AndNot(negative * onNegative, TVector.Equal(onNegative, TVector.Zero));
            return positive + negative;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            // s of |x| and of -|x|.
            var e = VectorMath.Exp(-TVector.Abs(y));
            var large = 1 / (e + 1);
            var small = e * large;
            var isPositive = y > 0;
            e = TVector.Select(isPositive, large, small) * (1 - t);
            return e - TVector.Select(isPositive, small, large) * (t * positiveWeight);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var l = VectorMath.Softplus(-TVector.Abs(y));
            var positive = (TVector.Max(0, -y) + l) * positiveWeight;
            return positive - (TVector.Max(0, y) + l);
        }
    }
}
