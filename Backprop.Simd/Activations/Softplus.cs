using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Activations;

/// <summary>Softplus, the smooth rectifier: y = ln(1 + e^(beta x)) / beta; y = x where beta x exceeds the threshold.</summary>
/// <remarks>The same as PyTorch's Softplus. Relatively accurate in the negative tail; 0 at -infinity. dx = dy / (1 + e^(-beta x)), dx = dy
/// where beta x exceeds the threshold.</remarks>
public readonly record struct Softplus : IActivation
{
    /// <summary>With beta 1 and threshold 20.</summary>
    public Softplus() : this(1) { }

    /// <summary>With another beta or threshold.</summary>
    /// <param name="beta">The sharpness, 1e-30 to 1e30.</param>
    /// <param name="threshold">Where beta x is larger, y = x: 0, or 1e-30 to 1e30 in size.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of range.</exception>
    public Softplus(double beta, double threshold = 20)
    {
        SpanGuard.PositiveFinite(beta);
        SpanGuard.InFloatRange(beta);
        SpanGuard.InFloatRange(threshold);
        Beta = beta;
        Threshold = threshold;
    }

    /// <summary>The sharpness.</summary>
    public double Beta { get; }

    /// <summary>Where beta x is larger, y = x.</summary>
    public double Threshold { get; }

    /// <inheritdoc/>
    public string Name => nameof(Softplus);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var scaled = x * Beta;
        return TVector.Select(scaled > Threshold, x, VectorMath.Softplus(scaled) / Beta);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector>
    {
        var scaled = x * Beta;
        return TVector.Select(scaled > Threshold, outputGradient, outputGradient * VectorMath.Sigmoid(scaled));
    }
}
