using System.Runtime.CompilerServices;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>L = mean over positions of -w_y x_y, for log-probabilities x [..., K] and class labels y [...].</summary>
/// <remarks>The same as PyTorch's NLLLoss: the mean divides by the sum of w_y over the positions kept; without class weights, this is their
/// number. With sample weights, w_y is multiplied by the weight of the row. dx_y = -w_y / D, 0 elsewhere. A weight of 0 never multiplies
/// an infinite log-probability. If all positions are ignored, loss and gradient are 0.</remarks>
public sealed class NegativeLogLikelihood : LabelLoss
{
    /// <summary>Makes the loss.</summary>
    /// <param name="classWeights">One weight per class, each 0 or from 1e-30 to 1e30; null for weights of 1.</param>
    /// <param name="ignoreIndex">The label of positions that are ignored; it may be negative.</param>
    /// <param name="reduction">How the losses of the rows are combined.</param>
    /// <exception cref="ArgumentException">A weight is out of range, or there is no such reduction.</exception>
    public NegativeLogLikelihood(IEnumerable<double>? classWeights = null, int ignoreIndex = -100, LossReduction reduction = LossReduction.Mean)
        : base(classWeights, ignoreIndex, reduction) { }

    /// <inheritdoc/>
    public override string Kind => "negativeloglikelihood";

    internal override LossInput Takes => LossInput.LogProbabilities;

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        DeclareScores(declaration, takesDistributions: false);
        declaration.UseCache(perRow: HasWeights(declaration.Inputs.Count) ? DoublesPerRow : 0, CachePerBatch);
        declaration.UseScratch(perRow: DoublesPerRow);
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var x = context.Input(0);
        var labels = context.Indices(1);
        var (classes, positions) = Sizes(context.InputType(0).Shape);
        ClassLabels.CountKept(labels, classes, IgnoreIndex, positions);
        var doubles = Doubles(context.Scratch, 2 * context.Rows);
        Span<double> losses = doubles[..context.Rows], denominators = doubles[context.Rows..];
        Unsafe.SkipInit(out PairwiseSum loss);
        Unsafe.SkipInit(out PairwiseSum denominator);
        for (var row = 0; row < losses.Length; row++)
        {
            loss.Clear();
            denominator.Clear();
            for (var i = row * positions; i < (row + 1) * positions; i++)
            {
                if (labels[i] == IgnoreIndex || Weight(labels[i]) == 0)
                    continue;
                loss.Add(0 - Weight(labels[i]) * double.CreateTruncating(x[i * classes + labels[i]]));
                denominator.Add(Weight(labels[i]));
            }

            (losses[row], denominators[row]) = (loss.Total, denominator.Total);
        }

        Reduce(in context, losses, denominators);
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        WeightGradient(in context);
        var labels = context.Indices(1);
        var (classes, positions) = Sizes(context.InputType(0).Shape);
        var scales = context.Scratch[..context.Rows];
        Scales(in context, scales);
        context.InputGradient(0).Zero();
        var dx = context.InputGradient(0).Adding;
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] != IgnoreIndex)
                dx.Put(i * classes + labels[i], -scales[i / positions] * T.CreateTruncating(Weight(labels[i])));
        }
    }
}
