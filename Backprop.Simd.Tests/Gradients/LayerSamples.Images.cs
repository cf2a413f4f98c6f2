using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Gradients;

/// <content>Sizes of images.</content>
internal static partial class LayerSamples
{
    private static IEnumerable<LayerSample> ImageSizes()
    {
        yield return new(new Upsample(2), [Values(2, 3, 5)], 2, Signed);
        yield return new(new Upsample(outputs: new Extent(5, 2)), [Values(3, 4, 19)], 2, Signed) { Name = "nearest " };
        yield return new(new Upsample(1.7, mode: ResizeMode.Bilinear), [Values(3, 2, 3)], 2, Signed) { Name = "bilinear " };
        yield return new(new Upsample(outputs: 4, mode: ResizeMode.Bilinear, alignCorners: true), [Values(2, 3, 17)], 2, Signed) { Name = "aligned " };
        yield return new(new Upsample(3, mode: ResizeMode.NearestExact), [Values(3, 5)], 2, Signed) { Name = "sequence " };
        yield return new(new PixelShuffle(2), [Values(2, 3, 12)], 2, Signed);
        yield return new(new PixelShuffle(3, blocksFirst: true), [Values(2, 1, 18)], 2, Signed) { Name = "blocks first " };
        yield return new(new PixelUnshuffle(2), [Values(4, 2, 3)], 2, Signed);
        yield return new(new PixelUnshuffle(2, blocksFirst: true), [Values(2, 4, 17)], 2, Signed) { Name = "blocks first " };
    }

    private static IEnumerable<LayerSample> MorePoolings()
    {
        yield return new(new MaxPooling2D(2, stride: 1, padding: 1, dilation: 2), [Values(4, 5, 3)], 2, Distinct) { Name = "dilated " };
        yield return new(new MaxPooling2D(new Extent(2, 3), new Extent(2, 1), 1, true, new Extent(3, 2)), [Values(5, 6, 17)], 2, Distinct)
        {
            Name = "dilated, two registers ",
        };
        yield return new(new MaxPooling1D(2), [Values(5, 3)], 2, Distinct);
        yield return new(new MaxPooling1D(3, 2, Padding.Sides(1, 2), true, 2), [Values(7, 19)], 2, Distinct) { Name = "dilated " };
        yield return new(new AveragePooling1D(2), [Values(4, 3)], 2, Signed);
        yield return new(new AveragePooling1D(3, 2, 1, ceiling: true, includePadding: false), [Values(6, 17)], 2, Signed) { Name = "real steps " };
        yield return new(new GlobalMaxPooling2D(), [Values(3, 2, 3)], 2, Distinct);
        yield return new(new GlobalMaxPooling2D(), [Values(2, 4, 19)], 2, Distinct) { Name = "two registers " };
        yield return new(new GlobalAveragePooling1D(), [Values(5, 3)], 2, Signed);
        yield return new(new GlobalAveragePooling1D(), [Values(5, 19), Labels], 3, Signed, [5, 1, 3]) { Name = "lengths " };
        yield return new(new GlobalMaxPooling1D(), [Values(5, 19)], 2, Distinct);
        yield return new(new GlobalMaxPooling1D(), [Values(5, 3), Labels], 3, Distinct, [4, 1, 2]) { Name = "lengths " };
    }

    private static IEnumerable<LayerSample> Bags()
    {
        EdgeType bag = Indices(3);
        int[] indices = [1, 4, 1, 0, 2, 3];
        foreach (var mode in Enum.GetValues<BagMode>())
        {
            yield return new(new EmbeddingBag(5, 3, mode), [bag], 2, Signed, indices) { Name = $"{mode} " };
            yield return new(new EmbeddingBag(5, 17, mode), [bag, Labels], 2, Signed, indices) { Name = $"{mode}, lengths ", Lengths = [2, 0] };
            yield return new(new EmbeddingBag(5, 4, mode, paddingIndex: 1), [bag], 2, Signed, indices) { Name = $"{mode}, padding " };
        }

        yield return new(new EmbeddingBag(5, 3, BagMode.Sum), [bag, Values(3)], 2, Signed, indices) { Name = "weighted " };
        yield return new(new EmbeddingBag(5, 9, BagMode.Sum, Initialize.Xavier, 4), [bag, Labels, Values(3)], 2, Signed, indices)
        {
            Name = "weighted, lengths, padding ",
            Lengths = [3, 1],
        };
        yield return new(new EmbeddingBag(3, 2, BagMode.Mean), [Indices(300)], 1, Signed, [.. Enumerable.Range(0, 300).Select(i => i % 3)]) { Name = "long " };
    }

    private static IEnumerable<LayerSample> Noises()
    {
        foreach (var (type, rows) in ElementwiseTypes())
        {
            yield return new(new GaussianNoise(0.5), [type], rows, Signed);
            yield return new(new GaussianNoise(0), [type], rows, Signed) { Name = "none " };
            yield return new(new GaussianDropout(0.4), [type], rows, Signed);
            yield return new(new GaussianDropout(0), [type], rows, Signed) { Name = "none " };
            yield return new(new AlphaDropout(0.4), [type], rows, Signed);
            yield return new(new AlphaDropout(0), [type], rows, Signed) { Name = "none " };
            yield return new(new AlphaDropout(1), [type], rows, Signed) { Name = "all " };
            yield return new(new Noise(), [type], rows, Signed);
            yield return new(new Noise(NoiseDistribution.Uniform, -1, 3), [type], rows, Signed) { Name = "uniform " };
            yield return new(new Noise(NoiseDistribution.Bernoulli, 0.3, 2), [type], rows, Signed) { Name = "Bernoulli " };
        }

        yield return new(new SpatialDropout(0.4), [Values(3, 2, 5)], 3, Signed);
        yield return new(new SpatialDropout(0.5), [Values(4, 19)], 3, Signed) { Name = "sequence " };
        yield return new(new SpatialDropout(0), [Values(4, 3)], 2, Signed) { Name = "none " };
        yield return new(new SpatialDropout(1), [Values(4, 3)], 2, Signed) { Name = "all " };
        yield return new(new GaussianNoise(0.1), [Values(701)], 2, Signed) { Name = "long " };
    }

    private static IEnumerable<LayerSample> LineTransposes()
    {
        yield return new(new ConvolutionTranspose1D(2, 3), [Values(4, 3)], 2, Signed);
        yield return new(new ConvolutionTranspose1D(6, 3, 2, Padding.Sides(1, 0), 1, 2, 2, bias: false), [Values(5, 4)], 2, Signed) { Name = "options " };
    }
}
