using Backprop.Simd.Layers;

namespace Backprop.Simd.Losses;

/// <summary>A layer whose one output is a number to be made small: for the batch, or without reduction for each row.</summary>
/// <remarks>Losses accumulate in double, in a fixed order. Input 0 is the prediction, input 1 the target. Those of the library have
/// a reduction and take sample weights: <see cref="ReducedLoss"/>.</remarks>
public abstract class Loss : Layer
{
    /// <inheritdoc/>
    public sealed override bool RowsAreIndependent => false;

    /// <inheritdoc/>
    public override bool BackwardUsesOutput => false;

    /// <summary>Writes the loss where the network reads it: the output in <typeparamref name="T"/>, and in double.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="context">The forward context.</param>
    /// <param name="loss">The loss of the batch.</param>
    protected static void Report<T>(in ForwardContext<T> context, double loss)
        where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        context.Output()[0] = T.CreateSaturating(loss);
        context.ReportLoss(loss);
    }
}
