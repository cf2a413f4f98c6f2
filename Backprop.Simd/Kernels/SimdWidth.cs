using System.Numerics;
using System.Runtime.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Which register width the kernels use.</summary>
internal enum SimdWidth
{
    /// <summary>The widest that the hardware has and the columns of a product fill.</summary>
    Widest,

    /// <summary><see cref="Vector{T}"/>.</summary>
    Portable,

    /// <summary><see cref="System.Runtime.Intrinsics.Vector128{T}"/>.</summary>
    Bits128,

    /// <summary><see cref="System.Runtime.Intrinsics.Vector256{T}"/>.</summary>
    Bits256,

    /// <summary><see cref="System.Runtime.Intrinsics.Vector512{T}"/>.</summary>
    Bits512,
}
