namespace Backprop.Simd.Kernels;

/// <summary>What is made of a bag of rows.</summary>
public enum BagMode
{
    /// <summary>Their sum, each times its weight if there are weights.</summary>
    Sum,

    /// <summary>Their mean.</summary>
    Mean,

    /// <summary>The largest of each column.</summary>
    Max,
}
