using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Zeros; draws nothing. The rule for biases.</summary>
public sealed class ZerosInitializer : Initializer
{
    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random) => values.Clear();
}
