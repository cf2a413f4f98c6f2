using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Gradients;

/// <content>Views.</content>
internal static partial class LayerSamples
{
    private static IEnumerable<LayerSample> Views()
    {
        yield return new(new Flatten(), [Values(2, 3, 2)], 3, Signed);
        yield return new(new Flatten(), [Values()], 2, Signed);
        yield return new(new Flatten(), [Shared(2, 3)], 2, Signed);
        yield return new(new Reshape(3, -1), [Values(2, 6)], 2, Signed);
        yield return new(new Reshape(0, -1, 2), [Values(3, 4)], 2, Signed);
        yield return new(new Squeeze(-2), [Values(3, 1, 2)], 2, Signed);
        yield return new(new Squeeze(0), [Shared(1)], 2, Signed);
        yield return new(new Unsqueeze(-1), [Values(3, 2)], 2, Signed);
        yield return new(new Unsqueeze(0), [Shared(2, 3)], 2, Signed);
        yield return new(new Reshape(), [Values(1)], 3, Signed);
        yield return new(new Slice(0, 1, 3), [Values(5)], 3, Signed);
        yield return new(new Slice(-1, 0, 2), [Values(2, 3, 4)], 2, Signed);
        yield return new(new Slice(1, 2, 1), [Values(2, 3, 4)], 2, Signed);
        yield return new(new Slice(0, 1, 1), [Shared(2, 3)], 2, Signed);
        yield return new(new CutTo(), [Values(5), Values(3, 2)], 3, Signed);
        yield return new(new CutTo(-1), [Shared(2, 4), Values(3)], 2, Signed);
        yield return new(new CutTo(1), [Values(2, 3, 4), Shared(1, 3)], 2, Signed);
    }
}
