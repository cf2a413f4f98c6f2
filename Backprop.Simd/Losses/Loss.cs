using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>A layer whose one output is to be minimized: one number for the batch or, without reduction, for each row.</summary>
/// <remarks>Losses accumulate in double, in a fixed order. Input 0 is the prediction, input 1 the target. The losses of the library
/// have a reduction and take sample weights: <see cref="ReducedLoss"/>. Forward calls <see cref="Report"/> or <see cref="ReportSum"/>;
/// with the numbers reported, the losses of several batches add up to the loss over all their rows.</remarks>
public abstract class Loss : Layer
{
    internal sealed override bool IsLoss => true;

    /// <summary>Reports a loss that is a mean: writes the output in <typeparamref name="T"/>, and keeps the parts in double. The loss is
    /// numerator / denominator, or 0 if the denominator is 0.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="context">The forward context.</param>
    /// <param name="numerator">The sum over the rows of the batch.</param>
    /// <param name="denominator">What the mean divides by: the number of rows, or the sum of their weights.</param>
    protected static void Report<T>(in ForwardContext<T> context, double numerator, double denominator)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T> => Write(in context, LossParts.Mean(numerator, denominator));

    /// <summary>Reports a loss that is a sum over rows and is not divided.</summary>
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
