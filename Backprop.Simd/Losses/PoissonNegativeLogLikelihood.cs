using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>The negative log-likelihood of counts t: L = mean of e^y - t y over all elements, where y is the logarithm of the rate; or of
/// y - t log(y + epsilon), where y is the rate.</summary>
/// <remarks>The same as PyTorch's PoissonNLLLoss. With <see cref="Full"/>, Stirling's t log t - t + log(2 pi t) / 2 is added where t is more
/// than 1. dy = (e^y - t) / N, or (1 - t / (y + epsilon)) / N. The mean divides by the elements, or by what the weights keep.</remarks>
public sealed class PoissonNegativeLogLikelihood : ElementwiseLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="logInput">True if the predictions are logarithms of rates, false if they are rates.</param>
    /// <param name="full">True to add Stirling's approximation of log t!, which has no gradient by the predictions.</param>
    /// <param name="epsilon">What is added to a rate before its logarithm is taken, 1e-30 to 1e30.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public PoissonNegativeLogLikelihood(
        bool logInput = true, bool full = false, double epsilon = 1e-8, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        SpanGuard.PositiveFinite(epsilon);
        SpanGuard.InFloatRange(epsilon);
        (LogInput, Full, Epsilon) = (logInput, full, epsilon);
    }

    /// <summary>Whether the predictions are logarithms of rates.</summary>
    public bool LogInput { get; }

    /// <summary>Whether the approximation of log t! is added.</summary>
    public bool Full { get; }

    /// <summary>What is added to a rate before its logarithm is taken.</summary>
    public double Epsilon { get; }

    /// <inheritdoc/>
    public override string Kind => "poissonnegativeloglikelihood";

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        if (LogInput)
            Forward(in context, new LogTerm(Full));
        else
            Forward(in context, new Term(Full, Epsilon));
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        if (LogInput)
            Backward(in context, new LogTerm(Full));
        else
            Backward(in context, new Term(Full, Epsilon));
    }

    /// <summary>t log t - t + log(2 pi t) / 2 where t is more than 1, else 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Stirling<TVector>(TVector t) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot((t + 0.5) * VectorMath.Log(t) - t + 0.5 * Math.Log(2 * Math.PI), t <= 1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector StirlingSlope<TVector>(TVector t) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(VectorMath.Log(t) + 0.5 / t, t <= 1);

    private readonly struct LogTerm(bool full) : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var value = VectorMath.Exp(y) - t * y;
            return full ? value + Stirling(t) : value;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => VectorMath.Exp(y) - t;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => full ? StirlingSlope(t) - y : -y;
    }

    private readonly struct Term(bool full, double epsilon) : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var value = y - t * VectorMath.Log(y + epsilon);
            return full ? value + Stirling(t) : value;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => 1 - t / (y + epsilon);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var log = VectorMath.Log(y + epsilon);
            return full ? StirlingSlope(t) - log : -log;
        }
    }
}
