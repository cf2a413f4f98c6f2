using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Uniform values in [-a, a) with a = sqrt(6 / fan-in): the variance of <see cref="HeInitializer"/>.</summary>
/// <remarks>He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015, eq. 10.</remarks>
public sealed class HeUniformInitializer : Initializer
{
    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fanIn);
        FillUniform(values, Math.Sqrt(6.0 / fanIn), ref random);
    }
}
