using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Normal values with mean 0 and standard deviation sqrt(2 / (fan-in + fan-out)): the variance of
/// <see cref="XavierInitializer"/>.</summary>
/// <remarks>Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010,
/// eq. 12.</remarks>
public sealed class XavierNormalInitializer : Initializer
{
    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fanIn);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fanOut);
        FillNormal(values, Math.Sqrt(2 / ((double)fanIn + fanOut)), ref random);
    }
}
