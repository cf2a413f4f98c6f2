namespace Backprop.Simd.Layers;

/// <summary>What is known about a loss's divisor before a pass.</summary>
public enum LossDivisor
{
    /// <summary>The loss does not say.</summary>
    Unknown,

    /// <summary>It depends on the data: positions kept, sums of weights.</summary>
    Data,

    /// <summary>The rows of the batch, times a number that is always the same.</summary>
    Rows,

    /// <summary>Nothing: the loss is a sum.</summary>
    None,
}
