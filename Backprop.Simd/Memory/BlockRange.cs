namespace Backprop.Simd.Memory;

/// <summary>A contiguous range of elements inside a flat block, such as one parameter inside all parameters.</summary>
/// <param name="Start">The first element.</param>
/// <param name="Length">The number of elements.</param>
public readonly record struct BlockRange(int Start, int Length)
{
    /// <summary>One past the last element.</summary>
    public int End => Start + Length;
}
