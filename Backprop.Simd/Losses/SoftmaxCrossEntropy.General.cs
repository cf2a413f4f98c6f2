using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <content>All options: distributions as targets, class weights, label smoothing and sample weights.</content>
public sealed partial class SoftmaxCrossEntropy
{
    private void GeneralForward<T>(in ForwardContext<T> context, ReadOnlyMatrix<T> x, int positions)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (classes, rows) = (x.Columns, context.Rows);
        var hasLabels = context.InputType(1).Kind == EdgeKind.Indices;
        var targets = Targets(hasLabels ? context.Indices(1) : [], hasLabels ? [] : context.Input(1), context.BatchScratch, classes);
        if (hasLabels)
            ClassLabels.CountKept(targets.Labels, classes, IgnoreIndex, positions);
        var parts = Parts(x.Span, (context.Training ? context.Cache : context.Scratch)[(DoublesPerRow * rows)..], classes);
        SoftmaxKernels.SoftmaxWithLogSumExp(x, new Matrix<T>(parts.Probabilities, x.Rows, classes), parts.Maxima, parts.LogSums, context.Compute);
        var doubles = Doubles(context.Scratch, 2 * rows);
        Span<double> losses = doubles[..rows], denominators = doubles[rows..];
        WeightedCrossEntropy.Losses(in parts, in targets, context.BatchScratch.Slice(2 * classes, classes), losses, denominators);
        Reduce(in context, losses, denominators);
    }

    private void GeneralBackward<T>(in BackwardContext<T> context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (classes, _) = Sizes(context.InputType(0).Shape);
        var rows = context.Rows;
        var hasLabels = context.InputType(1).Kind == EdgeKind.Indices;
        var targets = Targets(hasLabels ? context.Indices(1) : [], hasLabels ? [] : context.Input(1), context.BatchScratch, classes);
        var parts = Parts(context.Input(0), context.Cache[(DoublesPerRow * rows)..], classes);
        var scales = context.Scratch[..rows];
        Scales(in context, scales);
        var q = context.Scratch.Slice(DoublesPerRow * rows, parts.Logits.Length);
        WeightedCrossEntropy.Gradients(
            in parts, in targets, scales, q, context.InputGradient(0), hasLabels ? default : context.InputGradient(1), context.Compute);
    }

    private WeightedTargets<T> Targets<T>(ReadOnlySpan<int> labels, ReadOnlySpan<T> distributions, Span<T> scratch, int classes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var targets = new WeightedTargets<T>
        {
            Labels = labels,
            Distributions = distributions,
            ClassWeights = Weights,
            U = scratch[..classes],
            V = scratch.Slice(classes, classes),
            Smoothing = LabelSmoothing,
            IgnoreIndex = IgnoreIndex,
        };
        WeightedCrossEntropy.Prepare(in targets);
        return targets;
    }

    /// <summary>The logits of some positions, with probabilities, maxima and logarithms of sums side by side in a buffer.</summary>
    private static SoftmaxParts<T> Parts<T>(ReadOnlySpan<T> logits, Span<T> buffer, int classes)
        where T : unmanaged
    {
        var count = logits.Length / classes;
        return new()
        {
            Logits = logits,
            Probabilities = buffer[..logits.Length],
            Maxima = buffer.Slice(logits.Length, count),
            LogSums = buffer.Slice(logits.Length + count, count),
            Classes = classes,
        };
    }
}
