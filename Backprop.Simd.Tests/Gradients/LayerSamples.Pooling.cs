using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Gradients;

/// <content>Poolings.</content>
internal static partial class LayerSamples
{
    private static IEnumerable<LayerSample> Poolings()
    {
        yield return new(new MaxPooling2D(2), [Values(4, 6, 3)], 2, Distinct);
        yield return new(new MaxPooling2D(2), [Values(5, 5, 19)], 2, Distinct) { Name = "rest, two registers " };
        yield return new(new MaxPooling2D(3, stride: 2, padding: 1), [Values(5, 6, 2)], 2, Distinct) { Name = "overlapping " };
        yield return new(new MaxPooling2D(3, stride: 1, padding: 1), [Values(4, 3, 17)], 2, Distinct) { Name = "overlapping, two registers " };
        yield return new(new MaxPooling2D(2, stride: new Extent(3, 2), ceiling: true), [Values(4, 5, 5)], 1, Distinct) { Name = "ceiling " };
        yield return new(new AveragePooling2D(2), [Values(4, 6, 3)], 2, Signed);
        yield return new(new AveragePooling2D(3, stride: 2, padding: 1), [Values(5, 6, 17)], 2, Signed) { Name = "overlapping " };
        yield return new(new AveragePooling2D(3, stride: 2, padding: 1, ceiling: true, includePadding: false), [Values(4, 4, 2)], 2, Signed)
        {
            Name = "real cells ",
        };
        yield return new(new GlobalAveragePooling2D(), [Values(3, 5, 19)], 2, Signed);
        yield return new(new AdaptiveAveragePooling2D(new Extent(3, 2)), [Values(7, 4, 3)], 2, Signed);
        yield return new(new AdaptiveMaxPooling2D(new Extent(3, 2)), [Values(7, 4, 3)], 2, Signed);
        yield return new(new AdaptiveMaxPooling2D(new Extent(3, 4)), [Values(5, 6, 17)], 2, Signed) { Name = "wide " };
        yield return new(new AdaptiveMaxPooling2D(5), [Values(3, 2, 17)], 1, Signed) { Name = "more bins than cells " };
        yield return new(new AdaptiveMaxPooling1D(3), [Values(8, 4)], 2, Signed);
        yield return new(new AdaptiveAveragePooling2D(5), [Values(3, 2, 17)], 1, Signed) { Name = "more bins than cells " };
    }

    /// <summary>Numbers in (-1, 1) in a random order, far from each other for a central difference.</summary>
    private static void Distinct(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var j = random.Integer(0, i);
            values[i] = values[j];
            values[j] = 2.0 * i / values.Length - 1;
        }
    }
}
