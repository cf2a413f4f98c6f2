using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>L = mean of a_t q^g b over all elements, for logits x, targets t in [0, 1] and the logistic function s: b is the binary
/// cross-entropy of x and t, q = (1 - t) s(x) + t s(-x) the probability of the wrong class, and a_t = a t + (1 - a) (1 - t).</summary>
/// <remarks><para>Lin, Goyal, Girshick, He, Dollar, arXiv:1708.02002, equation 5; the same as torchvision's sigmoid_focal_loss with its
/// reduction mean. Computed from s(x), s(-x) and log(1 + e^-|x|), each relatively accurate; exact at infinite logits: 0 on the right
/// side, infinity on the wrong one.</para>
/// <para>dx = a_t q^g (b' + g r b) / N with b' = (1 - t) s(x) - t s(-x) and r = (1 - 2 t) s(x) s(-x) / q;
/// dt = ((2 a - 1) q^g b + a_t (g q^(g - 1) (s(-x) - s(x)) b - q^g x)) / N. The mean divides by the elements, or by what the weights
/// keep.</para></remarks>
public sealed class Focal : ElementwiseLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="alpha">a, the weight of positive targets, 0 to 1; null for no weights, a_t = 1.</param>
    /// <param name="gamma">g, how much elements that are easy count less: 0, or 1e-30 to 1e30.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public Focal(double? alpha = 0.25, double gamma = 2, LossReduction reduction = LossReduction.Mean) : base(reduction)
    {
        if (!(alpha is null or (>= 0 and <= 1)))
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "The weight of positive targets must be 0 to 1, or null.");
        ArgumentOutOfRangeException.ThrowIfNegative(gamma);
        SpanGuard.InFloatRange(gamma);
        (Alpha, Gamma) = (alpha, gamma);
    }

    /// <summary>The weight of positive targets; null if there are no weights.</summary>
    public double? Alpha { get; }

    /// <summary>How much elements that are easy count less.</summary>
    public double Gamma { get; }

    /// <inheritdoc/>
    public override string Kind => "focal";

    internal override LossInput Takes => LossInput.Logits;

    private Term Formula => Alpha is { } alpha ? new(2 * alpha - 1, 1 - alpha, Gamma) : new(0, 1, Gamma);

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context) => Forward(in context, Formula);

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context) => Backward(in context, Formula);

    /// <summary>The weight a_t is slope t + start.</summary>
    private readonly struct Term(double slope, double start, double gamma) : IElementLoss
    {
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var b = CrossEntropy(y, t);
            Probabilities(y, out var s, out var other);
            var q = s * (1 - t) + other * t;
            return Product(VectorMath.Pow(q, TVector.Create(gamma)) * (t * slope + start), b);
        }

        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var b = CrossEntropy(y, t);
            Probabilities(y, out var s, out var other);
            var negative = 1 - t;
            var q = s * negative + other * t;

            // 1 / (q / (s(x) s(-x))): neither product can underflow here.
            var inverse = TVector.AndNot(negative / other, TVector.Equal(negative, TVector.Zero));
            inverse += TVector.AndNot(t / s, TVector.Equal(t, TVector.Zero));
            var r = (negative - t) / inverse * gamma;
            var inner = s * negative - other * t + Product(r, b);
            return VectorMath.Pow(q, TVector.Create(gamma)) * (t * slope + start) * inner;
        }

        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var b = CrossEntropy(y, t);
            Probabilities(y, out var s, out var other);
            var q = s * (1 - t) + other * t;
            var power = VectorMath.Pow(q, TVector.Create(gamma));
            var change = Product(power, -y);
            if (gamma != 0)
                change += Product(b, VectorMath.Pow(q, TVector.Create(gamma - 1)) * (other - s) * gamma);
            return Product(power * slope, b) + change * (t * slope + start);
        }

        /// <summary>x y, and 0 where x is 0.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TVector Product<TVector>(TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
            TVector.AndNot(x * y, TVector.Equal(x, TVector.Zero));

        /// <summary>s(x) and s(-x).</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Probabilities<TVector>(TVector x, out TVector s, out TVector other) where TVector : struct, ISimdVector<TVector>
        {
            var e = VectorMath.Exp(-TVector.Abs(x));
            var large = 1 / (e + 1);
            var small = e * large;
            var isPositive = x > 0;
            s = TVector.Select(isPositive, large, small);
            other = TVector.Select(isPositive, small, large);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static TVector CrossEntropy<TVector>(TVector x, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var l = VectorMath.Softplus(-TVector.Abs(x));
            return Product(t, TVector.Max(0, -x) + l) + Product(1 - t, TVector.Max(0, x) + l);
        }
    }
}
