using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Gradients;

internal static partial class LayerSamples
{
    private static IEnumerable<LayerSample> Softmaxes()
    {
        foreach (var (type, rows) in ((EdgeType, int)[])[(Values(1), 2), (Values(3), 4), (Values(2, 5), 2), (Values(2, 2, 4), 2), (Values(19), 3),
            (Values(131), 2), (Shared(2, 3), 2)])
        {
            yield return new(new Softmax(), [type], rows, AwayFromZero);
            yield return new(new LogSoftmax(), [type], rows, AwayFromZero);
            yield return new(new PRelu(), [type], rows, AwayFromZero);
        }

        // Rows and sizes whose sum for the one slope does not cancel: float is compared relatively.
        yield return new(new PRelu(perChannel: false), [Values(3)], 4, AwayFromZero) { Name = "one slope " };
        yield return new(new PRelu(perChannel: false), [Values(2, 2, 4)], 2, AwayFromZero) { Name = "one slope " };
        yield return new(new PRelu(perChannel: false), [Shared(2, 3)], 2, AwayFromZero) { Name = "one slope " };
        yield return new(new PRelu(), [Values()], 3, AwayFromZero);
        yield return new(new PRelu(), [Values(530)], 3, AwayFromZero);
    }
}
