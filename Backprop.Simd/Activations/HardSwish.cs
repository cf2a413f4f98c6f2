using System.Runtime.CompilerServices;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Activations;

/// <summary>A piecewise form of SiLU: y = x times <see cref="HardSigmoid"/>.</summary>
/// <remarks>Howard et al., arXiv:1905.02244, section 5.2. y is -0 up to -3 and x from 3 on. dx = 0 for x &lt;= -3, dy (x / 3 + 1/2)
/// between, dy for x &gt;= 3, like PyTorch's Hardswish. NaN gives NaN.</remarks>
public readonly record struct HardSwish : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(HardSwish);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <inheritdoc/>
    public static bool IsShort => true;

    /// <summary>He: large negative inputs give 0, as with the rectifier.</summary>
    public Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        // The minimum gives 0 up to -3. At -infinity, infinity times 0 would give NaN.
        var gate = TVector.Min(6, TVector.Max(0, x + 3)) * (1.0 / 6);
        return TVector.Max(-3, x) * gate;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(TVector.Select(x >= 3, outputGradient, outputGradient * TVector.MultiplyAdd(x, 1.0 / 3, 0.5)), x <= -3);
}
