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
    }
}
