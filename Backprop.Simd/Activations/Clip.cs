using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Activations;

/// <summary>y = x, at least low and at most high.</summary>
/// <remarks>dx = dy where low &lt;= x &lt;= high, at the bounds too, as PyTorch's clamp; else 0, also where x is NaN. A default value has
/// both bounds 0.</remarks>
public readonly record struct Clip : IActivation
{
    /// <summary>With bounds. An infinite bound bounds nothing; a low bound above the high bound gives the high bound everywhere.</summary>
    /// <param name="low">The least output, at most 1e30 in size, or infinite.</param>
    /// <param name="high">The largest output, at most 1e30 in size, or infinite.</param>
    /// <exception cref="ArgumentOutOfRangeException">A bound is NaN, or finite and larger than 1e30.</exception>
    public Clip(double low, double high)
    {
        CheckBound(low, nameof(low));
        CheckBound(high, nameof(high));
        Low = low;
        High = high;
    }

    /// <summary>The least output.</summary>
    public double Low { get; }

    /// <summary>The largest output.</summary>
    public double High { get; }

    /// <inheritdoc/>
    public string Name => nameof(Clip);

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
        outputGradient & (x >= Low) & (x <= High);

    /// <summary>Throws unless a bound is infinite or at most 1e30 in size.</summary>
    internal static void CheckBound(double bound, string name)
    {
        if (!double.IsInfinity(bound) && !(Math.Abs(bound) <= 1e30))
            throw new ArgumentOutOfRangeException(name, bound, $"'{name}' must be infinite or at most 1e30 in size, so that float holds it.");
    }
}
