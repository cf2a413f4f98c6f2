using Backprop.Simd.Gradients;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>A layer of a user's own gets right gradients or an exception, wherever it lies and in whatever order it writes.</summary>
public sealed class LayerPromiseTests
{
    private static readonly EdgeType Four = new(EdgeKind.Values, new Shape(4));

    [Fact]
    public void A_layer_that_throws_in_a_step_leaves_nothing_for_the_next_pass()
    {
        var layer = new Throwing();
        var network = GraphBuilder.Chain(8).Apply(layer).Affine(3).MeanSquaredError().Build<double>(seed: 1);
        var workspace = network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded);
        Fill(workspace.Input());
        layer.Throws = true;
        Assert.Throws<NotSupportedException>(() => network.Step(workspace, new Sgd<double>(network, 0.1)));
        layer.Throws = false;
        network.Forward(workspace);
        network.Backward(workspace);
        var fresh = network.CreateWorkspace(1, compute: ComputeContext.SingleThreaded);
        Fill(fresh.Input());
        network.Forward(fresh);
        network.Backward(fresh);
        Assert.Equal(fresh.Gradients.ToArray(), workspace.Gradients.ToArray());
    }

    /// <summary>Plain SGD updates the rows of a table at once; the second part of the gradient must not be lost.</summary>
    [Theory, InlineData(1), InlineData(2), InlineData(5)]
    public void A_table_may_be_looked_up_twice(int rows)
    {
        var networks = new Network<double>[2];
        for (var i = 0; i < 2; i++)
        {
            var graph = new GraphBuilder();
            var y = graph.IndexInput("a", 1).Apply(new TwoLookups(), graph.IndexInput("b", 1));
            var network = networks[i] = y.Affine(16).Apply(new Squares()).MeanSquaredError().Build<double>(seed: 1);
            var workspace = network.CreateWorkspace(rows, new WorkspaceOptions { KeepGradients = i == 1 }, ComputeContext.SingleThreaded);
            for (var step = 0; step < 3; step++)
            {
                for (var row = 0; row < rows; row++)
                    (workspace.IndexInput("a")[row], workspace.IndexInput("b")[row]) = ((row + step) % 7, (3 * row + 1) % 7);
                workspace.Input("targets").Fill(0.3);
                network.Step(workspace, new Sgd<double>(network, 1e-4));
            }
        }

        Assert.Equal(networks[1].Parameters.ToArray(), networks[0].Parameters.ToArray(), (x, y) => Math.Abs(x - y) < 1e-12);
    }

    [Fact]
    public void A_gradient_that_was_applied_at_once_is_not_read()
    {
        var network = new GraphBuilder().IndexInput("a", 1).Apply(new ReadsGradient()).MeanSquaredError().Build<double>(seed: 1);
        var workspace = network.CreateWorkspace(2, compute: ComputeContext.SingleThreaded);
        network.Forward(workspace);
        network.Backward(workspace);
        Assert.Contains("Adding", Assert.Throws<InvalidOperationException>(
            () => network.Step(workspace, new Sgd<double>(network, 0.1))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_view_of_rows_with_gaps_shows_those_rows()
    {
        var plain = GraphBuilder.Chain(6).Affine(9).Slice(0, 2, 4).Affine(3).MeanSquaredError().Build<double>(seed: 1);
        foreach (var layers in (Layer[][])[[new StridedView(0, 4)], [new StridedView(0, 4), new StridedView(0, 4)]])
        {
            var node = GraphBuilder.Chain(6).Affine(9).Slice(0, 2, 4);
            foreach (var layer in layers)
                node = node.Apply(layer);
            AssertSame(plain, node.Affine(3).MeanSquaredError().Build<double>(seed: 1));
        }

        // A part of the slice, and a reader that takes no gaps.
        AssertSame(plain, GraphBuilder.Chain(6).Affine(9).Slice(0, 1, 7).Apply(new StridedView(1, 4)).Affine(3).MeanSquaredError().Build<double>(seed: 1));
        AssertSame(plain, GraphBuilder.Chain(6).Affine(9).Slice(0, 2, 4).Apply(new StridedView(0, 4)).Flatten().Affine(3).MeanSquaredError()
            .Build<double>(seed: 1));
        AssertSame(
            GraphBuilder.Chain(6).Affine(9).Slice(0, 2, 4).Tanh().Affine(3).MeanSquaredError().Build<double>(seed: 1),
            GraphBuilder.Chain(6).Affine(9).Slice(0, 2, 4).Apply(new StridedView(0, 4)).Tanh().Affine(3).MeanSquaredError().Build<double>(seed: 1));
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Gradients_of_one_node_at_two_inputs_may_be_written_in_any_order(bool elementwise)
    {
        var layer = new LastInputFirst(elementwise);
        Assert.True(GradientCheck.Layer(layer, [Four, Four], rows: 3).Passes());
        var graph = new GraphBuilder();
        var x = graph.Input("x", 4);
        var h = x.Affine(4);
        var shared = graph.Parameter("p", new Shape(4));
        graph.Loss((h.Apply(layer, h).Apply(layer, x) + shared).Apply(new Backprop.Simd.Losses.MeanSquaredError(), graph.Input("t", 4)));
        graph.Output(x.Apply(layer, x) + h);
        graph.Output(shared.Apply(layer, shared));
        var network = graph.Build().CreateNetwork<double>(seed: 2);
        var workspace = network.CreateWorkspace(3, new() { InputGradients = true, OutputGradients = true }, ComputeContext.SingleThreaded);
        Fill(workspace.Input("x"));
        Fill(network.ParameterOf("p"));
        foreach (var name in network.Definition.OutputNames)
            Fill(workspace.OutputGradient(name));
        var report = GradientCheck.Run(network, workspace);
        Assert.True(report.Passes(1e-7), report.ToString());

        // Twice, the second time on top.
        network.Forward(workspace);
        network.Backward(workspace);
        var once = workspace.ParameterGradientOf("p").ToArray();
        network.Backward(workspace, accumulate: true);
        Assert.Equal(once.Select(g => 2 * g), workspace.ParameterGradientOf("p").ToArray(), (x, y) => Math.Abs(x - y) < 1e-14);
    }

    [Fact]
    public void Put_counts_the_elements_of_a_slice_of_columns()
    {
        var gradient = new double[6];
        var part = new GradientTarget<double>(gradient, false, 2, 3, ComputeContext.SingleThreaded).SliceColumns(1, 2);
        for (var i = 0; i < 4; i++)
            part.Put(i, i + 1);
        part.Adding.Put(3, 10);
        Assert.Equal([0, 1, 2, 0, 3, 14], gradient);
        Assert.Contains("4 elements", Assert.Throws<ArgumentOutOfRangeException>(() =>
            new GradientTarget<double>(new double[6], false, 2, 3, ComputeContext.SingleThreaded).SliceColumns(1, 2).Put(4, 1))
            .Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() =>
            new GradientTarget<double>(new double[6], false, 2, 3, ComputeContext.SingleThreaded).SliceColumns(1, 2).Reshape(4, 1));
        Assert.Throws<InvalidOperationException>(() =>
            new GradientTarget<double>(new double[6], false, 2, 3, ComputeContext.SingleThreaded).SliceColumns(1, 2).Slice(0, 9));
        Assert.Throws<InvalidOperationException>(() =>
            new GradientTarget<double>(new double[6], false, 2, 3, ComputeContext.SingleThreaded).SliceColumns(1, 2).ColumnSums(new([1, 2, 3, 4], 1, 4)));
    }

    [Fact]
    public void Scattered_rows_share_no_memory_with_their_order_or_gradient()
    {
        var memory = new int[4096];
        var table = new double[3 * 2];
        Assert.Equal("order", Assert.Throws<ArgumentException>(() => new GradientTarget<double>(table, false, 3, 2, ComputeContext.SingleThreaded)
            .ScatterRows(new double[2048], memory.AsSpan(0, 1024), -1, memory)).ParamName);
        Assert.Equal("dy", Assert.Throws<ArgumentException>(() => new GradientTarget<double>(table, false, 3, 2, ComputeContext.SingleThreaded)
            .ScatterRows(table.AsSpan(2, 4), [0, 1], -1, memory)).ParamName);
    }

    private static void Fill(Span<double> values)
    {
        for (var i = 0; i < values.Length; i++)
            values[i] = Math.Sin(1.7 * i + 0.3);
    }

    private static void AssertSame(Network<double> expected, Network<double> actual)
    {
        expected.Parameters.CopyTo(actual.Parameters);
        foreach (var rows in (int[])[1, 4])
        {
            var a = expected.CreateWorkspace(rows, compute: ComputeContext.SingleThreaded);
            var b = actual.CreateWorkspace(rows, compute: ComputeContext.SingleThreaded);
            foreach (var (network, workspace) in ((Network<double>, Workspace<double>)[])[(expected, a), (actual, b)])
            {
                Fill(workspace.Input("x"));
                Fill(workspace.Input("targets"));
                network.Forward(workspace);
                network.Backward(workspace);
            }

            Assert.Equal(a.Loss, b.Loss, 1e-14);
            Assert.Equal(a.Gradients.ToArray(), b.Gradients.ToArray(), (x, y) => Math.Abs(x - y) < 1e-14);
        }
    }

    private sealed class Throwing : Layer
    {
        public bool Throws { get; set; }

        public override string Kind => "throwing";

        public override void Declare(LayerDeclaration declaration)
        {
            var inputs = declaration.Require(0, EdgeKind.Values, 1)[0];
            declaration.AddParameter("weight", new Shape(inputs, 16), inputs, 16, Initialize.Xavier);
            declaration.AddOutput(new Shape(16));
            declaration.Traits = LayerTraits.ReadsInput;
        }

        public override void Forward<T>(in ForwardContext<T> context) =>
            Gemm.Multiply(context.InputMatrix(0), context.ParameterMatrix(0), context.OutputMatrix(), context.Compute);

        public override void Backward<T>(in BackwardContext<T> context)
        {
            context.ParameterGradient(0).Product(context.InputMatrix(0).Transposed, context.OutputGradientMatrix());
            if (Throws)
                throw new NotSupportedException();
            context.InputGradient(0).Product(context.OutputGradientMatrix(), context.ParameterMatrix(0).Transposed);
        }
    }

    /// <summary>The sum of two rows of one table.</summary>
    private sealed class TwoLookups : Layer
    {
        public override string Kind => "twolookups";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.RequireInputs(2);
            declaration.AddParameter("table", new Shape(7, 16), 1, 16, Initialize.Normal(1));
            declaration.AddOutput(new Shape(16));
            declaration.UseScatter(1, 16);
            declaration.Traits = LayerTraits.None;
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            var table = context.ParameterMatrix(0);
            var y = context.OutputMatrix();
            for (var row = 0; row < context.Rows; row++)
            {
                for (var i = 0; i < 16; i++)
                    y[row, i] = table[context.Indices(0)[row], i] + table[context.Indices(1)[row], i];
            }
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            context.ParameterGradient(0).ScatterRows(context.OutputGradient(), context.Indices(0), -1, context.IndexCache);
            context.ParameterGradient(0).Adding.ScatterRows(context.OutputGradient(), context.Indices(1), -1, context.IndexCache);
        }
    }

    /// <summary>A table whose gradient is read after it was written.</summary>
    private sealed class ReadsGradient : Layer
    {
        public override string Kind => "readsgradient";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.AddParameter("table", new Shape(7, 16), 1, 16, Initialize.Normal(1));
            declaration.AddOutput(new Shape(16));
            declaration.UseScatter(1, 16);
            declaration.Traits = LayerTraits.None;
        }

        public override void Forward<T>(in ForwardContext<T> context) => context.Output().Clear();

        public override void Backward<T>(in BackwardContext<T> context)
        {
            context.ParameterGradient(0).ScatterRows(context.OutputGradient(), context.Indices(0), -1, context.IndexCache);
            context.ParameterGradient(0).Span[0] += T.One;
        }
    }

    /// <summary>y = x * x, for a gradient that differs from step to step.</summary>
    private sealed class Squares : Layer
    {
        public override string Kind => "squares";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.AddOutput(declaration.Require(0, EdgeKind.Values));
            declaration.Traits = LayerTraits.ReadsInput;
        }

        public override void Forward<T>(in ForwardContext<T> context) => Elementwise.Multiply(context.Input(0), context.Input(0), context.Output(), null);

        public override void Backward<T>(in BackwardContext<T> context)
        {
            context.InputGradient(0).Multiply(context.OutputGradient(), context.Input(0));
            context.InputGradient(0).Adding.Multiply(context.OutputGradient(), context.Input(0));
        }
    }

    /// <summary>A view that reads its input as a matrix where it has to copy.</summary>
    private sealed class StridedView(int start, int length) : Layer
    {
        public override string Kind => "stridedview";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.Require(0, EdgeKind.Values, 1);
            declaration.AddOutput(new Shape(length));
            declaration.UseView(start);
            declaration.Traits |= LayerTraits.StridedRows;
        }

        public override void Forward<T>(in ForwardContext<T> context)
        {
            var x = context.InputMatrix(0);
            var y = context.OutputMatrix();
            for (var row = 0; row < context.Rows; row++)
            {
                for (var i = 0; i < length; i++)
                    y[row, i] = x[row, start + i];
            }
        }

        public override void Backward<T>(in BackwardContext<T> context)
        {
            var dx = context.InputGradient(0);
            var dy = context.OutputGradientMatrix();
            dx.Zero();
            var part = dx.SliceColumns(start, length);
            for (var i = 0; !part.IsEmpty && i < context.Rows * length; i++)
                part.Put(i, dy[i / length, i % length]);
        }
    }

    /// <summary>y = a b, whose backward pass writes the gradient of b first, or one element of b ahead of a.</summary>
    private sealed class LastInputFirst(bool elementwise) : Layer
    {
        public override string Kind => "lastinputfirst";

        public override void Declare(LayerDeclaration declaration)
        {
            declaration.RequireInputs(2);
            declaration.RequireSame(0, 1);
            declaration.AddOutput(declaration.RequireNumbers(0));
            declaration.Traits = LayerTraits.ReadsInput;
        }

        public override void Forward<T>(in ForwardContext<T> context) => Elementwise.Multiply(context.Input(0), context.Input(1), context.Output(), null);

        public override void Backward<T>(in BackwardContext<T> context)
        {
            ReadOnlySpan<T> a = context.Input(0), b = context.Input(1), dy = context.OutputGradient();
            GradientTarget<T> da = context.InputGradient(0), db = context.InputGradient(1);
            if (!elementwise)
            {
                db.Multiply(dy, a);
                da.Multiply(dy, b);
                return;
            }

            for (var i = 0; i < dy.Length; i++)
            {
                var next = (i + 1) % dy.Length;
                db.Put(next, dy[next] * a[next]);
                da.Put(i, dy[i] * b[i]);
            }
        }
    }
}
