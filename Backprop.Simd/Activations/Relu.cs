using System.Numerics;
using Backprop.Simd.Initializers;

namespace Backprop.Simd.Activations;

/// <summary>The rectifier: y = x where x &gt; 0, else 0.</summary>
/// <remarks>ReLU(NaN) = NaN, ReLU(-0.0) = +0. The derivative at 0 is 0: dx = dy where x &gt; 0 or x is NaN, else exactly 0,
/// whatever dy is.</remarks>
public readonly record struct Relu : IActivation
{
    /// <inheritdoc/>
    public string Name => nameof(Relu);

    /// <inheritdoc/>
    public bool BackwardUsesInput => false;

    /// <summary>He: half of the outputs are 0.</summary>
    public Initializer? PreferredInitializer => Initialize.He;

    /// <inheritdoc/>
    public Vector<T> Forward<T>(Vector<T> x) where T : unmanaged, IFloatingPointIeee754<T> =>
        Vector.AndNot(x, Vector.LessThanOrEqual(x, Vector<T>.Zero));

    /// <inheritdoc/>
    public Vector<T> Backward<T>(Vector<T> outputGradient, Vector<T> x, Vector<T> y) where T : unmanaged, IFloatingPointIeee754<T> =>
        Vector.AndNot(outputGradient, Vector.LessThanOrEqual(y, Vector<T>.Zero));
}
