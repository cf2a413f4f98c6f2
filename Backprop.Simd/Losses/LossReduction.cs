namespace Backprop.Simd.Losses;

/// <summary>How a loss combines the losses of the rows.</summary>
public enum LossReduction
{
    /// <summary>Their weighted mean: one number for the batch. Each loss says what the mean divides by.</summary>
    Mean,

    /// <summary>Their weighted sum: one number for the batch.</summary>
    Sum,

    /// <summary>
    /// No reduction: the output is one number per row, times the row's weight; these numbers add up to <see cref="Sum"/>. Such an
    /// output cannot be the loss of a graph, but the caller can give its gradients.
    /// </summary>
    None,
}
