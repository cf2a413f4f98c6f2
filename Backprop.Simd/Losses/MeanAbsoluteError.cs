using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>L = mean of |y - t| over all elements of the batch, like PyTorch's L1Loss.</summary>
/// <remarks>dy = sign(y - t) / N, 0 where y = t; dt = -dy. The mean divides by the elements; with sample weights, by the sum of the weights times
/// the elements of a row.</remarks>
public sealed class MeanAbsoluteError : ElementwiseLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reduction.</exception>
    public MeanAbsoluteError(LossReduction reduction = LossReduction.Mean) : base(reduction) { }

    /// <inheritdoc/>
    public override string Kind => "meanabsoluteerror";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Forward(in context, default(Term));

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => Backward(in context, default(Term));

    private readonly struct Term : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => TVector.Abs(y - t);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            // 0 and NaN stay.
            y -= t;
            y = TVector.Select(y > 0, TVector.One, y);
            return TVector.Select(y < 0, TVector.Create(-1), y);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => -Slope(y, t);
    }
}
