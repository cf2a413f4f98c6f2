using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>L = mean of max(q d, (q - 1) d) with d = t - y over all elements: y becomes the quantile q of t.</summary>
/// <remarks>Koenker and Bassett, Regression Quantiles, 1978; the pinball loss. dy = -q / N where t is more than y, (1 - q) / N where it is
/// less, 0 where they are equal; dt = -dy. The mean divides by the elements, or by what the weights keep.</remarks>
public sealed class Quantile : ElementwiseLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="level">q, between 0 and 1.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public Quantile(double level = 0.5, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        if (level is not (> 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(level), level, "The quantile must be greater than 0 and less than 1.");
        Level = level;
    }

    /// <summary>The quantile q.</summary>
    public double Level { get; }

    /// <inheritdoc/>
    public override string Kind => "quantile";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Forward(in context, new Term(Level));

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => Backward(in context, new Term(Level));

    private readonly struct Term(double q) : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            t -= y;
            return TVector.Select(t < 0, t * (q - 1), t * q);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            // NaN stays: it is neither less than 0 nor more.
            t -= y;
            return TVector.Select(t < 0, TVector.Zero + (1 - q), TVector.Select(t > 0, TVector.Zero - q, t));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => -Slope(y, t);
    }
}
