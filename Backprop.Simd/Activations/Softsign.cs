using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Activations;

/// <summary>Softsign: y = x / (1 + |x|).</summary>
/// <remarks>Turian, Bergstra and Bengio 2009; the same as PyTorch's Softsign. Saturates to exactly -1 and 1. dx = dy / (1 + |x|)^2.</remarks>
public readonly record struct Softsign : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Softsign);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        // From 1e30 on, the quotient rounds to 1. Infinity over infinity would give NaN.
        var a = TVector.Min(1e30, TVector.Abs(x));
        a /= a + 1;
        return TVector.Select(TVector.Create(-0.0), x, a);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector>
    {
        var d = 1 / (TVector.Abs(x) + 1);
        return outputGradient * (d * d);
    }
}
