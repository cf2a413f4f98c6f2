namespace Backprop.Simd.Layers;

/// <summary>What a loss divides by, as far as it is known before a pass.</summary>
internal enum LossDivisor
{
    /// <summary>What the data decide, as far as anybody knows.</summary>
    Data,

    /// <summary>A number for each row, the same for all rows.</summary>
    Rows,

    /// <summary>Nothing: a sum.</summary>
    None,
}
