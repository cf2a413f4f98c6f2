using Backprop.Simd.Data;
using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Networks;

/// <summary>Faults that an attack on free sizes and on constraints found.</summary>
public sealed class FreeSizeAttackTests
{
    /// <summary>The gradients of all sizes lie in one block, so what no layer writes holds the numbers of another size.</summary>
    [Fact]
    public void The_gradient_of_an_input_that_no_loss_reaches_is_zero_at_every_size()
    {
        var graph = new GraphBuilder();
        var time = Dimension.Free("time", 12);
        graph.Input("other", time, 6);
        var x = graph.Input("x", time, 4);
        graph.Loss((x * x).Tanh().SquaredNorm());
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        var workspace = network.CreateWorkspace(3, new WorkspaceOptions { InputGradients = true });
        foreach (var size in (int[])[12, 7, 12, 3, 12, 5, 1, 12])
        {
            workspace.SetSizes(("time", size));
            workspace.Input("x").Fill(0.5);
            network.Forward(workspace);
            network.Backward(workspace);
            Assert.All(workspace.GradientOf("other").ToArray(), g => Assert.Equal(0, g));
            Assert.All(workspace.GradientOf("x").ToArray(), g => Assert.NotEqual(0, g));
        }
    }

    [Fact]
    public void A_predictor_is_not_changed_by_the_sizes_of_a_lease()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", Dimension.Free("time", 3), 1).Sum(0));
        using var one = new ComputeContext(1);
        var predictor = new Predictor<double>(graph.Build().CreateNetwork<double>(), new PredictorOptions { MaximumConcurrency = 1, MaximumRows = 2 });
        foreach (var rows in (int[])[1, 2])
        {
            using (var lease = predictor.Rent(rows))
                lease.Workspace.SetSizes(("time", 2));
            using (var lease = predictor.Rent(rows))
                Assert.Equal(3, lease.Workspace.SizeOf("time"));
            using (var lease = predictor.Rent(rows))
                lease.Workspace.SetSizes(("time", 2));
            var sums = new double[rows];
            predictor.Predict([1, 2, 3, .. rows == 1 ? (double[])[] : [4, 5, 6]], sums);
            Assert.Equal(rows == 1 ? [6] : [6, 15], sums);
        }
    }

    /// <summary>A mean over positions divides by rows times positions, which is not the same for every micro-batch.</summary>
    [Fact]
    public void Micro_batches_of_several_sizes_have_the_gradients_of_their_loss()
    {
        var graph = new GraphBuilder();
        var time = Dimension.Free("time", 4);
        var x = graph.Input("x", time, 1);
        var y = x.Affine(1, perPosition: true);
        graph.Loss(graph.Apply(new MeanSquaredError(), y, graph.Input("targets", time, 1)));
        graph.Loss(y.Sum(), 0.5);
        var network = graph.Build().CreateNetwork<double>(seed: 1);
        var workspace = network.CreateWorkspace(3);
        var accumulator = new GradientAccumulator<double>(network, workspace);
        Run();
        double[] gradients = [.. workspace.Gradients];
        for (var i = 0; i < network.Definition.Parameters.Entries.Count; i++)
        {
            var at = network.Definition.Parameters.Entries[i].Range.Start;
            var value = network.Parameters[at];
            network.Parameters[at] = value + 1e-5;
            var upper = Run();
            network.Parameters[at] = value - 1e-5;
            var lower = Run();
            network.Parameters[at] = value;
            Assert.Equal((upper - lower) / 2e-5, gradients[at], 1e-7);
        }

        double Run()
        {
            foreach (var (size, rows) in ((int, int)[])[(1, 3), (4, 2), (2, 1)])
            {
                workspace.SetSizes(("time", size));
                workspace.Rows = rows;
                workspace.Input("x").Fill(size);
                workspace.Input("targets").Fill(rows * 3);
                accumulator.Add();
            }

            return accumulator.Average();
        }
    }

    [Fact]
    public void One_name_has_one_range_within_an_input_too()
    {
        var graph = new GraphBuilder();
        var message = Assert.Throws<ArgumentException>(() => graph.Input("x", Dimension.Free("n", 4), Dimension.Free("n", 5))).Message;
        Assert.Contains("n 1..4", message, StringComparison.Ordinal);
        graph.Input("x", Dimension.Free("n", 5), Dimension.Free("n", 5));
    }

    [Fact]
    public void A_network_without_free_sizes_says_so()
    {
        var workspace = GraphBuilder.Chain(2).Affine(1).Build<double>().CreateWorkspace(1);
        Assert.Contains("no free sizes", Assert.Throws<ArgumentException>(() => workspace.SetSizes(("time", 4))).Message, StringComparison.Ordinal);
        Assert.Contains("no free sizes", Assert.Throws<ArgumentException>(() => workspace.SizeOf("time")).Message, StringComparison.Ordinal);
    }

    /// <summary>At 129 rows of pixels the pooling leaves a part over and is not fused; at 128 it is, and needs more space on each thread.</summary>
    [Fact]
    public void Choosing_sizes_reserves_the_packing_space_of_these_sizes()
    {
        var allocated = -1L;
        var thread = new Thread(() =>
        {
            var graph = new GraphBuilder();
            var y = graph.Input("x", Dimension.Free("height", 129, 8), 128, 1).Convolution2D(64, 3, padding: 1).MaxPooling2D(2, ceiling: true);
            graph.Loss(y.SquaredNorm());
            var network = graph.Build().CreateNetwork<double>(seed: 1);
            var workspace = network.CreateWorkspace(1, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
            var sgd = new Sgd<double>(network.Parameters.Length, 1e-9);
            workspace.SetSizes(("height", 8));
            network.Step(workspace, sgd);
            workspace.SetSizes(("height", 128));
            var before = GC.GetAllocatedBytesForCurrentThread();
            network.Step(workspace, sgd);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        });
        thread.Start();
        thread.Join();
        Assert.Equal(0, allocated);
    }

    [Fact]
    public void Batches_of_as_many_sizes_as_plans_are_bound_without_allocation()
    {
        var graph = new GraphBuilder();
        graph.Output(graph.Input("x", Dimension.Free("time", 100), 1).Sum(0));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        var batches = Enumerable.Range(1, 100).Select(time =>
        {
            var set = new Dataset<double>(Columns.Values("x", new Shape(time, 1), new double[time]));
            var batch = set.CreateBatch(1);
            set.Read([0], batch);
            return batch;
        }).ToArray();
        var allocated = 0L;
        for (var pass = 0; pass < 3; pass++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var batch in batches)
            {
                workspace.Bind(batch);
                network.Forward(workspace);
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    /// <summary>The squares of these columns overflow or vanish in float.</summary>
    [Theory]
    [InlineData(1e20f)]
    [InlineData(1e-28f)]
    public void Norms_of_columns_are_right_where_squares_are_not_numbers_of_float(float scale)
    {
        float[] w = [3 * scale, scale, 4 * scale, 0];
        new UnitNorm().Apply(new Matrix<float>(w, 2, 2), 0.1, null);
        Assert.Equal([0.6f, 1, 0.8f, 0], w.Select(x => MathF.Round(x, 5)));
        w = [3 * scale, scale, 4 * scale, 0];
        new MaxNorm(2 * (double)scale).Apply(new Matrix<float>(w, 2, 2), 0.1, null);
        Assert.Equal([1.2f, 1, 1.6f, 0], w.Select(x => MathF.Round(x / scale, 5)));
    }
}
