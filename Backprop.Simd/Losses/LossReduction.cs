namespace Backprop.Simd.Losses;

/// <summary>What a loss makes of the losses of its rows.</summary>
public enum LossReduction
{
    /// <summary>Their weighted mean: one number for the batch. What it divides by is said by each loss.</summary>
    Mean,

    /// <summary>Their weighted sum: one number for the batch.</summary>
    Sum,

    /// <summary>
    /// Nothing: the output is one number per row, times its weight; their sum is <see cref="Sum"/>. Such an output cannot be made
    /// the loss of a graph, but it may be an output whose gradients the caller gives.
    /// </summary>
    None,
}
