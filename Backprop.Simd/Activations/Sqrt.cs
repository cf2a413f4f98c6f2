using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Activations;

/// <summary>The square root, correctly rounded; NaN of negative numbers.</summary>
/// <remarks>dx = dy / (2 y), from the output: at 0 it is infinite for a dy that is not 0, and NaN for 0, as PyTorch's.</remarks>
public readonly record struct Sqrt : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Sqrt);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => false;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => TVector.Sqrt(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        outputGradient / (y + y);
}
