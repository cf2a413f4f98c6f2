using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Losses;

/// <content>
/// With all options, q_c = u_c t_c + v_c: u = (1 - s) w and v = w s / K, where t is the distribution, or 1 at the label.
/// </content>
public sealed partial class SoftmaxCrossEntropy
{
    private void GeneralForward<T>(in ForwardContext<T> context, ReadOnlyMatrix<T> x, int positions)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (count, classes, rows) = (x.Rows, x.Columns, context.Rows);
        var hasLabels = context.InputType(1).Kind == EdgeKind.Indices;
        var labels = hasLabels ? context.Indices(1) : [];
        if (hasLabels)
            ClassLabels.CountKept(labels, classes, IgnoreIndex, positions);

        var kept = Parts((context.Training ? context.Cache : context.Scratch)[(DoublesPerRow * rows)..], count, classes);
        SoftmaxCrossEntropyKernels.SoftmaxWithLogSumExp(
            x, new Matrix<T>(kept.Probabilities, count, classes), kept.Maxima, kept.LogSums, context.Compute);
        Factors(context.BatchScratch, classes, out var u, out var v);
        var q = context.BatchScratch.Slice(2 * classes, classes);
        var doubles = Doubles(context.Scratch, 2 * rows);
        Span<double> losses = doubles[..rows], denominators = doubles[rows..];
        Unsafe.SkipInit(out PairwiseSum loss);
        Unsafe.SkipInit(out PairwiseSum denominator);
        for (var row = 0; row < rows; row++)
        {
            loss.Clear();
            denominator.Clear();
            for (var i = row * positions; i < (row + 1) * positions; i++)
            {
                var logits = x.Span.Slice(i * classes, classes);
                if (!hasLabels)
                {
                    Map.Ternary(default(MultiplyAdd<T>), context.Input(1).Slice(i * classes, classes), u, v, q, 0, null);
                    loss.Add(SoftmaxCrossEntropyKernels.ExpectedLoss<T>(q, logits, kept.Maxima[i], kept.LogSums[i]));
                    denominator.Add(1);
                }
                else if (labels[i] != IgnoreIndex)
                {
                    var weight = Weight(labels[i]);
                    var own = double.CreateTruncating(kept.Maxima[i]) - double.CreateTruncating(logits[labels[i]]) + double.CreateTruncating(kept.LogSums[i]);
                    var term = weight == 0 ? 0 : (1 - LabelSmoothing) * weight * own;
                    if (LabelSmoothing != 0)
                        term += SoftmaxCrossEntropyKernels.ExpectedLoss<T>(v, logits, kept.Maxima[i], kept.LogSums[i]);
                    loss.Add(term);
                    denominator.Add(weight);
                }
            }

            (losses[row], denominators[row]) = (loss.Total, denominator.Total);
        }

        Reduce(in context, losses, denominators);
    }

    private void GeneralBackward<T>(in BackwardContext<T> context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (classes, positions) = Sizes(context.InputType(0).Shape);
        var rows = context.Rows;
        var hasLabels = context.InputType(1).Kind == EdgeKind.Indices;
        var kept = Parts(context.Cache[(DoublesPerRow * rows)..], rows * positions, classes);
        var scales = context.Scratch[..rows];
        Scales(in context, scales);
        Factors(context.BatchScratch, classes, out var u, out var v);
        var work = new GradientWork<T>
        {
            Logits = context.Input(0),
            Probabilities = kept.Probabilities,
            Maxima = kept.Maxima,
            LogSums = kept.LogSums,
            U = u,
            V = v,
            Spread = Reductions.Sum<T>(v),
            Targets = hasLabels ? [] : context.Input(1),
            Labels = hasLabels ? context.Indices(1) : [],
            Scales = scales,
            Q = context.Scratch.Slice(DoublesPerRow * rows, rows * positions * classes),
            Dx = context.InputGradient(0),
            Dt = hasLabels ? default : context.InputGradient(1),
            Classes = classes,
            Positions = positions,
            IgnoreIndex = IgnoreIndex,
        };
        context.Compute.For(rows * positions, Math.Max(1, 512 / classes), GradientWork<T>.Cost * rows * positions * classes, in work);
    }

    /// <summary>u and v of each class.</summary>
    private void Factors<T>(Span<T> scratch, int classes, out Span<T> u, out Span<T> v)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        u = scratch[..classes];
        v = scratch.Slice(classes, classes);
        for (var c = 0; c < classes; c++)
        {
            u[c] = T.CreateTruncating((1 - LabelSmoothing) * Weight(c));
            v[c] = T.CreateTruncating(LabelSmoothing / classes * Weight(c));
        }
    }

    private static SoftmaxParts<T> Parts<T>(Span<T> buffer, int count, int classes)
        where T : unmanaged => new()
        {
            Probabilities = buffer[..(count * classes)],
            Maxima = buffer.Slice(count * classes, count),
            LogSums = buffer.Slice(count * (classes + 1), count),
        };

    private ref struct SoftmaxParts<T>
    {
        public Span<T> Probabilities, Maxima, LogSums;
    }

    /// <summary>The gradients of positions.</summary>
    private ref struct GradientWork<T> : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        public const double Cost = 0.5;

        public ReadOnlySpan<T> Logits, Probabilities, Maxima, LogSums, U, V, Targets, Scales;
        public ReadOnlySpan<int> Labels;
        public Span<T> Q;
        public Destination<T> Dx, Dt;
        public int Classes, Positions, IgnoreIndex;

        /// <summary>The sum of v.</summary>
        public T Spread;

        public readonly void Execute(int start, int limit)
        {
            for (var i = start; i < limit; i++)
            {
                var scale = Scales[i / Positions];
                var left = T.IsZero(scale) || !Labels.IsEmpty && Labels[i] == IgnoreIndex;
                Destination<T> dx = Dx.Slice(i * Classes, Classes), dt = Dt.Slice(i * Classes, Classes);
                if (left)
                {
                    ClearUnlessAdded(dx);
                    ClearUnlessAdded(dt);
                    continue;
                }

                if (dx.IsWanted)
                    Gradient(i, scale, dx);
                Map.Binary(new TargetGradient<T>(Maxima[i], LogSums[i], scale), U, Of(Logits, i), dt, 0, null);
            }
        }

        /// <summary>dx = scale (p sum(q) - q).</summary>
        private readonly void Gradient(int i, T scale, Destination<T> dx)
        {
            ReadOnlySpan<T> p = Of(Probabilities, i);
            if (Labels.IsEmpty)
            {
                var q = Of(Q, i);
                Map.Ternary(default(MultiplyAdd<T>), Of(Targets, i), U, V, q, 0, null);
                Map.Binary(new Difference<T>(scale * Reductions.Sum<T>(q), scale), p, q, dx, 0, null);
                return;
            }

            var own = U[Labels[i]];
            if (T.IsZero(own + Spread))
            {
                ClearUnlessAdded(dx);
                return;
            }

            Map.Binary(new Difference<T>(scale * (own + Spread), scale), p, V, dx, 0, null);
            dx.Span[Labels[i]] -= scale * own;
        }

        private static void ClearUnlessAdded(Destination<T> destination)
        {
            if (!destination.Adds)
                destination.Span.Clear();
        }

        private readonly Span<T> Of(Span<T> values, int i) => values.Slice(i * Classes, Classes);

        private readonly ReadOnlySpan<T> Of(ReadOnlySpan<T> values, int i) => values.Slice(i * Classes, Classes);
    }

    /// <summary>x y + z.</summary>
    private readonly struct MultiplyAdd<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
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

    /// <summary>By the targets: scale u (-log p), 0 where u is 0; x is u, y the logits.</summary>
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
