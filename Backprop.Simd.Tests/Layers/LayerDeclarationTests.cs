using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Layers;

/// <summary>What a layer may declare, and how it is told that it may not.</summary>
public sealed class LayerDeclarationTests
{
    [Fact]
    public void Names_are_declared_once()
    {
        Assert.Contains("'w' twice", Declare(d =>
        {
            d.AddParameter("w", new Shape(1), 1, 1, Initialize.Zeros);
            d.AddState("w", new Shape(1));
        }).Message, StringComparison.Ordinal);
        Assert.IsType<ArgumentException>(Declare(d => d.AddParameter(" ", new Shape(1), 1, 1, null)));
        Assert.IsType<ArgumentNullException>(Declare(d => d.AddState(null!, new Shape(1))));
    }

    [Fact]
    public void Sizes_are_not_negative()
    {
        Assert.IsType<ArgumentOutOfRangeException>(Declare(d => d.UseCache(-1)));
        Assert.IsType<ArgumentOutOfRangeException>(Declare(d => d.UseCache(1, -1)));
        Assert.IsType<ArgumentOutOfRangeException>(Declare(d => d.UseIndexCache(-1)));
        Assert.IsType<ArgumentOutOfRangeException>(Declare(d => d.UseScratch(-1)));
        Assert.IsType<ArgumentOutOfRangeException>(Declare(d => d.UseScratch(1, -1)));
    }

    [Fact]
    public void Sizes_beyond_a_buffer_are_refused()
    {
        foreach (var error in (ArgumentException[])[
            Declare(d => d.UseCache(1L << 31)), Declare(d => d.UseCache(0, 1L << 32)), Declare(d => d.UseIndexCache(5_000_000_000)),
            Declare(d => d.UseScratch(1L << 33)), Declare(d => d.UseScratch(0, long.MaxValue))])
        {
            Assert.IsType<ArgumentException>(error);
            Assert.Contains("probe of values [3] would need ", error.Message, StringComparison.Ordinal);
            Assert.Contains("at most 2^31", error.Message, StringComparison.Ordinal);
        }
    }

    /// <summary>Inputs that fit where what the layer keeps besides does not; none may wrap around and pass.</summary>
    public static TheoryData<string> LargeLayers => [.. Large.Keys];

    [Theory, MemberData(nameof(LargeLayers))]
    public void A_layer_too_large_is_refused_before_anything_is_allocated(string name)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("2^31", Assert.Throws<ArgumentException>(() => { Large[name](new GraphBuilder()); }).Message, StringComparison.Ordinal);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    [Fact]
    public void Recurrences_have_no_more_units_than_gates_can_be_counted()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new Rnn(1 << 29));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Lstm(1 << 29));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Gru(1 << 29));
    }

    private static readonly Dictionary<string, Func<GraphBuilder, Node>> Large = new()
    {
        ["batch normalization"] = g => g.Input("x", 1_500_000_000).BatchNormalization(affine: false),
        ["batch normalization, negative"] = g => g.Input("x", 800_000_000).BatchNormalization(affine: false),
        ["group normalization"] = g => g.Input("x", 4, 500_000_000).GroupNormalization(500_000_000, affine: false),
        ["layer normalization"] = g => g.Input("x", 1_500_000_000).LayerNormalization(),
        ["layer normalization, rows"] = g => g.Input("x", 1_500_000_000, 1).LayerNormalization(affine: false),
        ["RMS normalization, rows"] = g => g.Input("x", 1_500_000_000, 1).RmsNormalization(affine: false),
        ["RNN"] = g => g.Input("x", 2_000_000_000, 1).Rnn(1),
        ["LSTM"] = g => g.Input("x", 1_000_000_000, 1).Lstm(1),
        ["GRU"] = g => g.Input("x", 1_000_000_000, 1).Gru(1),
        ["attention"] = g => g.Input("x", 100_000_000, 4).SelfAttention(4),
        ["embedding"] = g => g.IndexInput("x", 1_500_000_000).Embedding(1, 1),
        ["cross-entropy"] = g => g.Input("x", 2_000_000_000, 1).SoftmaxCrossEntropy(sampleWeights: "w"),
        ["squared error"] = g => g.Input("x", int.MaxValue).MeanSquaredError(sampleWeights: "w"),
    };

    [Fact]
    public void An_output_carries_numbers_and_there_is_one()
    {
        Assert.Contains("values or shared", Declare(d => d.AddOutput(new EdgeType(EdgeKind.Indices, new Shape(1)))).Message, StringComparison.Ordinal);
        Assert.Contains("declares no output", Declare(_ => { }, output: false).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Requirements_name_what_was_expected_and_what_came()
    {
        Assert.Contains("Input 0 of probe must be values of rank 2; it is values [3].", Declare(d => d.Require(0, EdgeKind.Values, 2)).Message,
            StringComparison.Ordinal);
        Assert.Contains("must be shared; it is values [3]", Declare(d => d.Require(0, EdgeKind.Shared)).Message, StringComparison.Ordinal);
        Assert.Contains("probe takes 2 input(s); it got 1.", Declare(d => d.RequireInputs(2)).Message, StringComparison.Ordinal);
    }

    private static ArgumentException Declare(Action<LayerDeclaration> declare, bool output = true) =>
        Assert.ThrowsAny<ArgumentException>(() => GraphBuilder.Chain(3).Apply(new Probe(declare, output)));

    private sealed class Probe(Action<LayerDeclaration> declare, bool output) : Layer
    {
        public override string Kind => "probe";

        public override void Declare(LayerDeclaration declaration)
        {
            declare(declaration);
            if (output)
                declaration.AddOutput(new Shape(3));
        }

        public override void Forward<T>(in ForwardContext<T> context) => context.Output().Clear();

        public override void Backward<T>(in BackwardContext<T> context) => context.InputGradient(0).Span.Clear();
    }
}
