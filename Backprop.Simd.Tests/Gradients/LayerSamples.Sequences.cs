using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Gradients;

/// <content>Recurrences and attention.</content>
internal static partial class LayerSamples
{
    private static IEnumerable<LayerSample> Sequences()
    {
        EdgeType lengths = new(EdgeKind.Indices, Shape.Scalar);
        yield return new(new Lstm(1), [Values(1, 1)], 1, Signed) { Name = "one of all " };
        yield return new(new Lstm(3), [Values(1, 2)], 3, Signed) { Name = "one step " };
        yield return new(new Lstm(5, forgetBias: 0), [Values(4, 3)], 1, Signed);
        yield return new(new Lstm(17), [Values(3, 9)], 2, Signed) { Name = "more than a register " };
        yield return new(new Lstm(3), [Values(4, 2), lengths], 4, Signed, [1, 4, 2, 3]) { Name = "lengths " };
        yield return new(new Lstm(3), [Values(3, 2), Values(3), Values(3)], 2, Signed) { Name = "initial state " };
        yield return new(new Lstm(2), [Values(5, 3), lengths, Values(2), Values(2)], 3, Signed, [2, 5, 1]) { Name = "all inputs " };
        yield return new(new Gru(1), [Values(1, 1)], 1, Signed) { Name = "one of all " };
        yield return new(new Gru(3), [Values(1, 2)], 3, Signed) { Name = "one step " };
        yield return new(new Gru(5), [Values(4, 3)], 1, Signed);
        yield return new(new Gru(17), [Values(3, 9)], 2, Signed) { Name = "more than a register " };
        yield return new(new Gru(3), [Values(4, 2), lengths], 4, Signed, [1, 4, 2, 3]) { Name = "lengths " };
        yield return new(new Gru(3), [Values(3, 2), Values(3)], 2, Signed) { Name = "initial state " };
        yield return new(new Gru(2), [Values(5, 3), lengths, Values(2)], 3, Signed, [2, 5, 1]) { Name = "all inputs " };
    }
}
