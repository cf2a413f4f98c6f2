using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Gradients;

/// <content>Normalizations: data so far apart that a variance is of order 1.</content>
internal static partial class LayerSamples
{
    private static IEnumerable<LayerSample> Normalizations()
    {
        yield return new(new BatchNormalization(), [Values(3)], 6, AwayFromZero);
        yield return new(new BatchNormalization(epsilon: 0.5), [Values(1)], 2, AwayFromZero) { Name = "two values " };
        yield return new(new BatchNormalization(affine: false), [Values(2, 5)], 4, AwayFromZero) { Name = "without affine " };
        yield return new(new BatchNormalization(), [Values(3, 2, 5)], 2, AwayFromZero);
        yield return new(new BatchNormalization(), [Values(70)], 5, AwayFromZero) { Name = "several strips " };
        yield return new(new BatchNormalization(), [Values(2, 2, 3, 1)], 1, AwayFromZero) { Name = "one row " };
    }
}
