using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Normal values with mean 0 and standard deviation sqrt(2 / fan-in), for layers that feed ReLU-like activations.</summary>
/// <remarks>He, Zhang, Ren and Sun, "Delving deep into rectifiers", ICCV 2015, eq. 10.</remarks>
public sealed class HeInitializer : Initializer
{
    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(fanIn);
        FillNormal(values, Math.Sqrt(2.0 / fanIn), ref random);
    }
}
