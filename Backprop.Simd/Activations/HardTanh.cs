using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Activations;

/// <summary>A piecewise linear form of tanh: y = x, at least low and at most high.</summary>
/// <remarks>Collobert, 2004. dx = dy where low &lt; x &lt; high, as PyTorch's: at the bounds it is 0, where <see cref="Clip"/> has dy.
/// NaN gives NaN, and dx = dy there. A default value has both bounds 0.</remarks>
public readonly record struct HardTanh : IActivation
{
    /// <summary>With the bounds -1 and 1.</summary>
    public HardTanh() : this(-1, 1) { }

    /// <summary>With bounds. An infinite bound bounds nothing; a low bound above the high bound gives the high bound everywhere.</summary>
    /// <param name="low">The least output, at most 1e30 in size, or infinite.</param>
    /// <param name="high">The largest output, at most 1e30 in size, or infinite.</param>
    /// <exception cref="ArgumentOutOfRangeException">A bound is NaN, or finite and larger than 1e30.</exception>
    public HardTanh(double low, double high)
    {
        Clip.CheckBound(low, nameof(low));
        Clip.CheckBound(high, nameof(high));
        Low = low;
        High = high;
    }

    /// <summary>The least output.</summary>
    public double Low { get; }

    /// <summary>The largest output.</summary>
    public double High { get; }

    /// <inheritdoc/>
    public string Name => nameof(HardTanh);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <inheritdoc/>
    public static bool IsShort => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => TVector.Min(High, TVector.Max(Low, x));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.AndNot(outputGradient, (x <= Low) | (x >= High));
}
