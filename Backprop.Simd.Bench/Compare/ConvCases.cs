using Backprop.Simd.Kernels;

namespace Backprop.Simd.Bench;

/// <summary>Convolutions: a whole training step, and one layer forward and backward.</summary>
internal static class ConvCases
{
    public static IEnumerable<Case> All()
    {
        yield return new StepCase(100);
        yield return new StepCase(32);
        yield return new LayerCase("3x3 32->64 of 14x14 B=32", new ConvolutionShape(14, 14, 32, 64, 3, padding: 1), 32);
        yield return new LayerCase("5x5 1->30 of 28x28 B=100", new ConvolutionShape(28, 28, 1, 30, 5), 100, isFirst: true);
        yield return new LayerCase("3x3 64->64 of 28x28 B=16", new ConvolutionShape(28, 28, 64, 64, 3, padding: 1), 16);
        yield return new LayerCase("3x3 64->128 stride 2 of 28x28 B=16", new ConvolutionShape(28, 28, 64, 128, 3, 2, 1), 16);
        yield return new LayerCase("1x1 128->128 of 14x14 B=16", new ConvolutionShape(14, 14, 128, 128, 1), 16);
        yield return new LayerCase("3x3 depthwise 64 of 28x28 B=16", new ConvolutionShape(28, 28, 64, 64, 3, padding: 1, groups: 64), 16);
    }

    private sealed class StepCase(int batch) : Case
    {
        public override string Area => "conv";

        public override string Name => $"28x28x1-30(5x5)-pool-100-10 relu adam B={batch}";

        public override string Type => "float";

        public override double Operations => batch * ConvNetworkProblem.OperationsPerImage;

        public override PreparedCase Prepare() => new Prepared(new ConvNetworkProblem(batch));

        private sealed class Prepared(ConvNetworkProblem problem) : PreparedCase
        {
            public override Call? CallOf(IPeer peer) => peer.TrainConvolutional(problem);

            public override string? Verify(double[] result) => problem.Verify(result);
        }
    }

    private sealed class LayerCase(string name, ConvolutionShape shape, int batch, bool isFirst = false) : Case
    {
        public override string Area => "conv";

        public override string Name => $"{name} forward, {(isFirst ? "" : "dX, ")}dW";

        public override string Type => "float";

        public override double Operations => (isFirst ? 2 : 3) * batch * shape.Operations;

        public override PreparedCase Prepare() => new Prepared(new ConvProblem(shape, batch, isFirst));

        private sealed class Prepared(ConvProblem problem) : PreparedCase
        {
            public override Call? CallOf(IPeer peer) => peer.Convolution(problem);

            public override string? Verify(double[] result) => problem.Verify(result);
        }
    }
}
