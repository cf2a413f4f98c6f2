using Backprop.Simd.Kernels;

namespace Backprop.Simd.Initializers;

/// <summary>Given values, rounded to the element type. It draws no random numbers.</summary>
/// <param name="values">The values in row-major order, as many as the parameter has elements. They are copied.</param>
public sealed class ValuesInitializer(params ReadOnlySpan<double> values) : Initializer
{
    private readonly double[] _values = values.ToArray();

    /// <summary>The values.</summary>
    public ReadOnlySpan<double> Values => _values;

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">The parameter has more or fewer elements.</exception>
    public override void Fill<T>(Span<T> values, int fanIn, int fanOut, ref Philox random)
    {
        if (values.Length != _values.Length)
            throw new ArgumentException($"There are {_values.Length} values, but the parameter has {values.Length} elements.", nameof(values));
        for (var i = 0; i < values.Length; i++)
            values[i] = T.CreateTruncating(_values[i]);
    }
}
