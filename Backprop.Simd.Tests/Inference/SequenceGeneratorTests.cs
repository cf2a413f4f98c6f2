using System.Numerics;
using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Inference;

/// <summary>One position at a time gives what the whole pass gives.</summary>
public sealed class SequenceGeneratorTests
{
    private const int Steps = 13, Vocabulary = 11, Rows = 3;

    public static TheoryData<string> Models =>
    [
        "learned", "sinusoidal", "rotary", "grouped", "tied", "after",
        "recurrent", "reset before", "slopes", "decoder", "translate", "states", "masked", "context",
        "shared with memory", "shared with what is not needed", "read",
    ];

    [Theory, MemberData(nameof(Models))]
    public void Positions_agree_with_the_whole_pass(string model)
    {
        Agrees<float>(model, 1e-5);
        Agrees<double>(model, 1e-12);
    }

    [Theory, InlineData("rotary"), InlineData("recurrent"), InlineData("decoder"), InlineData("translate")]
    public void The_same_bits_for_any_number_of_threads(string model)
    {
        float[]? expected = null;
        foreach (var threads in TestThreads.Counts)
        {
            using var compute = TestThreads.Create(threads);
            var generator = new SequenceGenerator<float>(Make(model).CreateNetwork<float>(seed: 4), Rows, compute: compute, tokens: "tokens");
            Fill(model, generator.Input, generator.IndexInput);
            List<float> actual = [];
            for (var t = 0; t < Steps; t++)
                actual.AddRange(generator.Next(Token(0, t), Token(1, t), Token(2, t)));
            expected ??= [.. actual];
            Bits.AssertEqual<float>(expected, actual.ToArray(), $"{threads} threads");
        }
    }

    [Fact]
    public void After_Reset_it_begins_again_and_Update_takes_new_parameters()
    {
        var network = Make("learned").CreateNetwork<float>(seed: 4);
        var generator = new SequenceGenerator<float>(network);
        var first = generator.Next(3).ToArray();
        var second = generator.Next(3).ToArray();
        Assert.NotEqual(first, second);
        Assert.Equal(2, generator.Length);
        generator.Reset();
        Assert.Equal(0, generator.Length);
        Assert.Equal(first, generator.Next(3).ToArray());
        network.Parameters.Clear();
        Assert.Equal(second, generator.Next(3).ToArray());
        generator.Update();
        Assert.All(generator.Next(3).ToArray(), v => Assert.Equal(0, v));
    }

    [Fact]
    public void A_sequence_may_be_longer_than_the_networks_unless_positions_are_learned()
    {
        var generator = new SequenceGenerator<double>(Make("rotary").CreateNetwork<double>(seed: 4), maximumLength: 20);
        for (var t = 0; t < 20; t++)
            Assert.All(generator.Next(t % Vocabulary).ToArray(), v => Assert.True(double.IsFinite(v)));
        Assert.Contains("20 positions", Assert.Throws<InvalidOperationException>(() => { generator.Next(0); }).Message, StringComparison.Ordinal);
        var learned = new SequenceGenerator<double>(Make("learned").CreateNetwork<double>(seed: 4), maximumLength: 20);
        for (var t = 0; t < Steps; t++)
            learned.Next(0);
        Assert.Contains($"between 0 and {Steps - 1}", Assert.Throws<ArgumentException>(() => { learned.Next(0); }).Message, StringComparison.Ordinal);
        Assert.Equal(Steps, learned.Length);
    }

    [Fact]
    public void What_cannot_be_computed_by_positions_is_named()
    {
        Refuses("'lstm1', a lstm layer, cannot compute one position at a time: it does not say",
            g => g.IndexInput("tokens", 4).Embedding(9, 4).Apply(new Lstm(4, reverse: true)));
        Refuses("its state at the end of the sequence is read",
            g => g.ApplyAll(new Lstm(4), g.IndexInput("tokens", 4).Embedding(9, 4)) is var all ? all[0] + all[1] : default);
        Refuses("its first input alone may come position by position",
            g => g.IndexInput("tokens", 4).Embedding(9, 4) is var x ? x.CrossAttention(x * 2, 2) : default);
        Refuses("or its name must be given; it needs a: indices [4], b: indices [4]",
            g => g.IndexInput("a", 4).Embedding(9, 4) + g.IndexInput("b", 4).Embedding(9, 4));
        Refuses("'multiheadattention1', a multiheadattention layer", g => g.IndexInput("tokens", 4).Embedding(9, 4).SelfAttention(2));
        Refuses("its output for all positions is [4, 4], and for one [4, 4]",
            g => g.IndexInput("tokens", 4).Embedding(9, 4) + g.Parameter("positions", new Shape(4, 4)));
        Refuses("its output for all positions is [4, 4], and for one [4, 4]", g => g.IndexInput("tokens", 4).Embedding(9, 4) + g.Input("x", 4, 4));
        Refuses("its output for all positions is [1, 4, 4], and for one [1, 4, 4]",
            g => g.IndexInput("tokens", 4).Embedding(9, 4) + g.Parameter("positions", new Shape(1, 4, 4)));
        Refuses("it needs x: values [4, 4]", g => g.Input("x", 4, 4).SelfAttention(2, causal: true));
        var network = Make("learned").CreateNetwork<float>();
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequenceGenerator<float>(network, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SequenceGenerator<float>(network, 1, 0));
        Assert.Contains("nothing", Assert.ThrowsAny<ArgumentException>(() => new SequenceGenerator<float>(network, output: "nothing")).Message,
            StringComparison.Ordinal);
        Assert.Contains("2 tokens", Assert.Throws<ArgumentException>(() => { new SequenceGenerator<float>(network, 2).Next(1); }).Message,
            StringComparison.Ordinal);

        static void Refuses(string what, Func<GraphBuilder, Node> make)
        {
            var network = make(new GraphBuilder()).Build<float>();
            Assert.Contains(what, Assert.Throws<ArgumentException>(() => new SequenceGenerator<float>(network)).Message, StringComparison.Ordinal);
        }
    }

    private static void Agrees<T>(string model, double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var network = Make(model).CreateNetwork<T>(seed: 4);
        var workspace = network.CreateWorkspace(Rows, WorkspaceOptions.Inference);
        for (var i = 0; i < Rows * Steps; i++)
            workspace.IndexInput("tokens")[i] = Token(i / Steps, i % Steps);
        Fill(model, workspace.Input, workspace.IndexInput);
        network.Forward(workspace);
        var generator = new SequenceGenerator<T>(network, Rows, tokens: "tokens");

        // A sequence before: nothing of it may be left.
        Fill(model, generator.Input, generator.IndexInput, seed: 6);
        generator.Next(1, 2, 3);
        generator.Reset();
        Fill(model, generator.Input, generator.IndexInput);
        for (var t = 0; t < Steps; t++)
        {
            var outputs = generator.Next(Token(0, t), Token(1, t), Token(2, t));
            var size = outputs.Length / Rows;
            for (var i = 0; i < outputs.Length; i++)
            {
                var expected = double.CreateTruncating(workspace.Output()[(i / size * Steps + t) * size + i % size]);
                Assert.True(Math.Abs(expected - double.CreateTruncating(outputs[i])) <= tolerance * (1 + Math.Abs(expected)), $"{model}, position {t}");
            }
        }
    }

    /// <summary>The inputs of a model beside its tokens.</summary>
    private static void Fill<T>(string model, Func<string, Span<T>> values, Func<string, Span<int>> indices, int seed = 5)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (model is "decoder" or "context" or "masked" or "states")
        {
            var random = new TestRandom((ulong)seed);
            foreach (ref var value in values("memory"))
                value = T.CreateTruncating((float)random.Signed<double>());
        }

        if (model is "translate" or "shared with memory")
        {
            var source = indices("source");
            for (var i = 0; i < source.Length; i++)
                source[i] = (seed * i + 2) % Vocabulary;
        }

        if (model is "translate" or "masked")
            ((ReadOnlySpan<int>)[seed % 2 * 3 + 2, 1, 3]).CopyTo(indices("lengths"));
        if (model == "masked")
        {
            var mask = indices("mask");
            for (var i = 0; i < mask.Length; i++)
                mask[i] = i % 3 == seed % 4 ? 0 : 1;
        }
    }

    private static int Token(int row, int t) => (7 * row + t * t) % Vocabulary;

    private static NetworkDefinition Make(string model)
    {
        var graph = new GraphBuilder();
        var tokens = graph.IndexInput("tokens", Steps);
        var x = tokens.Embedding(Vocabulary, 8);
        if (Other(model, graph, x) is { } other)
        {
            other.Affine(Vocabulary).SoftmaxCrossEntropy();
            return graph.Build();
        }

        x = model switch { "learned" => x.LearnedPositions(), "sinusoidal" => (x * Math.Sqrt(8)).SinusoidalPositions(), _ => x };
        var rotary = model is "rotary" or "tied" ? new RotaryPositions() : null;
        if (model == "grouped")
            x += x.RmsNormalization().SelfAttention(4, causal: true, keyValueHeads: 2, rotary: new RotaryPositions(interleaved: true));
        if (model == "tied")
        {
            var shared = graph.Share(new MultiHeadAttention(2, true, rotary: rotary));
            x += x.Apply(shared);
            x += x.Apply(shared);
        }

        for (var i = 0; i < 2; i++)
        {
            x = x.TransformerEncoderLayer(2, 12, normalizeFirst: model != "after", activation: y => y.Gelu(), causal: true, rotary: rotary);
            x = x.Named($"block {i}");
        }

        x.LayerNormalization().Affine(Vocabulary).SoftmaxCrossEntropy();
        return graph.Build();
    }

    /// <summary>Models with states, and with inputs that hold for a whole sequence.</summary>
    private static Node? Other(string model, GraphBuilder graph, Node x)
    {
        switch (model)
        {
            case "recurrent":
                return x.StackedLstm(6, layers: 2).Concatenate(x.Gru(5), x.Rnn(4)).Lstm(6, projection: 3);
            case "reset before":
                return x.Gru(5, resetAfter: false);
            case "slopes":
                return x.Affine(8).Apply(new PRelu()).Concatenate(x);
            case "decoder":
                var memory = graph.Input("memory", 7, 6).Affine(8).Relu();
                return x.TransformerDecoderLayer(memory, 2, 12).TransformerDecoderLayer(memory, 4, 10, normalizeFirst: true);
            case "translate":
                var lengths = graph.IndexInput("lengths");
                var source = graph.IndexInput("source", 5).Embedding(Vocabulary, 6).BidirectionalGru(4, lengths);
                var h = x.Gru(8);
                return h.CrossAttention(source, 4, lengths: lengths) + h;
            case "states":
                var last = graph.Input("memory", 4, 3).GruLast(5);
                return graph.ApplyAll(new Gru(5), x, last)[0] + graph.ApplyAll(new Rnn(5), x, last.Tanh())[0];
            case "masked":
                var keys = graph.Input("memory", 5, 6);
                return x.Apply(new MultiHeadAttention(4, keyValueHeads: 2), keys, keys.Affine(3), graph.IndexInput("mask", 5), graph.IndexInput("lengths"));
            case "shared with memory":
                var (projection, attention) = (graph.Share(new Affine(8)), graph.Share(new MultiHeadAttention(2)));
                var encoded = graph.IndexInput("source", 5).Embedding(Vocabulary, 8).Apply(projection).Apply(attention);
                var decoded = x.Apply(projection);
                return decoded.Apply(attention, encoded) + decoded.Apply(attention, encoded * 2);
            case "shared with what is not needed":
                var (affine, gru) = (graph.Share(new Affine(8)), graph.Share(new Gru(8)));
                graph.Loss(graph.Input("other", 4, 8).Apply(affine).Apply(gru).SquaredNorm());
                return x.Apply(affine).Apply(gru);
            case "read":
                return x * x.Affine(8).ParameterOf("weight").Slice(0, 1, 1);
            case "context":
                return (x * graph.Input("memory", 8)).Lstm(4);
            default:
                return null;
        }
    }
}
