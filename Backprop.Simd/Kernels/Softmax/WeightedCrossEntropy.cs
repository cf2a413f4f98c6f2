using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Logits, row after row, and what <see cref="SoftmaxKernels.SoftmaxWithLogSumExp"/> makes of them.</summary>
internal ref struct SoftmaxParts<T> where T : unmanaged
{
    /// <summary>[rows, classes].</summary>
    public ReadOnlySpan<T> Logits;

    /// <summary>[rows, classes].</summary>
    public Span<T> Probabilities;

    /// <summary>The largest logit of each row, and the logarithm of its sum of exponentials.</summary>
    public Span<T> Maxima, LogSums;

    public int Classes;
}

/// <summary>
/// Targets of a cross-entropy with class weights w and label smoothing s: q_c = u_c t_c + v_c with u = (1 - s) w and v = w s / K.
/// t is a distribution, or 1 at the label.
/// </summary>
internal ref struct WeightedTargets<T> where T : unmanaged
{
    /// <summary>A label for each row; empty where there are distributions.</summary>
    public ReadOnlySpan<int> Labels;

    /// <summary>A distribution for each row; empty where there are labels.</summary>
    public ReadOnlySpan<T> Distributions;

    /// <summary>A weight for each class; empty for ones.</summary>
    public ReadOnlySpan<double> ClassWeights;

    /// <summary>u and v, a number for each class: see <see cref="WeightedCrossEntropy.Prepare"/>.</summary>
    public Span<T> U, V;

    /// <summary>s.</summary>
    public double Smoothing;

    /// <summary>The label of rows that take no part.</summary>
    public int IgnoreIndex;

    public readonly double Weight(int label) => ClassWeights.IsEmpty ? 1 : ClassWeights[label];
}

/// <summary>The cross-entropy of softmax with all options: L = -sum over c of q_c ln p_c for each row of logits.</summary>
internal static class WeightedCrossEntropy
{
    /// <summary>Nanoseconds per logit of a gradient.</summary>
    private const double Cost = 0.5;

    /// <summary>Logits of a range of a thread at least.</summary>
    private const int Granularity = 512;

    /// <summary>Fills u and v.</summary>
    public static void Prepare<T>(in WeightedTargets<T> targets) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var classes = targets.U.Length;
        for (var c = 0; c < classes; c++)
        {
            targets.U[c] = T.CreateTruncating((1 - targets.Smoothing) * targets.Weight(c));
            targets.V[c] = T.CreateTruncating(targets.Smoothing / classes * targets.Weight(c));
        }
    }

    /// <summary>losses[i] is the sum of L over the i-th group of rows; denominators[i] is the sum of their weights.</summary>
    /// <param name="parts">The logits.</param>
    /// <param name="targets">The targets.</param>
    /// <param name="q">Room for a number for each class.</param>
    /// <param name="losses">As many numbers as there are groups.</param>
    /// <param name="denominators">As many numbers as there are groups.</param>
    public static void Losses<T>(
        in SoftmaxParts<T> parts, in WeightedTargets<T> targets, Span<T> q, Span<double> losses, Span<double> denominators)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var positions = parts.Maxima.Length / losses.Length;
        Unsafe.SkipInit(out PairwiseSum loss);
        Unsafe.SkipInit(out PairwiseSum denominator);
        for (var group = 0; group < losses.Length; group++)
        {
            loss.Clear();
            denominator.Clear();
            for (var row = group * positions; row < (group + 1) * positions; row++)
            {
                if (targets.Labels.IsEmpty)
                {
                    Map.Ternary(default(Product<T>), Row(targets.Distributions, row, parts.Classes), targets.U, targets.V, q, 0, null);
                    loss.Add(Expected(in parts, row, q));
                    denominator.Add(1);
                }
                else if (targets.Labels[row] != targets.IgnoreIndex)
                {
                    loss.Add(LabelLoss(in parts, in targets, row));
                    denominator.Add(targets.Weight(targets.Labels[row]));
                }
            }

            (losses[group], denominators[group]) = (loss.Total, denominator.Total);
        }
    }

    /// <summary>dx = scale (p sum(q) - q); dt = scale u (-ln p).</summary>
    /// <param name="parts">The logits.</param>
    /// <param name="targets">The targets.</param>
    /// <param name="scales">The factor of each group of rows. A row whose factor is 0 takes no part.</param>
    /// <param name="q">Room for a number for each logit.</param>
    /// <param name="dx">The gradient by the logits.</param>
    /// <param name="dt">The gradient by the distributions.</param>
    /// <param name="context">The threads to use.</param>
    public static void Gradients<T>(
        in SoftmaxParts<T> parts, in WeightedTargets<T> targets, ReadOnlySpan<T> scales, Span<T> q,
        Destination<T> dx, Destination<T> dt, ComputeContext context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var work = new GradientBody<T>
        {
            Parts = parts,
            Targets = targets,
            Scales = scales,
            Positions = parts.Maxima.Length / scales.Length,
            Spread = Reductions.Sum<T>(targets.V),
            Q = q,
            Dx = dx,
            Dt = dt,
        };
        context.For(parts.Maxima.Length, Math.Max(1, Granularity / parts.Classes), Cost * parts.Logits.Length, in work);
    }

    private static double LabelLoss<T>(in SoftmaxParts<T> parts, in WeightedTargets<T> targets, int row)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var label = targets.Labels[row];
        var weight = targets.Weight(label);
        var own = double.CreateTruncating(parts.Maxima[row]) - double.CreateTruncating(parts.Logits[row * parts.Classes + label])
            + double.CreateTruncating(parts.LogSums[row]);
        var loss = weight == 0 ? 0 : (1 - targets.Smoothing) * weight * own;
        return targets.Smoothing == 0 ? loss : loss + Expected(in parts, row, targets.V);
    }

    /// <summary>The sum of q[c] (-ln p[c]), without the classes whose q is 0, whatever their logits.</summary>
    private static double Expected<T>(in SoftmaxParts<T> parts, int row, ReadOnlySpan<T> q)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        ReductionLoops.Pairwise(new ExpectedLossTerm<T>(parts.Maxima[row], parts.LogSums[row]), q, Row(parts.Logits, row, parts.Classes));

    private static ReadOnlySpan<T> Row<T>(ReadOnlySpan<T> values, int row, int classes) => values.Slice(row * classes, classes);

    private ref struct GradientBody<T> : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public SoftmaxParts<T> Parts;
        public WeightedTargets<T> Targets;
        public ReadOnlySpan<T> Scales;
        public Span<T> Q;
        public Destination<T> Dx, Dt;
        public int Positions;

        /// <summary>The sum of v.</summary>
        public T Spread;

        public readonly void Execute(int start, int limit)
        {
            var classes = Parts.Classes;
            for (var row = start; row < limit; row++)
            {
                var scale = Scales[row / Positions];
                Destination<T> dx = Dx.Slice(row * classes, classes), dt = Dt.Slice(row * classes, classes);
                if (T.IsZero(scale) || !Targets.Labels.IsEmpty && Targets.Labels[row] == Targets.IgnoreIndex)
                {
                    ClearUnlessAdded(dx);
                    ClearUnlessAdded(dt);
                    continue;
                }

                if (dx.IsWanted && Targets.Labels.IsEmpty)
                    ByDistribution(row, scale, dx);
                else if (dx.IsWanted)
                    ByLabel(row, scale, dx);
                var slope = new TargetGradient<T>(Parts.Maxima[row], Parts.LogSums[row], scale);
                Map.Binary(slope, Targets.U, Row(Parts.Logits, row, classes), dt, 0, null);
            }
        }

        private readonly void ByDistribution(int row, T scale, Destination<T> dx)
        {
            var q = Q.Slice(row * Parts.Classes, Parts.Classes);
            Map.Ternary(default(Product<T>), Row(Targets.Distributions, row, Parts.Classes), Targets.U, Targets.V, q, 0, null);
            Map.Binary(new Difference<T>(scale * Reductions.Sum<T>(q), scale), Row(Parts.Probabilities, row, Parts.Classes), q, dx, 0, null);
        }

        private readonly void ByLabel(int row, T scale, Destination<T> dx)
        {
            var label = Targets.Labels[row];
            var own = Targets.U[label];
            if (T.IsZero(own + Spread))
            {
                ClearUnlessAdded(dx);
                return;
            }

            var p = Row(Parts.Probabilities, row, Parts.Classes);
            Map.Binary(new Difference<T>(scale * (own + Spread), scale), p, Targets.V, dx, 0, null);
            dx.Span[label] -= scale * own;
        }

        private static void ClearUnlessAdded(Destination<T> destination)
        {
            if (!destination.Adds)
                destination.Span.Clear();
        }
    }

    /// <summary>q ((maximum - x) + logSum); 0 where q is 0.</summary>
    private readonly unsafe struct ExpectedLossTerm<T>(T maximum, T logSum) : ReductionLoops.ITerm<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Add<TVector>(T* x, T* y, TVector sum) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var q = TVector.Load(x);
            var loss = TVector.Create(maximum) - TVector.Load(y) + TVector.Create(logSum);
            return TVector.AndNot(loss * q, TVector.Equal(q, TVector.Zero)) + sum;
        }
    }

    /// <summary>t u + v.</summary>
    private readonly struct Product<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.MultiplyAdd(x, y, z);
    }

    /// <summary>a x - b y.</summary>
    private readonly struct Difference<T>(T a, T b) : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> =>
            x * TVector.Create(a) - y * TVector.Create(b);
    }

    /// <summary>scale u (-ln p), 0 where u is 0; x is u, y the logits.</summary>
    private readonly struct TargetGradient<T>(T maximum, T logSum, T scale) : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var loss = TVector.Create(maximum) - y + TVector.Create(logSum);
            return TVector.AndNot(loss * x * TVector.Create(scale), TVector.Equal(x, TVector.Zero));
        }
    }
}
