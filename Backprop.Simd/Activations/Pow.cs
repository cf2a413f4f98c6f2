using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Activations;

/// <summary>A power with a constant exponent: y = x^p.</summary>
/// <remarks>As C99's pow: NaN where x is negative and p no integer; x^0 = 1 everywhere. dx = dy p x^(p - 1), as PyTorch's: infinite at 0
/// for p between 0 and 1, and 0 everywhere for p = 0. Exponents 1, 2 and 3 are products. A default value has the exponent 0.</remarks>
public readonly record struct Pow : IActivation
{
    /// <summary>With an exponent.</summary>
    /// <param name="exponent">p: 0, or 1e-30 to 1e30 in size.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="exponent"/> is out of range.</exception>
    public Pow(double exponent)
    {
        SpanGuard.InFloatRange(exponent);
        Exponent = exponent;
    }

    /// <summary>p.</summary>
    public double Exponent { get; }

    /// <inheritdoc/>
    public string Name => nameof(Pow);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector> => Power(x, Exponent);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        Exponent == 0 ? TVector.Zero : outputGradient * (Power(x, Exponent - 1) * Exponent);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector Power<TVector>(TVector x, double exponent) where TVector : struct, ISimdVector<TVector>
    {
        if (exponent == 1)
            return x;
        if (exponent == 2)
            return x * x;
        return exponent == 3 ? x * x * x : VectorMath.Pow(x, TVector.Create(exponent));
    }
}
