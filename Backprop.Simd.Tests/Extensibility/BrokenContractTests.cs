using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Extensibility.Tests;

/// <summary>Layers whose formulas are right alone, and whose promises about buffers are not: the check must see it.</summary>
public sealed class BrokenContractTests
{
    private static readonly EdgeType[] Inputs = [new(EdgeKind.Values, new Shape(3))];

    [Fact]
    public void A_layer_that_keeps_its_promises_passes()
    {
        var report = GradientCheck.Layer(new Square(Promise.Kept), Inputs, rows: 4);
        Assert.True(report.Passes(), report.ToString());
    }

    [Theory]
    [InlineData(Promise.AddsIgnored)]
    [InlineData(Promise.ParameterAddsIgnored)]
    public void A_broken_promise_is_caught(Promise promise)
    {
        Assert.False(GradientCheck.Layer(new Square(promise), Inputs, rows: 4).Passes(1e-3));
        Assert.False(GradientCheck.Layer(new Square(promise), Inputs, rows: 4, new GradientCheckOptions { Mode = GradientCheckMode.RandomDirections })
            .Passes(1e-3));
    }

    [Theory]
    [InlineData(Promise.OutputReadAllTheSame, "output 0")]
    [InlineData(Promise.InputReadAllTheSame, "input 0")]
    public void Reading_what_was_declared_unread_throws_wherever_the_layer_lies(Promise promise, string what)
    {
        foreach (var retain in new[] { Retain.None, Retain.All })
        {
            var graph = new GraphBuilder();
            graph.Output(graph.Input("x", 3).Apply(new Square(promise)));
            var network = graph.Build().CreateNetwork<float>();
            var workspace = network.CreateWorkspace(2, new WorkspaceOptions { InputGradients = true, Retain = retain });
            network.Forward(workspace);
            Assert.Contains(what, Assert.Throws<InvalidOperationException>(() => network.Backward(workspace)).Message, StringComparison.Ordinal);
        }
    }

    public enum Promise
    {
        Kept,
        AddsIgnored,
        OutputReadAllTheSame,
        InputReadAllTheSame,
        ParameterAddsIgnored,
    }

    /// <summary>y = x^2 + w, with one w for all elements; dx = 2 x dy, dw = sum of dy.</summary>
    private sealed class Square(Promise promise) : Layer
    {
        public override string Kind => "square";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.AddParameter("w", Shape.Scalar, 1, 1, null);
            declaration.AddOutput(declaration.Require(0, EdgeKind.Values));
            declaration.Traits = promise == Promise.InputReadAllTheSame ? LayerTraits.InPlace : LayerTraits.ReadsInput;
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            var x = context.Input(0);
            var y = context.Output();
            for (var i = 0; i < x.Length; i++)
                y[i] = (x[i] * x[i]) + context.Parameter(0)[0];
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            var dy = context.OutputGradient();
            var dx = context.InputGradient(0);
            var sum = T.Zero;
            for (var i = 0; i < dy.Length; i++)
            {
                sum += dy[i];

                // From the output, which it said it would not read: x^2 = y - w.
                var size = promise == Promise.OutputReadAllTheSame ? T.Sqrt(T.Abs(context.Output()[i] - context.Parameter(0)[0])) : T.Abs(context.Input(0)[i]);
                var slope = T.CopySign(size + size, context.Input(0)[i]) * dy[i];
                if (promise == Promise.AddsIgnored)
                    dx.Span[i] = slope;
                else
                    dx.Put(i, slope);
            }

            var dw = context.ParameterGradient(0);
            if (promise == Promise.ParameterAddsIgnored)
                dw.Span[0] = sum;
            else
                dw.Put(0, sum);
        }
    }
}
