using System.Runtime.CompilerServices;
using Backprop.Simd.Initializers;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Activations;

/// <summary>The exponential linear unit: y = x where x &gt; 0, else alpha (e^x - 1).</summary>
/// <remarks>Clevert, Unterthiner and Hochreiter, arXiv:1511.07289, equation 15. dx = dy where x &gt; 0 or x is NaN, else
/// dy (y + alpha): at 0 the derivative is alpha. With a positive alpha the output has the sign of the input, and the backward
/// pass reads the output only.</remarks>
public readonly record struct Elu : IActivation
{
    /// <summary>With alpha 1.</summary>
    public Elu() : this(1) { }

    /// <summary>With another alpha.</summary>
    /// <param name="alpha">Minus the limit at -infinity: 0, or 1e-30 to 1e30 in size.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="alpha"/> is out of range.</exception>
    public Elu(double alpha)
    {
        SpanGuard.InFloatRange(alpha);
        Alpha = alpha;
    }

    /// <summary>Minus the limit at -infinity.</summary>
    public double Alpha { get; }

    /// <inheritdoc/>
    public string Name => nameof(Elu);

    /// <inheritdoc/>
    public OutputMeaning Meaning => OutputMeaning.Numbers;

    /// <inheritdoc/>
    public bool BackwardUsesInput => !(Alpha > 0);

    /// <summary>He initialization, as for the rectifier.</summary>
    public Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Forward<TVector>(TVector x) where TVector : struct, ISimdVector<TVector>
    {
        var lower = VectorMath.ExpMinusOne(TVector.Min(0, x)) * Alpha;
        return TVector.Select(x <= 0, lower, x);
    }

    /// <inheritdoc/>
    public TVector Backward<TVector>(TVector outputGradient, TVector x, TVector y) where TVector : struct, ISimdVector<TVector> =>
        TVector.Select(x <= 0, outputGradient * (y + Alpha), outputGradient);
}
