using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Probe;

/// <content>Sizes of images, pooling of sequences, bags, blocks, noise.</content>
internal static partial class Scenarios
{
    private static Action<int> Vision(int threads)
    {
        var graph = new GraphBuilder();
        var (image, bag, lengths) = (graph.Input("x", 6, 6, 8), graph.IndexInput("bag", 200), graph.IndexInput("lengths"));
        var y = image.MaxPooling2D(2, stride: 1, dilation: 2).SeparableConvolution2D(12, 3, padding: 1, multiplier: 2).InstanceNormalization().Relu();
        y = y.Upsample(1.5, mode: ResizeMode.Bilinear).SqueezeExcite(4).SpatialDropout(0.2).PixelUnshuffle(2).PixelShuffle(2).Upsample(outputs: 4);
        y = y.Residual(b => b.GaussianNoise(0.1).Convolution2D(12, 1)).GaussianDropout(0.1).AlphaDropout(0.1);
        y += y.WeightNormalizedConvolution2D("filters", 12, 3, padding: 1) + y.AdaptiveMaxPooling2D(3).Upsample(outputs: 4);
        var line = y.Reshape(16, 12).WeightNormalizedConvolution1D("line", 12, 1);
        line = line.ConvolutionTranspose1D(8, 3, stride: 2).MaxPooling1D(3, dilation: 2).AveragePooling1D(2);
        var both = line.GlobalMaxPooling1D(lengths) + line.GlobalAveragePooling1D(lengths) + y.GlobalMaxPooling2D().WeightNormalizedAffine("map", 8);
        both += bag.EmbeddingBag(50, 8, BagMode.Max, lengths) + bag.EmbeddingBag(50, 8, BagMode.Sum)
            + bag.EmbeddingBag(50, 8, lengths: lengths, paddingIndex: 3);
        both += both.Noise() + both.Noise(NoiseDistribution.Uniform) * both.Noise(NoiseDistribution.Bernoulli, 0.5);
        both.Affine(Classes).SoftmaxCrossEntropy();
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(6, compute: new ComputeContext(threads));
        var sgd = new Sgd<float>(network.Parameters.Length, 1e-4);
        return step =>
        {
            workspace.Rows = step % 5 == 4 ? 2 : 6;
            var input = workspace.Input("x");
            for (var i = 0; i < input.Length; i++)
                input[i] = (i * 7 + step) % 11 * 0.1f;
            var indices = workspace.IndexInput("bag");
            for (var i = 0; i < indices.Length; i++)
                indices[i] = (i * i + step) % 50;
            workspace.IndexInput("lengths").Fill(1 + step % 5);
            workspace.IndexInput("labels").Fill(step % Classes);
            if (!double.IsFinite(network.Step(workspace, sgd)))
                throw new InvalidOperationException("The loss is not finite.");
        };
    }
}
