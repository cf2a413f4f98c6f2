using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>L = mean of d^2 / 2 where |d| = |y - t| is at most delta, else of delta (|d| - delta / 2), like PyTorch's HuberLoss.</summary>
/// <remarks>Huber 1964. dy = d cut to [-delta, delta], over N; dt = -dy. The mean divides by the elements; with sample weights, by the sum of
/// the weights times the elements of a row.</remarks>
public sealed class Huber : ElementwiseLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="delta">Where the loss turns from a square to a line, 1e-30 to 1e30.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public Huber(double delta = 1, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        SpanGuard.PositiveFinite(delta);
        SpanGuard.InFloatRange(delta);
        Delta = delta;
    }

    /// <summary>Where the loss turns from a square to a line.</summary>
    public double Delta { get; }

    /// <inheritdoc/>
    public override string Kind => "huber";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Forward(in context, new Term(Delta));

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => Backward(in context, new Term(Delta));

    private readonly struct Term(double delta) : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            // m (|d| - m / 2) with m = |d|, at most delta.
            var d = TVector.Abs(y - t);
            var m = TVector.Min(delta, d);
            return m * TVector.MultiplyAdd(m, -0.5, d);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => TVector.Max(-delta, TVector.Min(delta, y - t));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> =>
            TVector.Max(-delta, TVector.Min(delta, t - y));
    }
}
