using Backprop.Simd.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Backprop.Simd.Bench;

internal sealed partial class TorchPeer
{
    /// <summary>LibTorch's layout is [batch, C, H, W] and [F, C / groups, kh, kw]; the conversions are not timed.</summary>
    public Call? Convolution(ConvProblem problem)
    {
        var (p, s) = (problem, problem.Shape);
        var x = ChannelsFirst(p.X, p.Batch, s.Height, s.Width, s.Channels).requires_grad_(!p.IsFirst);
        using var w0 = tensor(p.W).reshape(s.Kernel.Height, s.Kernel.Width, s.Channels / s.Groups, s.Filters);
        var w = w0.permute(3, 2, 0, 1).contiguous().requires_grad_();
        var dy = ChannelsFirst(p.Gradient, p.Batch, s.OutputHeight, s.OutputWidth, s.Filters);
        double[]? output = null;
        long[] strides = [s.Stride.Height, s.Stride.Width], padding = [s.Padding.Top, s.Padding.Left], dilation = [s.Dilation.Height, s.Dilation.Width];
        void Run()
        {
            using var scope = NewDisposeScope();
            var y = nn.functional.conv2d(x, w, null, strides, padding, dilation, s.Groups);
            x.grad = null;
            w.grad = null;
            y.backward([dy]);
            output ??= Read<float>(y.permute(0, 2, 3, 1).reshape(-1));
        }

        return new Call(Run, Result, x, w, dy);

        double[] Result() =>
        [
            .. output!,
            .. p.IsFirst ? [] : Read<float>(x.grad!.permute(0, 2, 3, 1).reshape(-1)),
            .. Read<float>(w.grad!.permute(2, 3, 1, 0).reshape(-1)),
        ];
    }

    public Call? TrainConvolutional(ConvNetworkProblem problem)
    {
        var p = problem;
        var network = ConvNetworkProblem.Build();
        var x = tensor(p.X).reshape(p.Batch, 1, 28, 28);
        var labels = tensor(Array.ConvertAll(p.Labels, l => (long)l));
        using var filters = tensor(network.ParameterOf("convolution2d1.weight").ToArray()).reshape(5, 5, 1, 30);

        // Rows of the first affine layer are in the order H, W, C here and C, H, W there.
        using var first = tensor(network.ParameterOf("affine1.weight").ToArray()).reshape(12, 12, 30, 100);
        using var second = tensor(network.ParameterOf("affine2.weight").ToArray()).reshape(100, 10);
        Parameter[] parameters =
        [
            new(filters.permute(3, 2, 0, 1).contiguous()), new(zeros(30)),
            new(first.permute(3, 2, 0, 1).reshape(100, 4320).contiguous()), new(zeros(100)),
            new(second.t().contiguous()), new(zeros(10)),
        ];
        var optimizer = optim.Adam(parameters, ConvNetworkProblem.LearningRate);
        Tensor Loss()
        {
            var y = nn.functional.conv2d(x, parameters[0], parameters[1]).relu_();
            y = nn.functional.linear(nn.functional.max_pool2d(y, 2).flatten(1), parameters[2], parameters[3]).relu_();
            return nn.functional.cross_entropy(nn.functional.linear(y, parameters[4], parameters[5]), labels);
        }

        return Training(Loss, parameters, optimizer, [x, labels]);
    }

    private static Tensor ChannelsFirst(float[] values, int batch, int height, int width, int channels)
    {
        using var last = tensor(values).reshape(batch, height, width, channels);
        return last.permute(0, 3, 1, 2).contiguous();
    }
}
