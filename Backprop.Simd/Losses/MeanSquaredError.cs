using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>L = mean of (y - t)^2 over all elements of the batch.</summary>
/// <remarks>dy = 2 (y - t) / N, dt = -dy. The mean divides by the elements; with sample weights, by the sum of the weights times
/// the elements of a row.</remarks>
public sealed class MeanSquaredError : ElementwiseLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reduction.</exception>
    public MeanSquaredError(LossReduction reduction = LossReduction.Mean) : base(reduction) { }

    /// <inheritdoc/>
    public override string Kind => "meansquarederror";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Forward(in context, default(Term));

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => Backward(in context, default(Term));

    private readonly struct Term : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            y -= t;
            return y * y;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => (y - t) * 2;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => (t - y) * 2;
    }
}
