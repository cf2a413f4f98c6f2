using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Activations;

/// <summary>The sigmoid in three straight pieces: y = (x + 3) / 6, at least 0 and at most 1.</summary>
/// <remarks>The same as PyTorch's Hardsigmoid. dx = dy / 6 where 0 &lt; y &lt; 1 or x is NaN, else exactly 0, whatever dy is: at -3 and 3 the
/// derivative is 0.</remarks>
public readonly record struct HardSigmoid : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(HardSigmoid);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Probabilities;

    /// <inheritdoc/>
    public bool BackwardUsesInput => false;

    /// <inheritdoc/>
    public static bool IsShort => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => TVector.Min(6, TVector.Max(0, x + 3)) * (1.0 / 6);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(outputGradient * (1.0 / 6), (y <= 0) | (y >= 1));
}
