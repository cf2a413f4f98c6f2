using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>A layer whose one output is a number to be made small: for the batch, or without reduction for each row.</summary>
/// <remarks>Losses accumulate in double, in a fixed order. Input 0 is the prediction, input 1 the target. Those of the library have
/// a reduction and take sample weights: <see cref="ReducedLoss"/>. Forward reports the loss with <see cref="Report"/> or
/// <see cref="ReportSum"/>, so that the loss over several batches is that of all their rows.</remarks>
public abstract class Loss : Layer
{
    internal sealed override bool IsLoss => true;

    /// <summary>Writes a loss that is a mean where the network reads it: the output in <typeparamref name="T"/>, and its parts in double.
    /// The loss is numerator / denominator, or 0 where the denominator is 0.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="context">The forward context.</param>
    /// <param name="numerator">The sum over the rows of the batch.</param>
    /// <param name="denominator">What the mean divides it by: for a mean over rows their number, for weighted rows the sum of the weights.</param>
    protected static void Report<T>(in ForwardContext<T> context, double numerator, double denominator)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => Write(in context, LossParts.Mean(numerator, denominator));

    /// <summary>Writes a loss that is a sum over rows, and is not divided, where the network reads it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="context">The forward context.</param>
    /// <param name="sum">The sum over the rows of the batch.</param>
    protected static void ReportSum<T>(in ForwardContext<T> context, double sum)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => Write(in context, LossParts.Sum(sum));

    private static void Write<T>(in ForwardContext<T> context, LossParts loss)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        context.Output()[0] = T.CreateSaturating(loss.Value);
        context.ReportLoss(loss);
    }
}
