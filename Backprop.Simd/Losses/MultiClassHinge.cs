using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>L = mean over positions of w_y / K sum over c other than y of max(0, m - x_y + x_c)^p, for scores x [..., K] and class labels
/// y [...], with a margin m and p = 1 or 2.</summary>
/// <remarks>Crammer and Singer, On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines, 2001; the same as PyTorch's
/// MultiMarginLoss: it divides by K, and the mean by the positions kept, whatever the class weights w are. With h = m - x_y + x_c:
/// dx_c = w_y p h^(p - 1) / (K D) where h is more than 0, dx_y is minus the sum of the others. Ignored positions add nothing.</remarks>
public sealed class MultiClassHinge : LabelLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="margin">m, 1e-30 to 1e30.</param>
    /// <param name="squared">True for p = 2, false for p = 1.</param>
    /// <param name="classWeights">One weight per class, each 0 or from 1e-30 to 1e30; null for weights of 1.</param>
    /// <param name="ignoreIndex">The label of positions that are ignored; it may be negative.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentException">An argument is out of range.</exception>
    public MultiClassHinge(double margin = 1, bool squared = false, IEnumerable<double>? classWeights = null, int ignoreIndex = -100,
        LossReduction reduction = LossReduction.Mean) : base(classWeights, ignoreIndex, reduction)
    {
        SpanGuard.PositiveFinite(margin);
        SpanGuard.InFloatRange(margin);
        (Margin, IsSquared) = (margin, squared);
    }

    /// <summary>How far the label's score must be above another score, so that the other score adds nothing.</summary>
    public double Margin { get; }

    /// <summary>Whether p is 2.</summary>
    public bool IsSquared { get; }

    /// <inheritdoc/>
    public override string Kind => "multiclasshinge";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        var (classes, positions) = DeclareScores(declaration, takesDistributions: false);
        declaration.UseCache(perRow: HasWeights(declaration.Inputs.Count) ? DoublesPerRow : 0, CachePerBatch);

        // The label's score in the place of each class, slopes, a sum of each position as a double, sums of a row or scales.
        declaration.UseScratch(perRow: 2L * classes * positions + 2L * positions + DoublesPerRow);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var x = context.Input(0);
        var labels = context.Indices(1);
        var (classes, positions) = Sizes(context.InputType(0).Shape);
        ClassLabels.CountKept(labels, classes, IgnoreIndex, positions);
        var doubles = Doubles(context.Scratch, 2 * context.Rows + labels.Length);
        Span<double> losses = doubles[..context.Rows], denominators = doubles.Slice(context.Rows, context.Rows), sums = doubles[(2 * context.Rows)..];
        var scores = context.Scratch[^x.Length..];
        LabelScores(x, labels, classes, scores);
        if (IsSquared)
            ElementLossKernels.Sums(new SquaredTerm(Margin), x, scores, classes, sums, context.Compute);
        else
            ElementLossKernels.Sums(new Term(Margin), x, scores, classes, sums, context.Compute);
        Unsafe.SkipInit(out PairwiseSum loss);
        for (var row = 0; row < losses.Length; row++)
        {
            loss.Clear();
            var kept = 0;
            for (var i = row * positions; i < (row + 1) * positions; i++)
            {
                if (labels[i] == IgnoreIndex)
                    continue;
                kept++;
                if (Weight(labels[i]) != 0)
                    loss.Add(Weight(labels[i]) / classes * sums[i]);
            }

            (losses[row], denominators[row]) = (loss.Total, kept);
        }

        Reduce(in context, losses, denominators);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        WeightGradient(in context);
        var x = context.Input(0);
        var labels = context.Indices(1);
        var (classes, positions) = Sizes(context.InputType(0).Shape);
        var scales = context.Scratch[..context.Rows];
        Scales(in context, scales);
        Span<T> scores = context.Scratch[^x.Length..], slopes = context.Scratch[^(2 * x.Length)..^x.Length];
        LabelScores(x, labels, classes, scores);
        for (var i = 0; i < labels.Length; i++)
        {
            var slope = slopes.Slice(i * classes, classes);
            var scale = labels[i] == IgnoreIndex ? T.Zero : scales[i / positions] * T.CreateTruncating(Weight(labels[i]) / classes);
            if (T.IsZero(scale))
            {
                slope.Clear();
                continue;
            }

            ReadOnlySpan<T> y = x.Slice(i * classes, classes), t = scores.Slice(i * classes, classes);
            if (IsSquared)
                ElementLossKernels.Gradient(new SquaredTerm(Margin), scale, y, t, slope, context.Compute);
            else
                ElementLossKernels.Gradient(new Term(Margin), scale, y, t, slope, context.Compute);
            slope[labels[i]] = -Reductions.Sum<T>(slope);
        }

        context.InputGradient(0).Copy(slopes);
    }

    /// <summary>The score of a position's label in the place of each class, and infinity in the place of the label itself: it stands for a
    /// term that is left out. An infinite score becomes the largest float, which leaves out all lower scores as well.</summary>
    private void LabelScores<T>(ReadOnlySpan<T> x, ReadOnlySpan<int> labels, int classes, Span<T> scores)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        for (var i = 0; i < labels.Length; i++)
        {
            var row = scores.Slice(i * classes, classes);
            if (labels[i] == IgnoreIndex)
            {
                row.Fill(T.PositiveInfinity);
                continue;
            }

            var score = x.Slice(i * classes, classes)[labels[i]];
            row.Fill(T.IsPositiveInfinity(score) ? T.CreateSaturating(float.MaxValue) : score);
            row[labels[i]] = T.PositiveInfinity;
        }
    }

    private readonly struct Term(double margin) : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> =>
            TVector.AndNot(TVector.Max(0, y - t + margin), IsLeftOut(t));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> =>
            TVector.AndNot(TVector.One, IsLeftOut(t) | (y - t + margin <= 0));

        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => -Slope(y, t);
    }

    private readonly struct SquaredTerm(double margin) : IElementLoss
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
        {
            var h = TVector.AndNot(TVector.Max(0, y - t + margin), IsLeftOut(t));
            return h * h;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> =>
            TVector.AndNot(TVector.Max(0, y - t + margin) * 2, IsLeftOut(t));

        public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => -Slope(y, t);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector IsLeftOut<TVector>(TVector t) where TVector : struct, ISimdVector<TVector> =>
        TVector.Equal(t, TVector.Create(double.PositiveInfinity));
}
