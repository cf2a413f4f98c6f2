using Backprop.Simd.Gradients;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Extensibility.Tests;

/// <summary>A loss written by a user: it tells numerator and denominator, and so is right over any batches.</summary>
public sealed class UserLossTests
{
    private static readonly double[] X = [1, -2, 0.5, 3, -1, 2], Targets = [0, 1, 1, 0, 2, 2], Marks = [1, 0, 0, 0, 0.5, 2];

    [Fact]
    public void It_passes_the_check()
    {
        EdgeType value = new(EdgeKind.Values, Shape.Scalar);
        foreach (var isMean in (bool[])[true, false])
        {
            var report = GradientCheck.Layer(new MarkedError(isMean), [value, value, value], 5);
            Assert.True(report.Entries.First(e => e.Name == "input0").Passes(1e-7), report.ToString());
        }
    }

    [Fact]
    public void Batches_give_what_all_rows_give()
    {
        foreach (var isMean in (bool[])[true, false])
        {
            var graph = new GraphBuilder();
            var y = graph.Input("x", 1).Affine(1).Reshape();
            graph.Loss(y.Apply(new MarkedError(isMean), graph.Input("t"), graph.Input("m")).Named("loss"), 2);
            var network = graph.Build().CreateNetwork<double>(seed: 1);
            var (whole, part) = (network.CreateWorkspace(6), network.CreateWorkspace(2));
            Fill(whole, 0);
            var loss = network.Forward(whole);
            network.Backward(whole);
            var accumulator = new GradientAccumulator<double>(network, part);
            LossParts parts = default;
            for (var row = 0; row < 6; row += 2)
            {
                Fill(part, row);
                accumulator.Add();
                parts += part.PartsOf("loss");
            }

            Assert.Equal(loss, 2 * parts.Value, 1e-14);
            Assert.Equal(loss, accumulator.Average(), 1e-14);
            for (var i = 0; i < whole.Gradients.Length; i++)
                Assert.Equal(whole.Gradients[i], part.Gradients[i], 1e-13);
        }
    }

    private static void Fill(Workspace<double> workspace, int first)
    {
        foreach (var (name, numbers) in ((string, double[])[])[("x", X), ("t", Targets), ("m", Marks)])
            numbers.AsSpan(first, workspace.Rows).CopyTo(workspace.Input(name));
    }

    /// <summary>The squared error of marked rows: the mean by marks, or the sum.</summary>
    private sealed class MarkedError(bool isMean) : Loss
    {
        public override string Kind => "markederror";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.RequireInputs(3);
            for (var i = 0; i < 3; i++)
                declaration.Require(i, EdgeKind.Values, 0);
            declaration.AddOutput(new EdgeType(EdgeKind.Shared, Shape.Scalar));
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            double sum = 0, marks = 0;
            for (var row = 0; row < context.Rows; row++)
            {
                var (error, mark) = (double.CreateTruncating(context.Input(0)[row] - context.Input(1)[row]), double.CreateTruncating(context.Input(2)[row]));
                sum += mark * error * error;
                marks += mark;
            }

            if (isMean)
                Report(in context, sum, marks);
            else
                ReportSum(in context, sum);
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            var marks = T.Zero;
            foreach (var mark in context.Input(2))
                marks += mark;
            var scale = !isMean ? T.One : T.IsZero(marks) ? T.Zero : T.One / marks;
            var dy = context.InputGradient(0);
            for (var row = 0; row < context.Rows && !dy.IsEmpty; row++)
            {
                var error = context.Input(0)[row] - context.Input(1)[row];
                dy.Put(row, context.OutputGradient()[0] * scale * context.Input(2)[row] * (error + error));
            }
        }
    }
}
