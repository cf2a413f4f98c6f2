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
        foreach (var sample in (IEnumerable<LayerSample>)[.. Attentions(), .. Positions()])
            yield return sample;
    }

    private static IEnumerable<LayerSample> Attentions()
    {
        EdgeType queries = Values(3, 4), mask = new(EdgeKind.Indices, new Shape(3, 3)), keys = new(EdgeKind.Indices, new Shape(5));
        yield return new(new MultiHeadAttention(2), [queries, Values(5, 3), Values(5, 1)], 2, Signed) { Name = "sizes " };
        yield return new(new MultiHeadAttention(4, keyValueHeads: 2), [queries], 2, Signed) { Name = "groups " };
        yield return new(new MultiHeadAttention(4, true, null, 1), [queries, Values(2, 3)], 2, Signed) { Name = "one group, causal " };
        yield return new(new MultiHeadAttention(2), [queries, mask], 2, Signed, [1, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1]) { Name = "mask " };
        yield return new(new MultiHeadAttention(2), [queries, Values(5, 4), keys], 2, Signed, [1, 0, 1, 1, 0, 0, 0, 1, 0, 1]) { Name = "mask of keys " };
        yield return new(new MultiHeadAttention(2), [queries, Values(2, 3, 3)], 2, Signed) { Name = "bias " };
        yield return new(new MultiHeadAttention(2, causal: true), [queries, Values(5, 4), Shared(3, 5)], 3, Signed) { Name = "shared bias " };
        yield return new(new MultiHeadAttention(2), [queries, Values(5, 4), Shared(5)], 3, Signed) { Name = "bias of keys " };
        yield return new(new MultiHeadAttention(2, dropout: 0.3), [queries, Values(5, 4), Values(1, 1, 5)], 2, Signed) { Name = "dropout " };
        yield return new(new MultiHeadAttention(2, keyValueHeads: 1, rotary: new RotaryPositions()), [Values(3, 8), Values(5, 3)], 2, Signed)
        {
            Name = "rotary ",
        };
        yield return new(new MultiHeadAttention(2, rotary: new RotaryPositions(interleaved: true)), [queries], 2, Signed) { Name = "interleaved " };
        yield return new(new MultiHeadAttention(2, causal: true, weights: true), [queries, Shared(3)], 2, Signed) { Name = "weights " };
        yield return new(new MultiHeadAttention(2, dropout: 0.3, weights: true), [queries], 2, Signed) { Name = "dropped weights " };
    }

    private static IEnumerable<LayerSample> Positions()
    {
        EdgeType first = new(EdgeKind.Indices, Shape.Scalar);
        yield return new(new AttentionMemory(4), [Values(3, 5)], 3, Signed);
        yield return new(new AttentionMemory(4), [Values(3, 5), Values(3, 2)], 2, Signed);
        yield return new(new MultiHeadAttention(2, projected: true), [Values(4, 6), Values(3, 6), Values(3, 6)], 2, Signed) { Name = "projected " };
        yield return new(new MultiHeadAttention(4, keyValueHeads: 2, projected: true), [Values(1, 8), Values(5, 4), Values(5, 4)], 3, Signed)
        { Name = "projected groups " };
        yield return new(new AttentionStep(2), [Values(1, 4), Values(3, 4), Values(3, 4), first], 3, Signed, [0, 3, 2]);
        yield return new(new AttentionStep(4, null, 2, new RotaryPositions()), [Values(1, 8), Values(5, 4), Values(5, 4), first], 2, Signed, [4, 1])
        {
            Name = "rotary ",
        };
        yield return new(new RotaryPositions(), [Values(3, 4)], 2, Signed);
        yield return new(new RotaryPositions(2, 100), [Values(3, 68)], 2, Signed) { Name = "more than a register " };
        yield return new(new RotaryPositions(2, interleaved: true), [Values(3, 8), first], 2, Signed, [0, 7]) { Name = "interleaved " };
        yield return new(new RotaryPositions(), [Values(1, 4), first], 3, Signed, [5, 0, 2]) { Name = "one step " };
        yield return new(new SinusoidalPositions(), [Values(3, 4)], 2, Signed);
        yield return new(new SinusoidalPositions(50), [Values(2, 5), first], 2, Signed, [3, 0]) { Name = "odd " };
        yield return new(new LearnedPositions(3), [Values(3, 4)], 2, Signed);
        yield return new(new LearnedPositions(7), [Values(3, 4)], 2, Signed) { Name = "longer " };
        yield return new(new LearnedPositions(7), [Values(3, 4), first], 3, Signed, [4, 0, 2]) { Name = "first " };
    }
}
