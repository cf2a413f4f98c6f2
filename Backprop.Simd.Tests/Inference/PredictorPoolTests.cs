using Backprop.Simd.Inference;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Inference;

public sealed class PredictorPoolTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static Network<float> Identity(Action? during = null) => GraphBuilder.Chain(2).Apply(new Observed(during)).Build<float>();

    [Fact]
    public void As_many_callers_compute_at_once_as_there_are_workspaces()
    {
        // Each of the three waits inside the network until all three are there: no lock is held while one computes.
        using var barrier = new Barrier(3);
        var predictor = new Predictor<float>(Identity(() => Assert.True(barrier.SignalAndWait(Patience))), new PredictorOptions { MaximumConcurrency = 3 });
        PredictorTests.Together(3, _ => predictor.Predict([1, 2], new float[2]));
    }

    [Fact]
    public void No_more_callers_compute_at_once_than_there_are_workspaces()
    {
        var (inside, most) = (0, 0);
        var network = Identity(() =>
        {
            var now = Interlocked.Increment(ref inside);
            for (var seen = Volatile.Read(ref most); now > seen; seen = Volatile.Read(ref most))
                Interlocked.CompareExchange(ref most, now, seen);
            Thread.Sleep(1);
            Interlocked.Decrement(ref inside);
        });
        var predictor = new Predictor<float>(network, new PredictorOptions { MaximumConcurrency = 2, MaximumRows = 4 });
        PredictorTests.Together(12, thread =>
        {
            for (var i = 0; i < 10; i++)
            {
                var rows = (thread + i) % 7;
                predictor.Predict(new float[rows * 2], new float[rows * 2]);
            }
        });
        Assert.InRange(most, 1, 2);
        Assert.InRange(predictor.Bytes, 1, 2 * (BytesOf(network, 1) + BytesOf(network, 4)));
    }

    [Fact]
    public void A_caller_waits_for_a_workspace_and_gets_it()
    {
        var predictor = new Predictor<float>(Identity(), new PredictorOptions { MaximumConcurrency = 1 });
        var outputs = new float[2];
        var waiting = new Thread(() => predictor.Predict([1, 2], outputs)) { IsBackground = true };
        using (predictor.Rent(1))
        {
            waiting.Start();
            Assert.True(SpinWait.SpinUntil(() => waiting.ThreadState.HasFlag(ThreadState.WaitSleepJoin), Patience));
            Assert.False(waiting.Join(20));
        }

        Assert.True(waiting.Join(Patience));
        Assert.Equal([1f, 2f], outputs);
    }

    [Fact]
    public void An_interrupted_caller_takes_no_workspace_with_it()
    {
        var predictor = new Predictor<float>(Identity(), new PredictorOptions { MaximumConcurrency = 1 });
        var interrupted = false;
        var waiting = new Thread(() =>
        {
            try
            {
                predictor.Predict([1, 2], new float[2]);
            }
            catch (ThreadInterruptedException)
            {
                interrupted = true;
            }
        })
        { IsBackground = true };
        using (predictor.Rent(1))
        {
            waiting.Start();
            waiting.Interrupt();
            Assert.True(waiting.Join(Patience));
        }

        Assert.True(interrupted);
        predictor.Predict([1, 2], new float[2]);
    }

    [Fact]
    public void An_exception_gives_the_workspace_back()
    {
        var predictor = new Predictor<float>(Identity(), new PredictorOptions { MaximumConcurrency = 1, MaximumRows = 2 });
        var outputs = new float[8];
        for (var i = 0; i < 5; i++)
        {
            Assert.Throws<ArgumentException>(() => predictor.Predict([float.NaN, 0], outputs));
            Assert.Throws<ArgumentException>(() => predictor.Predict([1, 2, 3, 4, float.NaN, 6], outputs));
            Assert.Throws<ArgumentException>(() => predictor.PredictClass([float.NaN, 0]));
        }

        predictor.Predict([1, 2, 3, 4, 5, 6, 7, 8], outputs);
        Assert.Equal([1f, 2, 3, 4, 5, 6, 7, 8], outputs);
    }

    [Fact]
    public void A_workspace_that_cannot_be_made_leaves_its_place()
    {
        var network = GraphBuilder.Chain(1 << 20).Apply(new Observed()).Build<float>();
        var predictor = new Predictor<float>(network, new PredictorOptions { MaximumConcurrency = 1, MaximumRows = 1 << 12 });
        for (var i = 0; i < 3; i++)
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => predictor.Rent(2).Dispose());
            predictor.Rent(1).Dispose();
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => new Predictor<float>(network, new PredictorOptions { MaximumRows = 1 << 12, Preallocate = true }));
    }

    [Fact]
    public void Workspaces_are_made_when_they_are_needed_or_all_at_once()
    {
        var network = Identity();
        var (single, batch) = (BytesOf(network, 1), BytesOf(network, 100));
        var predictor = new Predictor<float>(network, new PredictorOptions { MaximumConcurrency = 4, MaximumRows = 100 });
        Assert.Equal(0, predictor.Bytes);
        for (var i = 0; i < 10; i++)
            predictor.Predict([1, 2], new float[2]);
        Assert.Equal(single, predictor.Bytes);
        for (var i = 0; i < 10; i++)
            predictor.Predict([1, 2, 3, 4], new float[4]);
        Assert.Equal(single + batch, predictor.Bytes);

        var all = new Predictor<float>(network, new PredictorOptions { MaximumConcurrency = 4, MaximumRows = 100, Preallocate = true });
        Assert.Equal(4 * (single + batch), all.Bytes);
        PredictorTests.Together(6, _ => all.Predict(new float[50], new float[50]));
        Assert.Equal(4 * (single + batch), all.Bytes);
    }

    [Fact]
    public void A_lease_serves_several_inputs_and_indices()
    {
        var graph = new GraphBuilder();
        var (x, tokens) = (graph.Input("x", 3), graph.IndexInput("tokens", 2));
        var sum = x.Concatenate(tokens.Embedding(10, 4).Flatten()).Affine(2).Named("scores");
        graph.Output(sum);
        graph.Output(x.Named("x"));
        var network = graph.Build().CreateNetwork<double>(seed: 3);
        var predictor = new Predictor<double>(network, new PredictorOptions { MaximumConcurrency = 2 });
        var error = Assert.Throws<InvalidOperationException>(() => predictor.Predict(new double[3], new double[2]));
        Assert.Contains("tokens", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => predictor.InputShape);

        var workspace = network.CreateWorkspace(2, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        workspace.SetInput("x", [1, 2, 3, 4, 5, 6]);
        workspace.SetIndexInput("tokens", [1, 2, 9, 0]);
        network.Forward(workspace);
        var expected = workspace.Output("scores").ToArray();

        PredictorTests.Together(8, _ =>
        {
            for (var i = 0; i < 20; i++)
            {
                using var lease = predictor.Rent(2);
                lease.Workspace.SetInput("x", [1, 2, 3, 4, 5, 6]);
                lease.Workspace.SetIndexInput("tokens", [1, 2, 9, 0]);
                lease.Forward();
                Assert.Equal(expected, lease.Workspace.Output("scores").ToArray());
            }
        });
    }

    [Fact]
    public void A_lease_that_is_over_gives_no_workspace_and_ends_once()
    {
        var predictor = new Predictor<float>(Identity(), new PredictorOptions { MaximumConcurrency = 2 });
        var lease = predictor.Rent(1);
        var copy = lease;
        lease.Dispose();
        Gone(copy);
        copy.Dispose();
        Gone(default);
        default(PredictorLease<float>).Dispose();

        // Were the workspace given back twice, two leases could share it.
        using var first = predictor.Rent(1);
        copy.Dispose();
        using var second = predictor.Rent(1);
        copy.Dispose();
        Assert.NotSame(first.Workspace, second.Workspace);
        var third = new Thread(() => predictor.Rent(1).Dispose()) { IsBackground = true };
        third.Start();
        Assert.False(third.Join(50));

        static void Gone(PredictorLease<float> lease)
        {
            try
            {
                lease.Forward();
            }
            catch (ObjectDisposedException)
            {
                return;
            }

            Assert.Fail("A lease that is over gave a workspace.");
        }
    }

    [Fact]
    public void Memory_bound_under_a_lease_is_let_go()
    {
        var predictor = new Predictor<float>(Identity(), new PredictorOptions { MaximumConcurrency = 1 });
        using (var lease = predictor.Rent(1))
        {
            lease.Workspace.SetInput("x", [8, 9]);
            lease.Workspace.BindInput("x", new float[] { 1, 2 });
            lease.Forward();
            Assert.Equal([1f, 2f], lease.Workspace.Output().ToArray());
        }

        using (var lease = predictor.Rent(1))
        {
            lease.Forward();
            Assert.Equal([8f, 9f], lease.Workspace.Output().ToArray());
        }
    }

    private static long BytesOf(Network<float> network, int rows) =>
        network.CreateWorkspace(rows, WorkspaceOptions.Inference, ComputeContext.SingleThreaded).Bytes;

    [Fact]
    public void More_callers_than_a_process_has_threads_are_refused_by_the_option()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new PredictorOptions { MaximumConcurrency = int.MaxValue });
        var predictor = new Predictor<float>(Identity(), new PredictorOptions { MaximumConcurrency = 65536 });
        Assert.Equal(0, predictor.PredictClass([2, 1]));
    }
}
