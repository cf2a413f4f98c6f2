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
    public void An_output_carries_numbers_and_there_is_one()
    {
        Assert.Contains("values or shared", Declare(d => d.AddOutput(new EdgeType(EdgeKind.Indices, new Shape(1)))).Message, StringComparison.Ordinal);
        Assert.Contains("declares no output", Declare(_ => { }, output: false).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Requirements_name_what_was_expected_and_what_came()
    {
        Assert.Contains("Input 0 of probe must be values of rank 2; it is values [3].", Declare(d => d.Require(0, EdgeKind.Values, 2)).Message, StringComparison.Ordinal);
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
