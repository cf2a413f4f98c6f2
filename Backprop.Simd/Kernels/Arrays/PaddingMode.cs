namespace Backprop.Simd.Kernels;

/// <summary>What lies around an array that is padded.</summary>
public enum PaddingMode
{
    /// <summary>One number.</summary>
    Constant,

    /// <summary>The nearest element of the array.</summary>
    Edge,

    /// <summary>The array as in a mirror at its first and its last element, which are not repeated.</summary>
    Reflect,
}
