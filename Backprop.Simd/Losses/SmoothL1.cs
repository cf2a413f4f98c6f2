using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>L = mean of d^2 / (2 beta) where |d| = |y - t| is at most beta, else of |d| - beta / 2, like PyTorch's SmoothL1Loss.</summary>
/// <remarks>Girshick, arXiv:1504.08083, equation 3, with beta 1. This is <see cref="Huber"/> divided by beta. dy = d / beta cut to [-1, 1],
/// over N; dt = -dy. The mean divides by the elements; with sample weights, by the sum of the weights times the elements of a row.</remarks>
public sealed class SmoothL1 : ElementwiseLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="beta">Where the loss turns from a square to a line, 1e-30 to 1e30.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public SmoothL1(double beta = 1, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        SpanGuard.PositiveFinite(beta);
        SpanGuard.InFloatRange(beta);
        Beta = beta;
    }

    /// <summary>Where the loss turns from a square to a line.</summary>
    public double Beta { get; }

    /// <inheritdoc/>
    public override string Kind => "smoothl1";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Forward(in context, new Term(Beta));

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => Backward(in context, new Term(Beta));

    private readonly struct Term(double beta) : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            // m (|d| - m / 2) / beta with m = |d|, at most beta.
            var d = TVector.Abs(y - t);
            var m = TVector.Min(beta, d);
            return TVector.MultiplyAdd(m, -0.5, d) * (m / beta);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => TVector.Max(-1, TVector.Min(1, (y - t) / beta));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> =>
            TVector.Max(-1, TVector.Min(1, (t - y) / beta));
    }
}
