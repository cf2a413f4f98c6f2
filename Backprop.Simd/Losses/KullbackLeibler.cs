using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>
/// The Kullback-Leibler divergence from predictions to targets: L = mean over rows of sum t (log t - x), for log-probabilities x and
/// probabilities t. The targets may also be given as log t.
/// </summary>
/// <remarks>
/// <para>The same as PyTorch's KLDivLoss. The mean divides by the rows, or by the sum of their weights. This is PyTorch's
/// <c>batchmean</c>, the divergence itself.</para>
/// <para>dx = -t / N; dt = (log t + 1 - x) / N, and with log targets u, du = e^u (u + 1 - x) / N. Where t is 0 the term, dx and dt are
/// 0, whatever x is.</para>
/// </remarks>
public sealed class KullbackLeibler : ElementwiseLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="logTarget">True if the targets are log-probabilities.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such reduction.</exception>
    public KullbackLeibler(bool logTarget = false, LossReduction reduction = LossReduction.Mean) : base(reduction) => LogTarget = logTarget;

    /// <summary>True if the targets are log-probabilities.</summary>
    public bool LogTarget { get; }

    /// <inheritdoc/>
    public override string Kind => "kullbackleibler";

    internal override LossInput Takes => LossInput.LogProbabilities;

    private protected override int DenominatorOf(Shape row) => 1;

    private protected override bool TakesPositionWeights => false;

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        if (LogTarget)
            Forward(in context, default(LogTerm));
        else
            Forward(in context, default(Term));
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        if (LogTarget)
            Backward(in context, default(LogTerm));
        else
            Backward(in context, default(Term));
    }

    private readonly struct Term : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> =>
            TVector.AndNot((VectorMath.Log(t) - y) * t, TVector.Equal(t, TVector.Zero));

        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => -t;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> =>
            TVector.AndNot(VectorMath.Log(t) + 1 - y, TVector.Equal(t, TVector.Zero));
    }

    private readonly struct LogTerm : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var p = VectorMath.Exp(t);
            return TVector.AndNot((t - y) * p, TVector.Equal(p, TVector.Zero));
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => -VectorMath.Exp(t);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var p = VectorMath.Exp(t);
            return TVector.AndNot((t + 1 - y) * p, TVector.Equal(p, TVector.Zero));
        }
    }
}
