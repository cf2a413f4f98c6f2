using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Activations;

/// <summary>The hyperbolic tangent.</summary>
/// <remarks>Saturates to exactly -1 and 1. dx = dy (1 - y^2), from the output, as (1 - y) (1 + y), which does not cancel.</remarks>
public readonly record struct Tanh : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Tanh);

    /// <inheritdoc/>
    public bool BackwardUsesInput => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<T> Forward<T>(Vector<T> x) where T : unmanaged, IFloatingPointIeee754<T> => VectorMath.Tanh(x);

    /// <inheritdoc/>
    public Vector<T> Backward<T>(Vector<T> outputGradient, Vector<T> x, Vector<T> y) where T : unmanaged, IFloatingPointIeee754<T> =>
        outputGradient * ((Vector<T>.One - y) * (Vector<T>.One + y));
}
