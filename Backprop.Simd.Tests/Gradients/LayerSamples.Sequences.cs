using Backprop.Simd.Layers;

namespace Backprop.Simd.Tests.Gradients;

/// <content>Recurrences and attention.</content>
internal static partial class LayerSamples
{
    private static IEnumerable<LayerSample> Sequences()
    {
        EdgeType lengths = new(EdgeKind.Indices, Shape.Scalar);
        foreach (var f in (RnnFunction[])[RnnFunction.Tanh, RnnFunction.Relu])
        {
            yield return new(new Rnn(1, f), [Values(1, 1)], 1, Signed) { Name = "one of all " };
            yield return new(new Rnn(17, f), [Values(3, 9)], 2, Signed) { Name = "more than a register " };
            yield return new(new Rnn(3, f), [Values(4, 2), lengths], 4, Signed, [1, 4, 2, 3]) { Name = "lengths " };
            yield return new(new Rnn(2, f), [Values(5, 3), lengths, Values(2)], 3, Signed, [2, 5, 1]) { Name = "all inputs " };
        }

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
        yield return new(new Gru(1, resetAfter: false), [Values(1, 1)], 1, Signed) { Name = "reset before, one of all " };
        yield return new(new Gru(17, resetAfter: false), [Values(3, 9)], 2, Signed) { Name = "reset before, more than a register " };
        yield return new(new Gru(3, resetAfter: false), [Values(4, 2), lengths], 4, Signed, [1, 4, 2, 3]) { Name = "reset before, lengths " };
        yield return new(new Gru(2, resetAfter: false), [Values(5, 3), lengths, Values(2)], 3, Signed, [2, 5, 1]) { Name = "reset before, all inputs " };
        foreach (var layer in (Layer[])[new Rnn(3, reverse: true), new Lstm(3, reverse: true), new Gru(3, reverse: true),
            new Gru(3, resetAfter: false, reverse: true)])
        {
            EdgeType[] states = [.. Enumerable.Repeat(Values(3), layer is Lstm ? 2 : 1)];
            yield return new(layer, [Values(4, 2)], 2, Signed) { Name = "reverse " };
            yield return new(layer, [Values(4, 2), lengths], 4, Signed, [1, 4, 2, 3]) { Name = "reverse, lengths " };
            yield return new(layer, [Values(5, 2), lengths, .. states], 3, Signed, [2, 5, 1]) { Name = "reverse, all inputs " };
        }

        yield return new(new Lstm(1, projection: 1), [Values(1, 1)], 1, Signed) { Name = "projection, one of all " };
        yield return new(new Lstm(17, projection: 9), [Values(3, 2)], 2, Signed) { Name = "projection, more than a register " };
        yield return new(new Lstm(3, projection: 5), [Values(4, 2), lengths], 4, Signed, [1, 4, 2, 3]) { Name = "projection, lengths " };
        yield return new(new Lstm(4, projection: 2), [Values(5, 3), lengths, Values(2), Values(4)], 3, Signed, [2, 5, 1]) { Name = "projection, all " };
        yield return new(new Lstm(3, reverse: true, projection: 2), [Values(5, 3), lengths, Values(2), Values(3)], 3, Signed, [2, 5, 1])
        {
            Name = "projection, reverse ",
        };
        yield return new(new MultiHeadAttention(1), [Values(1, 1)], 1, Signed) { Name = "one of all " };
        yield return new(new MultiHeadAttention(2), [Values(5, 4)], 2, Signed);
        yield return new(new MultiHeadAttention(3, causal: true), [Values(3, 6)], 1, Signed) { Name = "causal " };
        yield return new(new MultiHeadAttention(1), [Values(3, 2), Values(5, 2)], 2, Signed) { Name = "cross " };
        yield return new(new MultiHeadAttention(2, causal: true), [Values(4, 6), Values(2, 6)], 2, Signed) { Name = "causal cross " };
        yield return new(new MultiHeadAttention(2), [Values(2, 4), Values(3, 4), Values(3, 4)], 2, Signed) { Name = "three inputs " };
        yield return new(new MultiHeadAttention(1), [Values(4, 3), lengths], 3, Signed, [4, 1, 2]) { Name = "lengths " };
        yield return new(new MultiHeadAttention(2, causal: true), [Values(3, 4), Values(17, 4), lengths], 3, Signed, [3, 0, 2]) { Name = "all " };
    }
}
