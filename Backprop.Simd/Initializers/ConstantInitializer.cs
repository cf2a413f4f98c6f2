using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>One value everywhere. It draws no random numbers.</summary>
/// <param name="value">The value, rounded to the element type.</param>
public sealed class ConstantInitializer(double value) : Initializer
{
    /// <summary>The value.</summary>
    public double Value { get; } = value;

    /// <inheritdoc/>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random) => values.Fill(T.CreateTruncating(Value));
}
