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
        yield return new(new LayerNormalization(), [Values(5)], 3, AwayFromZero);
        yield return new(new LayerNormalization(), [Values(3, 17)], 2, AwayFromZero);
        yield return new(new LayerNormalization(2), [Values(2, 3, 4)], 2, AwayFromZero) { Name = "two dimensions " };
        yield return new(new LayerNormalization(epsilon: 0.1, affine: false), [Values(2, 9)], 2, AwayFromZero) { Name = "without affine " };
        yield return new(new LayerNormalization(3, bias: false), [Values(2, 2, 2)], 1, AwayFromZero) { Name = "without bias " };
        yield return new(new RmsNormalization(), [Values(5)], 3, AwayFromZero);
        yield return new(new RmsNormalization(epsilon: 0.5), [Values(1)], 2, AwayFromZero) { Name = "one value " };
        yield return new(new RmsNormalization(2), [Values(2, 3, 7)], 2, AwayFromZero) { Name = "two dimensions " };
        yield return new(new RmsNormalization(epsilon: 0.1, affine: false), [Values(19)], 2, AwayFromZero) { Name = "without affine " };
        yield return new(new GroupNormalization(2), [Values(6)], 2, AwayFromZero);
        yield return new(new GroupNormalization(1), [Values(3, 4)], 2, AwayFromZero) { Name = "one group " };
        yield return new(new GroupNormalization(3), [Values(3, 2, 3)], 2, AwayFromZero) { Name = "instances " };
        yield return new(new Normalize([0.5, -2, 100], [3, -0.1, 1.0 / 3]), [Values(2, 3)], 3, AwayFromZero);
        yield return new(new Normalize([0.1], [0.7]), [Values(5)], 2, AwayFromZero) { Name = "one pair " };
        yield return new(new Normalize([.. Enumerable.Range(0, 70)], [.. Enumerable.Range(0, 70).Select(i => 0.1 * i)]), [Values(7, 10)], 2, AwayFromZero)
        {
            Name = "each element ",
        };
        yield return new(new Denormalize([0.5, -2, 100], [3, -0.1, 1.0 / 3]), [Values(2, 3)], 3, AwayFromZero);
        yield return new(new Denormalize([0.1], [0.7]), [Values()], 2, AwayFromZero) { Name = "one number " };
        yield return new(new Denormalize([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, -6]), [Values(3, 2)], 2, AwayFromZero) { Name = "each element " };
        yield return new(new GroupNormalization(2, 0.1, affine: false), [Values(4, 70)], 1, AwayFromZero) { Name = "several strips " };
    }
}
