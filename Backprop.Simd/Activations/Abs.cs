using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Activations;

/// <summary>y = |x|.</summary>
/// <remarks>dx = dy sign(x): 0 at 0 and at NaN, as PyTorch's.</remarks>
public readonly record struct Abs : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Abs);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <inheritdoc/>
    public static bool IsShort => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => TVector.Abs(x);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.Select(x > 0, outputGradient, (x < 0) & -outputGradient);
}
