using System.Runtime.CompilerServices;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Activations;

/// <summary>The continuously differentiable exponential linear unit: y = x where x &gt; 0, else alpha (e^(x / alpha) - 1).</summary>
/// <remarks>Barron, arXiv:1704.07483. dx = dy where x &gt; 0 or x is NaN, else dy e^(x / alpha): 1 at 0 for every alpha.</remarks>
public readonly record struct Celu : IActivation
{
    private readonly double _alpha = 1;

    /// <summary>With alpha 1: <see cref="Elu"/>.</summary>
    public Celu() { }

    /// <summary>With another alpha.</summary>
    /// <param name="alpha">Minus the limit at -infinity: 1e-30 to 1e30.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is out of range.</exception>
    public Celu(double alpha)
    {
        SpanGuard.InFloatRange(alpha);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(alpha);
        _alpha = alpha;
    }

    /// <summary>Minus the limit at -infinity. A default value has 1.</summary>
    public double Alpha => _alpha == 0 ? 1 : _alpha;

    /// <inheritdoc/>
    public string Name => nameof(Celu);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => true;

    /// <summary>He initialization, as for the rectifier.</summary>
    public Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var lower = VectorMath.ExpMinusOne(TVector.Min(0, x) / Alpha) * Alpha;
        return TVector.Select(x <= 0, lower, x);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.Select(x <= 0, outputGradient * VectorMath.Exp(TVector.Min(0, x) / Alpha), outputGradient);
}
