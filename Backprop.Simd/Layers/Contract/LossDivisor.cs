namespace Backprop.Simd.Layers;

/// <summary>What a loss divides by, as far as it is known before a pass.</summary>
public enum LossDivisor
{
    /// <summary>The loss does not say.</summary>
    Unknown,

    /// <summary>What the data decide: positions kept, sums of weights.</summary>
    Data,

    /// <summary>The rows of the batch, times a number that is always the same.</summary>
    Rows,

    /// <summary>Nothing: the loss is a sum.</summary>
    None,
}
