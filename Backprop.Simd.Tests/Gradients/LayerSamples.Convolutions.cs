using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Gradients;

/// <content>Convolutions.</content>
internal static partial class LayerSamples
{
    private static IEnumerable<LayerSample> Convolutions()
    {
        yield return new(new Convolution2D(1, 1), [Values(1, 1, 1)], 1, Signed);
        yield return new(new Convolution2D(3, 3), [Values(5, 4, 2)], 2, Signed);
        yield return new(new Convolution2D(17, 2, padding: 1), [Values(3, 3, 3)], 2, Signed) { Name = "padded " };
        yield return new(new Convolution2D(2, 3, stride: 2, padding: 1, bias: false), [Values(5, 6, 2)], 2, Signed) { Name = "stride 2, no bias " };
        yield return new(new Convolution2D(2, new Extent(2, 1), stride: new Extent(3, 2)), [Values(6, 5, 2)], 2, Signed) { Name = "stride above kernel " };
        yield return new(new Convolution2D(4, 3, padding: new Padding(2, 0, 1, 3), dilation: 2, groups: 2), [Values(5, 6, 4)], 2, Signed)
        {
            Name = "dilation, groups ",
        };
        yield return new(new Convolution2D(3, 3, padding: 1, groups: 3), [Values(4, 4, 3)], 3, Signed) { Name = "depthwise " };
        yield return new(new Convolution2D(5, 1), [Values(3, 2, 4)], 2, Signed) { Name = "pointwise " };
        yield return new(new Convolution1D(3, 3), [Values(7, 2)], 2, Signed);
        yield return new(new Convolution1D(2, 2, padding: Padding.Sides(2, 0), dilation: 2), [Values(5, 3)], 2, Signed) { Name = "causal " };
        yield return new(new Convolution1D(4, 3, stride: 2, padding: 1, groups: 2, bias: false), [Values(6, 2)], 1, Signed)
        {
            Name = "groups, no bias ",
        };
        yield return new(new FunctionalConvolution(padding: 1), [Values(4, 3, 2), Shared(3, 2, 2, 3), Shared(3)], 2, Signed);
        yield return new(new FunctionalConvolution(2, 1, new Extent(1, 2), groups: 2), [Values(6, 4), Shared(2, 2, 4)], 2, Signed);
        yield return new(new ConvolutionTranspose2D(2, 3), [Values(3, 2, 2)], 2, Signed);
        yield return new(new ConvolutionTranspose2D(3, 3, stride: 2, padding: 1, outputPadding: 1), [Values(2, 3, 2)], 2, Signed) { Name = "stride 2 " };
        yield return new(new ConvolutionTranspose2D(4, 2, stride: 3, groups: 2, bias: false), [Values(2, 2, 2)], 2, Signed)
        {
            Name = "stride above kernel, groups ",
        };
        yield return new(new ConvolutionTranspose2D(3, 1), [Values(2, 2, 2)], 2, Signed) { Name = "pointwise " };
        yield return new(new ConvolutionTranspose2D(3, 3, groups: 3, dilation: 2), [Values(2, 3, 3)], 2, Signed) { Name = "depthwise, dilation " };
    }
}
