using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Layers;

/// <summary>A layer that another runs in its own, wrongly declared buffers is refused; it writes past none of them.</summary>
public sealed class BorrowedBuffersTests
{
    [Fact]
    public void Buffers_that_are_too_small_are_refused()
    {
        foreach (var (layer, table) in ((Layer, int)[])[(new LayerNormalization(), 64), (new RmsNormalization(), 64),
            (new GroupNormalization(2), 64), (new BatchNormalization(), 64)])
        {
            foreach (var (output, cache, scratch, parameter) in ((int, int, int, int)[])[(1, 1000, 1000, table), (table, 0, 1000, 1),
                (table, 1, 0, table), (table, 1, 1000, table - 1)])
            {
                var graph = new GraphBuilder();
                graph.Output(graph.Input("x", table)
                    .Apply(new Borrower(layer, output, cache, scratch, layer is BatchNormalization ? table : parameter)).Named("y"));
                var network = graph.Build().CreateNetwork<float>();
                var workspace = network.CreateWorkspace(8);
                var error = Record.Exception(() =>
                {
                    network.Forward(workspace);
                    network.Backward(workspace);
                });
                Assert.True(error is null or ArgumentException, $"{layer.Kind} with {output}, {cache}, {scratch}, {parameter}: {error}");
                Assert.False(error is null && output < table, $"{layer.Kind} wrote an output of {table} elements into {output}.");
            }
        }
    }

    private sealed class Borrower(Layer layer, int output, int cache, int scratch, int parameter) : Layer
    {
        public override string Kind => "borrower";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.RequireInputs(1);
            foreach (var name in (string[])["weight", "bias"])
                declaration.AddParameter(name, new Shape(parameter), 1, 1, Backprop.Simd.Initializers.Initialize.Zeros);
            foreach (var name in (string[])["mean", "variance"])
                declaration.AddState(name, new Shape(parameter), 0);
            declaration.UseCache(cache, cache);
            declaration.UseScratch(scratch, scratch);
            declaration.AddOutput(new Shape(output));
        }

        public override void Forward<T>(in ForwardContext<T> context) => layer.Forward(in context);

        public override void Backward<T>(in BackwardContext<T> context) => layer.Backward(in context);
    }
}
