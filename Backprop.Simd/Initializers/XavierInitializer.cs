using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Uniform values in [-a, a) with a = sqrt(6 / (fan-in + fan-out)), for layers that feed sigmoid, tanh or nothing.</summary>
/// <remarks>Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010,
/// eq. 16.</remarks>
public sealed class XavierInitializer : Initializer
{
    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fanIn);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fanOut);
        FillUniform(values, Math.Sqrt(6 / ((double)fanIn + fanOut)), ref random);
    }
}
