using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>What a target does for a layer: nothing, overwriting, adding, updating in place.</summary>
public sealed class GradientTargetTests
{
    private delegate void Write(GradientTarget<double> target);

    /// <summary>Each way to write a gradient of [3, 2], and what it is.</summary>
    private static readonly (string Name, Write Write, double[] Expected)[] Ways =
    [
        ("product", t => t.Product(new([1, 2, 3], 3, 1), new([10, 20], 1, 2)), [10, 20, 20, 40, 30, 60]),
        ("columns", t =>
        {
            t.SliceColumns(1, 1).Product(new([1, 2, 3], 3, 1), new([7], 1, 1));
            t.SliceColumns(0, 1).Product(new([4, 5, 6], 3, 1), new([1], 1, 1));
        }, [4, 7, 5, 14, 6, 21]),
        ("column sums", t => t.ColumnSums(new([1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1], 2, 6)), [7, 7, 7, 7, 7, 7]),
        ("parts", t =>
        {
            t.Slice(4, 2).Copy([5, 6]);
            t.Slice(0, 4).Copy([1, 2, 3, 4]);
        }, [1, 2, 3, 4, 5, 6]),
        ("two terms", t =>
        {
            t.Copy([1, 1, 1, 1, 1, 1]);
            t.Adding.Scale([1, 2, 3, 4, 5, 6], 2);
        }, [3, 5, 7, 9, 11, 13]),
        ("multiplied", t => t.Multiply([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]), [6, 10, 12, 12, 10, 6]),
        ("other shape", t => t.Reshape(2, 3).Product(new([1, 2], 2, 1), new([1, 2, 3], 1, 3)), [1, 2, 3, 2, 4, 6]),
        ("rows", t => t.ScatterRows([1, 2, 3, 4, 5, 6, 7, 8], [2, 0, 2, 1], skippedRow: 1, new int[8]), [3, 4, 0, 0, 6, 8]),
        ("zero", t => t.Zero(), [0, 0, 0, 0, 0, 0]),
        ("kernel", t => Reductions.ColumnSums<double>(new([1, 2, 3, 4, 5, 6], 1, 6), t, null), [1, 2, 3, 4, 5, 6]),
    ];

    [Fact]
    public void Every_way_overwrites_or_adds_as_the_pass_asks_and_does_nothing_nowhere()
    {
        foreach (var (name, write, expected) in Ways)
        {
            var overwritten = Enumerable.Repeat(double.NaN, 6).ToArray();
            write(new(overwritten, false, 3, 2, ComputeContext.SingleThreaded));
            Assert.True(expected.SequenceEqual(overwritten), $"{name}: {string.Join(", ", overwritten)}");
            double[] added = [100, 200, 300, 400, 500, 600];
            write(new(added, true, 3, 2, ComputeContext.SingleThreaded));
            Assert.True(expected.Select((e, i) => e + 100 * (i + 1)).SequenceEqual(added), $"{name}: {string.Join(", ", added)}");
            write(default);
        }
    }

    [Fact]
    public void What_has_gaps_between_its_rows_is_written_as_a_product_only()
    {
        Assert.Throws<InvalidOperationException>(() =>
            new GradientTarget<double>(new double[6], false, 3, 2, ComputeContext.SingleThreaded).SliceColumns(0, 1).Copy([1, 2, 3, 4, 5]));
        Assert.Throws<InvalidOperationException>(() =>
            new GradientTarget<double>(new double[6], false, 3, 2, ComputeContext.SingleThreaded).SliceColumns(0, 1).ToDestination());
    }

    public enum Order
    {
        InputFirst,
        WeightFirst,
        TwoTerms,
        ReadAfterwards,
    }

    /// <summary>In a batch of one row a step may update the weights where their gradient is made. A layer of any order sees the old ones.</summary>
    [Theory]
    [InlineData(Order.InputFirst), InlineData(Order.WeightFirst), InlineData(Order.TwoTerms), InlineData(Order.ReadAfterwards)]
    public void A_step_in_place_has_the_bits_of_one_that_keeps_gradients(Order order)
    {
        var networks = new Network<float>[2];
        for (var i = 0; i < 2; i++)
        {
            var graph = new GraphBuilder();
            graph.Loss(graph.Input("x", 24).Affine(24).Apply(new Twice(order)).Affine(24).Apply(new Twice(order))
                .Apply(new Backprop.Simd.Losses.MeanSquaredError(), graph.Input("t", 24)));
            networks[i] = graph.Build().CreateNetwork<float>(seed: 5);
            var workspace = networks[i].CreateWorkspace(1, new WorkspaceOptions { KeepGradients = i == 1 });
            var optimizer = new Adam<float>(networks[i].Parameters.Length, 0.01);
            var random = new TestRandom(3);
            for (var step = 0; step < 4; step++)
            {
                foreach (ref var value in workspace.Input("x"))
                    value = random.Signed<float>();
                networks[i].Step(workspace, optimizer);
            }
        }

        Assert.Equal(networks[1].Parameters.ToArray(), networks[0].Parameters.ToArray());
    }

    [Fact]
    public void A_table_is_read_before_its_rows_are_updated()
    {
        var graph = new GraphBuilder();
        graph.Loss(graph.IndexInput("i").Apply(new LateReader()).Apply(new Backprop.Simd.Losses.MeanSquaredError(), graph.Input("t", 8)));
        var network = graph.Build().CreateNetwork<float>();
        var kept = network.CreateWorkspace(2, new WorkspaceOptions { KeepGradients = true });
        network.Step(kept, new Sgd<float>(network.Parameters.Length, 0.1));
        var applied = network.CreateWorkspace(2);
        Assert.Contains("updated", Assert.Throws<InvalidOperationException>(
            () => network.Step(applied, new Sgd<float>(network.Parameters.Length, 0.1))).Message, StringComparison.Ordinal);
    }

    /// <summary>y = x W, whose backward pass goes in a chosen order.</summary>
    private sealed class Twice(Order order) : Layer
    {
        public override string Kind => "twice";

        public override void Declare(LayerDeclaration declaration)
        {
            var size = declaration.Require(0, EdgeKind.Values, 1)[0];
            declaration.AddParameter("weight", new Shape(size, size), size, size, Initialize.Xavier);
            declaration.AddOutput(new Shape(size));
            declaration.Traits = LayerTraits.ReadsInput;
        }

        public override void Forward<T>(in ForwardContext<T> context) =>
            Gemm.Multiply(context.InputMatrix(0), context.ParameterMatrix(0), context.OutputMatrix(), context.Compute);

        public override void Backward<T>(in BackwardContext<T> context)
        {
            ReadOnlyMatrix<T> x = context.InputMatrix(0), dy = context.OutputGradientMatrix(), w = context.ParameterMatrix(0);
            var dw = context.ParameterGradient(0);
            if (order == Order.InputFirst)
                context.InputGradient(0).Product(dy, w.Transposed);
            dw.Product(x.Transposed, dy);
            if (order == Order.TwoTerms)
                dw.Adding.Product(x.Transposed, dy);
            if (order == Order.ReadAfterwards)
                dw.Span[3] += T.One;
            if (order != Order.InputFirst)
                context.InputGradient(0).Product(dy, context.ParameterMatrix(0).Transposed);
        }
    }

    /// <summary>A table that backward looks at after it has written the gradient.</summary>
    private sealed class LateReader : Layer
    {
        public override string Kind => "latereader";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.Require(0, EdgeKind.Indices, 0);
            declaration.AddParameter("table", new Shape(4, 8), 4, 8, Initialize.Xavier);
            declaration.AddOutput(new Shape(8));
            declaration.UseScatter(1, 8);
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            for (var row = 0; row < context.Rows; row++)
                context.Parameter(0).Slice(context.Indices(0)[row] * 8, 8).CopyTo(context.Output().Slice(row * 8, 8));
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            context.ParameterGradient(0).ScatterRows(context.OutputGradient(), context.Indices(0), -1, context.IndexCache);
            _ = context.Parameter(0);
        }
    }
}
