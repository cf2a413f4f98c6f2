using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Activations;

/// <summary>The logistic function: y = 1 / (1 + e^-x).</summary>
/// <remarks>Saturates to exactly 0 and 1. dx = dy y (1 - y), from the output.</remarks>
public readonly record struct Sigmoid : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Sigmoid);

    /// <inheritdoc/>
    public bool BackwardUsesInput => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<T> Forward<T>(Vector<T> x) where T : unmanaged, IFloatingPointIeee754<T> => VectorMath.Sigmoid(x);

    /// <inheritdoc/>
    public Vector<T> Backward<T>(Vector<T> outputGradient, Vector<T> x, Vector<T> y) where T : unmanaged, IFloatingPointIeee754<T> =>
        outputGradient * (y * (Vector<T>.One - y));
}
