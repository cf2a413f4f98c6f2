using Backprop.Simd.Data;
using Backprop.Simd.Layers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Probe;

internal static partial class Scenarios
{
    /// <summary>Batches made on the caller, epochs and their short last batches among them.</summary>
    private static Action<int> Loading(int threads) => Batches(new() { Compute = new ComputeContext(threads) });

    /// <summary>Batches made by threads in the background.</summary>
    private static Action<int> ReadingAhead(int threads) => Batches(new() { Prefetch = 4, Workers = threads });

    private static Action<int> Batches(LoaderOptions<float> options)
    {
        var set = new Dataset<float>(
            Columns.Bytes<float>("x", new Shape(Inputs), new byte[1000 * Inputs]),
            Columns.Labels("labels", new byte[1000], Classes));
        var loader = new BatchLoader<float>(set, Rows, options with { Transforms = [new GaussianNoise<float>(0.1, size: new ImageSize(Inputs / 10, 10))] });
        return step =>
        {
            if (step % 500 == 499)
                loader.Cursor = new DataCursor(step, 1);
            var batch = loader.Next();
            if (batch.Values(0).Length != batch.Rows * Inputs || batch.Indices(1)[0] != 0)
                throw new InvalidOperationException("A batch is wrong.");
        };
    }
}
