using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>
/// L = mean over rows of -sum_c q_c log softmax(x)_c, for logits x [K] and class labels or target distributions.
/// </summary>
/// <remarks>
/// <para>With a label y: q = w * ((1 - s) onehot(y) + s / K), and the mean divides by the sum of w_y over the rows kept, which
/// is their number without class weights. With a distribution t: q = w * ((1 - s) t + s / K), and the mean divides by the
/// rows. w are the class weights, s the label smoothing; both as PyTorch's CrossEntropyLoss.</para>
/// <para>-log softmax(x)_c is (max - x_c) + log(sum), which does not cancel. Rows labelled <see cref="IgnoreIndex"/> add
/// nothing and have zero gradient; if all are, loss and gradient are 0. A zero q never multiplies an infinite logit. Gradient:
/// dx = (p sum(q) - q) / D, with D the denominator of the mean.</para>
/// </remarks>
public sealed class SoftmaxCrossEntropy : Loss
{
    private readonly double[]? _classWeights;

    /// <summary>Makes the loss.</summary>
    /// <param name="classWeights">One weight per class, each 0 or from 1e-30 to 1e30; null for ones.</param>
    /// <param name="labelSmoothing">s, from 0 up to, not including, 1.</param>
    /// <param name="ignoreIndex">The label of rows that take no part; it may be negative.</param>
    /// <exception cref="ArgumentException">A weight is another number.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="labelSmoothing"/> is outside [0, 1).</exception>
    public SoftmaxCrossEntropy(IEnumerable<double>? classWeights = null, double labelSmoothing = 0, int ignoreIndex = -100)
    {
        _classWeights = classWeights?.ToArray();
        foreach (var weight in _classWeights ?? [])
        {
            if (weight != 0 && weight is not (>= 1e-30 and <= 1e30))
                throw new ArgumentException($"Class weights are 0 or between 1e-30 and 1e30, so that float holds them; got {weight}.", nameof(classWeights));
        }

        if (!(labelSmoothing is >= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(labelSmoothing), labelSmoothing, "Label smoothing lies in [0, 1).");
        LabelSmoothing = labelSmoothing;
        IgnoreIndex = ignoreIndex;
    }

    /// <summary>The share of each target that is spread evenly over all classes.</summary>
    public double LabelSmoothing { get; }

    /// <summary>The label of rows that take no part.</summary>
    public int IgnoreIndex { get; }

    /// <summary>One weight per class; empty for ones.</summary>
    public IReadOnlyList<double> ClassWeights => _classWeights ?? [];

    /// <inheritdoc/>
    public override string Kind => "softmaxcrossentropy";

    private bool IsPlain => _classWeights is null && LabelSmoothing == 0;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        declaration.RequireInputs(2);
        var classes = declaration.Require(0, EdgeKind.Values, 1).Size;
        if (declaration.Inputs[1].Kind == EdgeKind.Indices)
            declaration.Require(1, EdgeKind.Indices, 0);
        else
            declaration.RequireSame(0, 1);
        if (_classWeights is not null && _classWeights.Length != classes)
            throw new ArgumentException($"{Kind} has {_classWeights.Length} class weights for {classes} classes.", nameof(declaration));
        declaration.UseCache(perRow: classes, perBatch: 1);
        declaration.UseScratch(perRow: classes + 2);
        declaration.AddOutput(new EdgeType(EdgeKind.Shared, Shape.Scalar));
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var x = context.InputMatrix(0);
        var (rows, classes) = (x.Rows, x.Columns);
        var hasLabels = context.InputType(1).Kind == EdgeKind.Indices;
        if (hasLabels && IsPlain)
        {
            PlainForward(in context, x);
            return;
        }

        var denominator = hasLabels ? Denominator(context.Indices(1), classes) : rows;
        var scratch = context.Scratch;
        var maxima = scratch[..rows];
        var logSums = scratch.Slice(rows, rows);
        var probabilities = context.KeepsCache ? context.Cache : scratch.Slice(2 * rows, rows * classes);
        SoftmaxCrossEntropyKernels.SoftmaxWithLogSumExp(x, new(probabilities, rows, classes), maxima, logSums, context.Compute);

        var sum = 0.0;
        for (var row = 0; row < rows; row++)
        {
            var logits = x.Span.Slice(row * classes, classes);
            var max = double.CreateTruncating(maxima[row]);
            var logSum = double.CreateTruncating(logSums[row]);
            if (hasLabels)
            {
                var label = context.Indices(1)[row];
                if (label == IgnoreIndex)
                    continue;
                if (Weight(label) != 0)
                    sum += (1 - LabelSmoothing) * Weight(label) * (max - double.CreateTruncating(logits[label]) + logSum);
                if (LabelSmoothing == 0)
                    continue;
            }

            for (var c = 0; c < classes; c++)
            {
                var target = hasLabels ? 0 : double.CreateTruncating(context.Input(1)[row * classes + c]);
                var q = Weight(c) * ((1 - LabelSmoothing) * target + LabelSmoothing / classes);
                if (q != 0)
                    sum += q * (max - double.CreateTruncating(logits[c]) + logSum);
            }
        }

        Report(in context, denominator == 0 ? 0 : sum / denominator);
        if (context.KeepsCache)
            context.BatchCache[0] = T.CreateSaturating(denominator);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var hasLabels = context.InputType(1).Kind == EdgeKind.Indices;
        var dx = context.InputGradient(0);
        if (hasLabels && IsPlain)
        {
            // Forward has left the gradient by a loss of weight 1.
            ContextKernels.Scaled(context.Cache, context.OutputGradient()[0], dx, context.Compute);
            return;
        }

        var denominator = context.BatchCache[0];
        var scale = T.IsZero(denominator) ? T.Zero : context.OutputGradient()[0] / denominator;
        var classes = context.InputType(0).Shape.Size;
        if (!dx.IsEmpty)
            Gradient(in context, hasLabels, classes, scale, dx);

        var dt = hasLabels ? default : context.InputGradient(1);
        if (dt.IsEmpty)
            return;

        // By the targets: dt_c = w_c (1 - s) (-log p_c) / D, recomputed from the logits.
        var logits = context.Input(0);
        for (var row = 0; row < context.Rows; row++)
        {
            var x = logits.Slice(row * classes, classes);
            var max = Reductions.Max(x);
            var total = 0.0;
            foreach (var value in x)
                total += Math.Exp(double.CreateTruncating(value - max));
            for (var c = 0; c < classes; c++)
            {
                var weight = Weight(c) * (1 - LabelSmoothing);
                var nll = double.CreateTruncating(max - x[c]) + Math.Log(total);
                dt.Put(row * classes + c, weight == 0 ? T.Zero : scale * T.CreateTruncating(weight * nll));
            }
        }
    }

    private double Weight(int label) => _classWeights is null ? 1 : _classWeights[label];

    /// <summary>The rows kept, or the sum of their weights. Throws at a label that is neither a class nor ignored.</summary>
    private double Denominator(ReadOnlySpan<int> labels, int classes)
    {
        var kept = ClassLabels.CountKept(labels, classes, IgnoreIndex);
        if (_classWeights is null)
            return kept;
        var sum = 0.0;
        foreach (var label in labels)
        {
            if (label != IgnoreIndex)
                sum += Weight(label);
        }

        return sum;
    }

    /// <summary>Labels without weights or smoothing: the losses, and in training the whole gradient.</summary>
    private void PlainForward<T>(in ForwardContext<T> context, ReadOnlyMatrix<T> x)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var labels = context.Indices(1);
        var kept = ClassLabels.CountKept(labels, x.Columns, IgnoreIndex);
        var losses = context.Scratch[..x.Rows];
        var scale = kept == 0 ? T.Zero : T.One / T.CreateTruncating(kept);
        var gradient = context.KeepsCache ? new Matrix<T>(context.Cache, x.Rows, x.Columns) : default;
        SoftmaxCrossEntropyKernels.CrossEntropyUnchecked(x, labels, scale, losses, gradient, IgnoreIndex, context.Compute);

        // Four chains of additions, in double.
        double a = 0, b = 0, c = 0, d = 0;
        while (losses.Length >= 4)
        {
            a += double.CreateTruncating(losses[0]);
            b += double.CreateTruncating(losses[1]);
            c += double.CreateTruncating(losses[2]);
            d += double.CreateTruncating(losses[3]);
            losses = losses[4..];
        }

        foreach (var loss in losses)
            a += double.CreateTruncating(loss);
        Report(in context, kept == 0 ? 0 : (a + b + (c + d)) / kept);
    }

    private void Gradient<T>(in BackwardContext<T> context, bool hasLabels, int classes, T scale, GradientTarget<T> dx)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ReadOnlySpan<T> probabilities = context.Cache;
        for (var row = 0; row < context.Rows; row++)
        {
            var label = hasLabels ? context.Indices(1)[row] : -1;
            var ignored = hasLabels && label == IgnoreIndex;
            var total = 0.0;
            for (var c = 0; c < classes && !ignored; c++)
                total += Target(in context, hasLabels, label, row, c, classes);
            for (var c = 0; c < classes; c++)
            {
                var i = row * classes + c;
                dx.Put(i, ignored ? T.Zero : scale * (probabilities[i] * T.CreateTruncating(total)
                    - T.CreateTruncating(Target(in context, hasLabels, label, row, c, classes))));
            }
        }
    }

    /// <summary>q_c of a row.</summary>
    private double Target<T>(in BackwardContext<T> context, bool hasLabels, int label, int row, int c, int classes)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var smoothed = LabelSmoothing / classes;
        if (!hasLabels)
            return Weight(c) * ((1 - LabelSmoothing) * double.CreateTruncating(context.Input(1)[row * classes + c]) + smoothed);

        // The label's own share is weighted by its class, the spread share by each class's own.
        return (c == label ? (1 - LabelSmoothing) * Weight(label) : 0) + Weight(c) * smoothed;
    }
}
