using System.Numerics;
using System.Runtime.InteropServices;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>
/// The loss that an expression of nodes computes: the mean (or sum) of one number for each row, or one number that all rows share, such
/// as a penalty on parameters. <c>graph.Loss(node)</c> places it.
/// </summary>
/// <remarks>
/// <para>Input 0 holds values [] or shared []. Input 1, if there is one, weighs each row: the mean is sum w_r l_r / sum w_r, and a row of
/// weight 0 is ignored, whatever it holds. dl_r = w_r dL / D, dw_r = (l_r - L) dL / D; of a sum, D = 1 and dw_r = l_r dL. D = 0 gives
/// loss 0 and gradient 0.</para>
/// <para>A shared number counts once, however many batches make up a step. It has no weights.</para>
/// </remarks>
public sealed class ExpressionLoss : Loss
{
    /// <summary>The sum of the weights and the mean as doubles, in elements of either type.</summary>
    private const int CachePerBatch = 4;

    /// <summary>Makes the loss.</summary>
    /// <param name="reduction">Mean or sum over the rows.</param>
    /// <exception cref="ArgumentOutOfRangeException">The reduction is neither.</exception>
    public ExpressionLoss(LossReduction reduction = LossReduction.Mean)
    {
        if (reduction is not (LossReduction.Mean or LossReduction.Sum))
            throw new ArgumentOutOfRangeException(nameof(reduction), reduction, "The reduction must be Mean or Sum.");
        Reduction = reduction;
    }

    /// <summary>How the numbers of the rows are combined.</summary>
    public LossReduction Reduction { get; }

    /// <inheritdoc/>
    public override string Kind => "expressionloss";

    /// <inheritdoc/>
    public override void Declare(LayerDeclaration declaration)
    {
        ArgumentNullException.ThrowIfNull(declaration);
        if (declaration.Inputs.Count != 2)
            declaration.RequireInputs(1);
        var type = declaration.RequireNumbers(0);
        if (type.Shape != Shape.Scalar)
        {
            throw new ArgumentException(
                $"{Kind} takes one number for each row or for the batch, such as x.Mean() or x.Sum() gives; it got {type}.", "inputs");
        }

        if (declaration.Inputs.Count == 2)
        {
            declaration.Require(0, EdgeKind.Values, 0);
            declaration.Require(1, EdgeKind.Values, 0);
        }

        declaration.Divisor = Reduction == LossReduction.Sum ? LossDivisor.None : declaration.Inputs.Count == 1 ? LossDivisor.Rows : LossDivisor.Data;
        declaration.UseCache(0, CachePerBatch);
        declaration.Traits = declaration.Inputs.Count == 1 ? LayerTraits.None : LayerTraits.ReadsInput;
        declaration.AddOutput(new EdgeType(EdgeKind.Shared, Shape.Scalar));
    }

    /// <inheritdoc/>
    public override void Forward<T>(in ForwardContext<T> context)
    {
        var losses = context.Input(0);
        var isShared = context.InputType(0).Kind == EdgeKind.Shared;
        var weights = context.InputCount == 2 ? context.Input(1) : [];
        PairwiseSum sum = default, weight = default;
        for (var row = 0; row < losses.Length; row++)
        {
            var w = !weights.IsEmpty ? double.CreateTruncating(weights[row]) : isShared && Reduction == LossReduction.Mean ? context.Rows : 1;
            sum.Add(w == 0 ? 0 : w * double.CreateTruncating(losses[row]));
            weight.Add(w);
        }

        if (Reduction == LossReduction.Mean)
            Report(in context, sum.Total, weight.Total);
        else
            ReportSum(in context, sum.Total);
        if (!context.Training)
            return;
        var cache = Doubles(context.BatchCache);
        cache[0] = weight.Total;
        cache[1] = weight.Total == 0 ? 0 : sum.Total / weight.Total;
    }

    /// <inheritdoc/>
    public override void Backward<T>(in BackwardContext<T> context)
    {
        var cache = Doubles(context.BatchCache);
        var isMean = Reduction == LossReduction.Mean;
        var seed = double.CreateTruncating(context.OutputGradient()[0]);
        var scale = !isMean || context.InputType(0).Kind == EdgeKind.Shared ? seed
            : cache[0] != 0 ? seed / cache[0] : context.IsPartOfLoss ? seed : 0;
        var dl = context.InputGradient(0);
        if (context.InputCount == 1)
        {
            for (var row = 0; row < (context.InputType(0).Kind == EdgeKind.Shared ? 1 : context.Rows); row++)
                dl.Put(row, T.CreateSaturating(scale));
            return;
        }

        ReadOnlySpan<T> losses = context.Input(0), weights = context.Input(1);
        var dw = context.InputGradient(1);
        for (var row = 0; row < losses.Length; row++)
        {
            var weight = double.CreateTruncating(weights[row]);
            dl.Put(row, T.CreateSaturating(weight == 0 ? 0 : weight * scale));
            dw.Put(row, T.CreateSaturating(isMean && cache[0] == 0 ? 0 : (double.CreateTruncating(losses[row]) - (isMean ? cache[1] : 0)) * scale));
        }
    }

    private static Span<double> Doubles<T>(Span<T> buffer) where T : unmanaged, IFloatingPointIeee754<T> => MemoryMarshal.Cast<T, double>(buffer)[..2];
}
