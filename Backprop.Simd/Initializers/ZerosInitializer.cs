using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Zeros, the usual rule for biases. It draws no random numbers.</summary>
public sealed class ZerosInitializer : Initializer
{
    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random) => values.Clear();
}
