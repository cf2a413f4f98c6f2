using System.Numerics;
using System.Runtime.InteropServices;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>A loss that sums over rows, with a reduction. If it has one more input than it needs, this is a weight for each row.</summary>
/// <remarks>
/// <para>With row losses l_r, weights w_r (1 without that input) and denominators c_r (the elements of a row, unless the loss says
/// otherwise): Sum = sum w_r l_r; Mean = Sum / D with D = sum w_r c_r; None gives w_r l_r for each row.</para>
/// <para>Sample weights are values of rank 0, the last input: input 2 of most losses. A loss element by element also takes a weight for
/// each position or element there: see <see cref="ElementwiseLoss"/>. A row of weight 0 is ignored, whatever it holds. If D is 0, loss and
/// gradients are 0. The gradient of a weight is (l_r - c_r Mean) / D, or l_r.</para>
/// </remarks>
public abstract class ReducedLoss : Loss
{
    /// <summary>D and the mean as doubles, in elements of either type.</summary>
    private protected const int CachePerBatch = 4;

    /// <summary>l_r and c_r as doubles, in elements of either type.</summary>
    private protected const int DoublesPerRow = 4;

    private protected ReducedLoss(LossReduction reduction)
    {
        if (!Enum.IsDefined(reduction))
            throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "The reduction must be Mean, Sum or None.");
        Reduction = reduction;
    }

    /// <summary>How the losses of the rows are combined.</summary>
    public LossReduction Reduction { get; }

    /// <summary>The input that holds weights, if it is there: the one behind what the loss compares.</summary>
    private protected virtual int WeightInput => 2;

    /// <summary>Whether one of so many inputs holds weights.</summary>
    private protected bool HasWeights(int inputs) => inputs > WeightInput;

    /// <summary>Whether all rows count the same: there are no weights, and the output is one number for the batch.</summary>
    private protected bool IsUniform(int inputs) => !HasWeights(inputs) && Reduction != LossReduction.None;

    /// <summary>Checks the number of inputs and the weights, and declares the output.</summary>
    private protected void DeclareReduction(LayerDeclaration declaration)
    {
        var count = declaration.Inputs.Count;
        if (count != WeightInput && count != WeightInput + 1)
            throw new ArgumentException($"{Kind} takes {WeightInput} inputs, or {WeightInput + 1} with sample weights; it got {count}.", "inputs");
        if (HasWeights(count))
            RequireWeights(declaration);
        declaration.Divisor = Reduction != LossReduction.Mean ? LossDivisor.None
            : !HasWeights(count) && CountsAllOf(declaration.Inputs[1]) ? LossDivisor.Rows : LossDivisor.Data;
        declaration.Traits = LayerTraits.ReadsInput;
        declaration.AddOutput(new EdgeType(Reduction == LossReduction.None ? EdgeKind.Values : EdgeKind.Shared, Shape.Scalar));
    }

    /// <summary>Throws unless the weights have the shape of weights.</summary>
    private protected virtual void RequireWeights(LayerDeclaration declaration) => declaration.Require(WeightInput, EdgeKind.Values, 0);

    /// <summary>What kind of numbers the predictions must be.</summary>
    internal virtual LossInput Takes => LossInput.Numbers;

    /// <summary>The type of the target input that a chain makes, for predictions of a shape.</summary>
    internal virtual EdgeType TargetOf(Shape predictions) => new(EdgeKind.Values, predictions);

    /// <summary>Whether all rows without sample weights add the same number to the denominator of the mean, whatever the targets are.</summary>
    private protected virtual bool CountsAllOf(EdgeType targets) => true;

    /// <summary>The first elements of a buffer as doubles.</summary>
    private protected static Span<double> Doubles<T>(Span<T> buffer, int count)
        where T : unmanaged => MemoryMarshal.Cast<T, double>(buffer)[..count];

    /// <summary>Writes the output from l_r and c_r. With weights, it keeps what backward needs in the first elements of the row cache. Where
    /// each position has a weight, r counts positions.</summary>
    private protected void Reduce<T>(in ForwardContext<T> context, ReadOnlySpan<double> losses, ReadOnlySpan<double> denominators)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var weights = HasWeights(context.InputCount) ? context.Input(WeightInput) : [];
        PairwiseSum sum = default, denominator = default, part = default;
        var perRow = losses.Length / context.Rows;
        for (var row = 0; row < losses.Length; row++)
        {
            var weight = weights.IsEmpty ? 1 : double.CreateTruncating(weights[row]);
            var loss = weight == 0 ? 0 : weight * losses[row];
            if (Reduction == LossReduction.None && perRow == 1)
            {
                context.Output()[row] = T.CreateSaturating(loss);
            }
            else if (Reduction == LossReduction.None)
            {
                part.Add(loss);
                if ((row + 1) % perRow == 0)
                {
                    context.Output()[row / perRow] = T.CreateSaturating(part.Total);
                    part.Clear();
                }
            }

            sum.Add(loss);
            denominator.Add(weight == 0 ? 0 : weight * denominators[row]);
        }

        if (context.Training && !weights.IsEmpty)
        {
            losses.CopyTo(Doubles(context.Cache, losses.Length));
            denominators.CopyTo(Doubles(context.Cache, 2 * losses.Length)[losses.Length..]);
        }

        if (Reduction != LossReduction.None)
            Finish(in context, sum.Total, denominator.Total);
    }

    /// <summary>Writes Mean or Sum.</summary>
    private protected void Finish<T>(in ForwardContext<T> context, double sum, double denominator)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Reduction == LossReduction.Mean)
            Report(in context, sum, denominator);
        else
            ReportSum(in context, sum);
        if (!context.Training)
            return;
        var cache = Doubles(context.BatchCache, 2);
        cache[0] = denominator;
        cache[1] = denominator == 0 ? 0 : sum / denominator;
    }

    /// <summary>The gradient of each l_r of a row of weight 1, for Mean and Sum.</summary>
    private protected T Scale<T>(in BackwardContext<T> context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Reduction == LossReduction.Sum)
            return context.OutputGradient()[0];
        var denominator = Doubles(context.BatchCache, 1)[0];
        if (denominator == 0)
            return context.IsPartOfLoss ? context.OutputGradient()[0] : T.Zero;
        return T.CreateSaturating(double.CreateTruncating(context.OutputGradient()[0]) / denominator);
    }

    /// <summary>The gradient of each l_r.</summary>
    private protected void Scales<T>(in BackwardContext<T> context, Span<T> scales)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var weights = HasWeights(context.InputCount) ? context.Input(WeightInput) : [];
        var perRow = scales.Length / context.Rows;
        if (Reduction == LossReduction.None && perRow == 1)
            context.OutputGradient().CopyTo(scales);
        else if (Reduction == LossReduction.None)
            for (var row = 0; row < context.Rows; row++)
                scales.Slice(row * perRow, perRow).Fill(context.OutputGradient()[row]);
        else
            scales.Fill(Scale(in context));
        for (var row = 0; row < weights.Length; row++)
            scales[row] = T.IsZero(weights[row]) ? T.Zero : scales[row] * weights[row];
    }

    /// <summary>The gradients of the weights.</summary>
    private protected void WeightGradient<T>(in BackwardContext<T> context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var dw = HasWeights(context.InputCount) ? context.InputGradient(WeightInput) : default;
        if (dw.IsEmpty)
            return;
        var rows = context.Input(WeightInput).Length;
        var perRow = rows / context.Rows;
        var cache = Doubles(context.Cache, 2 * rows);
        var seeds = context.OutputGradient();
        var batch = Reduction == LossReduction.None ? default : Doubles(context.BatchCache, 2);
        for (var row = 0; row < rows; row++)
        {
            var seed = double.CreateTruncating(seeds[Reduction == LossReduction.None ? row / perRow : 0]);
            var gradient = Reduction != LossReduction.Mean ? cache[row]
                : batch[0] == 0 ? 0
                : (cache[row] - cache[rows + row] * batch[1]) / batch[0];
            dw.Put(row, T.CreateSaturating(seed * gradient));
        }
    }
}
