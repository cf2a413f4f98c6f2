using TorchSharp;
using static TorchSharp.torch;

namespace Backprop.Simd.Bench;

internal sealed partial class TorchPeer
{
    public Call? Arrays(ArrayProblem problem)
    {
        var o = problem.Operation;
        var x = Vector<float>(problem.X.Span).reshape(Array.ConvertAll(o.X, size => (long)size));
        var y = Vector<float>(problem.Y.Span).reshape(Array.ConvertAll(o.Y, size => (long)size));
        var indices = tensor(Array.ConvertAll(problem.Indices, i => (long)i));
        Func<Tensor>? operation = o.Name switch
        {
            ArrayOperation.AddRows => () => x.add(y),
            ArrayOperation.ScaleRows or ArrayOperation.ScaleChannels => () => x.mul(y),
            ArrayOperation.SumRows => () => x.sum(1),
            ArrayOperation.SumColumns => () => x.sum(0, false),
            ArrayOperation.MaxRows => () => x.amax([1]),
            ArrayOperation.LogSumExpRows => () => x.logsumexp(1),
            ArrayOperation.Transpose => () => x.t().contiguous(),
            ArrayOperation.ChannelsFirst => () => x.permute(0, 3, 1, 2).contiguous(),
            ArrayOperation.Gather => () => x.index_select(0, indices),
            ArrayOperation.ScatterAdd => () => zeros(o.Z[0], o.Z[1]).index_add_(0, indices, x, 1),
            ArrayOperation.CumulativeSum => () => x.cumsum(1),
            ArrayOperation.TopK => () => x.topk(o.Z[1], 1).values,
            // Channels last in memory, as the result here is.
            ArrayOperation.Upsample => () => nn.functional.interpolate(
                x.permute(0, 3, 1, 2), scale_factor: [2.0, 2.0], mode: InterpolationMode.Bilinear, align_corners: false).permute(0, 2, 3, 1),
            ArrayOperation.MultiplyBatch => () => x.bmm(y),
            _ => null,
        };
        if (operation is null)
            return null;
        return Inference<float>(
            () =>
            {
                using var scope = NewDisposeScope();
                return operation().MoveToOuterDisposeScope();
            },
            x, y, indices);
    }
}
