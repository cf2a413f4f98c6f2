using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Losses;

/// <summary>
/// L = mean over positions of -sum_c q_c log softmax(x)_c, for logits x [..., K] and class labels [...] or target distributions
/// [..., K]: one position for [K], one for each time step of [T, K].
/// </summary>
/// <remarks>
/// <para>With a label y: q = w * ((1 - s) onehot(y) + s / K), and the mean divides by the sum of w_y over the positions kept;
/// without class weights, this is their number. With a distribution t: q = w * ((1 - s) t + s / K), and the mean divides by the
/// positions. w are the class weights, s the label smoothing; both as in PyTorch's CrossEntropyLoss. Sample weights multiply
/// both parts.</para>
/// <para>-log softmax(x)_c is (max - x_c) + log(sum), which does not cancel. Positions labelled <see cref="LabelLoss.IgnoreIndex"/>
/// add nothing and have zero gradient. If all are ignored, loss and gradient are 0. A zero q never multiplies an infinite logit.
/// Gradient: dx = (p sum(q) - q) / D, with D the denominator of the mean.</para>
/// </remarks>
public sealed partial class SoftmaxCrossEntropy : LabelLoss
{
    /// <summary>The number of losses in a block. A block is summed in four chains; blocks are then added pairwise.</summary>
    private const int SumBlock = 512;

    /// <summary>Makes the loss.</summary>
    /// <param name="classWeights">One weight per class, each 0 or from 1e-30 to 1e30; null for weights of 1.</param>
    /// <param name="labelSmoothing">s, in [0, 1).</param>
    /// <param name="ignoreIndex">The label of positions that are ignored; it may be negative.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentException">A weight is out of range, or there is no such reduction.</exception>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="labelSmoothing"/> is outside [0, 1).</exception>
    public SoftmaxCrossEntropy(
        IEnumerable<double>? classWeights = null, double labelSmoothing = 0, int ignoreIndex = -100, LossReduction reduction = LossReduction.Mean)
        : base(classWeights, ignoreIndex, reduction)
    {
        if (!(labelSmoothing is >= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(labelSmoothing), labelSmoothing, "Label smoothing must be in [0, 1).");
        LabelSmoothing = labelSmoothing;
    }

    /// <summary>The part of each target that is spread evenly over all classes.</summary>
    public double LabelSmoothing { get; }

    /// <inheritdoc/>
    public override string Kind => "softmaxcrossentropy";

    internal override LossInput Takes => LossInput.Logits;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        var (classes, positions) = DeclareScores(declaration, takesDistributions: true);
        var size = classes * positions;
        if (IsPlain(declaration.Inputs.Count, declaration.Inputs[1].Kind))
        {
            declaration.UseCache(perRow: size, CachePerBatch);
            declaration.UseScratch(perRow: positions);
            return;
        }

        // Cache: what weights need, the probabilities, maximum and log-sum. Scratch: sums as doubles or scales, and the same
        // again where nothing is cached; of the batch, three rows of classes.
        declaration.UseCache(perRow: DoublesPerRow + size + 2L * positions, CachePerBatch);
        declaration.UseScratch(perRow: DoublesPerRow + size + 2L * positions, perBatch: 3L * classes);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var (classes, positions) = Sizes(context.InputType(0).Shape);
        var x = new ReadOnlyMatrix<T>(context.Input(0), context.Rows * positions, classes);
        if (IsPlain(context.InputCount, context.InputType(1).Kind))
            PlainForward(in context, x, positions);
        else
            GeneralForward(in context, x, positions);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        if (IsPlain(context.InputCount, context.InputType(1).Kind))
        {
            // Forward has written the gradient for a loss of weight 1.
            context.InputGradient(0).Scale(context.Cache, context.OutputGradient()[0]);
            return;
        }

        WeightGradient(in context);
        GeneralBackward(in context);
    }

    /// <summary>Whether there are labels and one number for the batch, without class weights, smoothing and sample weights.</summary>
    private bool IsPlain(int inputs, EdgeKind targets) =>
        !HasClassWeights && LabelSmoothing == 0 && targets == EdgeKind.Indices && IsUniform(inputs);

    /// <summary>The losses, and in training the whole gradient.</summary>
    private void PlainForward<T>(in ForwardContext<T> context, ReadOnlyMatrix<T> x, int positions)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var labels = context.Indices(1);
        var kept = ClassLabels.CountKept(labels, x.Columns, IgnoreIndex, positions);
        var losses = context.Scratch[..x.Rows];
        var scale = Reduction == LossReduction.Sum ? T.One : kept == 0 ? T.Zero : T.One / T.CreateTruncating(kept);
        var gradient = context.Training ? new Matrix<T>(context.Cache, x.Rows, x.Columns) : default;
        CrossEntropyKernels.CrossEntropyUnchecked(x, labels, scale, losses, gradient, IgnoreIndex, context.Compute);

        var sum = default(PairwiseSum);
        for (ReadOnlySpan<T> rest = losses; !rest.IsEmpty; rest = rest[Math.Min(SumBlock, rest.Length)..])
            sum.Add(Sum(rest[..Math.Min(SumBlock, rest.Length)]));
        Finish(in context, sum.Total, kept);
    }

    /// <summary>Four chains of additions, in double.</summary>
    private static double Sum<T>(ReadOnlySpan<T> losses)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        double a = 0, b = 0, c = 0, d = 0;
        for (; losses.Length >= 4; losses = losses[4..])
        {
            a += double.CreateTruncating(losses[0]);
            b += double.CreateTruncating(losses[1]);
            c += double.CreateTruncating(losses[2]);
            d += double.CreateTruncating(losses[3]);
        }

        foreach (var loss in losses)
            a += double.CreateTruncating(loss);
        return a + b + (c + d);
    }
}
