using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>L = mean of max(0, m - t y) over all elements, for scores y, targets t of -1 or 1, and a margin m.</summary>
/// <remarks>Cortes and Vapnik, Support-Vector Networks, 1995. dy = -t / N and dt = -y / N where t y is less than m, else 0. The mean divides
/// by the elements, or by what the weights keep.</remarks>
public sealed class Hinge : ElementwiseLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="margin">m, 1e-30 to 1e30.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public Hinge(double margin = 1, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        SpanGuard.PositiveFinite(margin);
        SpanGuard.InFloatRange(margin);
        Margin = margin;
    }

    /// <summary>The product of score and target from which on the loss is 0.</summary>
    public double Margin { get; }

    /// <inheritdoc/>
    public override string Kind => "hinge";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Forward(in context, new Term(Margin));

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => Backward(in context, new Term(Margin));

    private readonly struct Term(double margin) : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => TVector.Max(0, margin - y * t);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> =>
            TVector.AndNot(-t, y * t >= margin);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> =>
            TVector.AndNot(-y, y * t >= margin);
    }
}
