using System.Runtime.CompilerServices;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Threading;

public sealed class ComputeContextLifetimeTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public void A_disposed_context_runs_everything_on_the_caller()
    {
        var context = TestThreads.Create(4);
        var threads = Workers(context);
        context.Dispose();
        AssertEnded(threads);
        for (var i = 0; i < 100; i++)
        {
            var recorder = new RangeRecorder(50);
            context.For(50, 1, 1e9, recorder.AsBody);
            recorder.AssertInline("after Dispose");
        }

        Assert.Throws<FormatException>(() => context.For(4, 1, 1, new DelegateBody((_, _) => throw new FormatException())));
    }

    [Fact]
    public void A_context_may_be_disposed_before_its_first_loop_and_twice()
    {
        for (var i = 0; i < 50; i++)
        {
            var context = TestThreads.Create(1 + i % 5);
            context.Dispose();
            context.Dispose();
            var recorder = new RangeRecorder(10);
            context.For(10, 1, 1, recorder.AsBody);
            recorder.AssertInline("disposed before use");
        }
    }

    [Fact]
    public void Dispose_inside_a_loop_ends_the_team_after_it()
    {
        var context = TestThreads.Create(4);
        var threads = Workers(context);
        var recorder = new RangeRecorder(4);
        context.For(4, 1, 1, new DelegateBody((start, limit) =>
        {
            if (start == 2)
                context.Dispose();
            recorder.AsBody.Execute(start, limit);
        }));
        recorder.AssertEachItemOnce("the loop that disposes");
        AssertEnded(threads);
        var later = new RangeRecorder(4);
        context.For(4, 1, 1, later.AsBody);
        later.AssertInline("after it");
    }

    [Fact]
    public void Dispose_beside_a_running_loop_loses_no_item()
    {
        for (var repeat = 0; repeat < 100; repeat++)
        {
            var context = TestThreads.Create(3);
            var threads = Workers(context);
            var started = new ManualResetEventSlim();
            var failure = default(Exception);
            var runner = new Thread(() =>
            {
                try
                {
                    for (var i = 0; i < 200; i++)
                    {
                        var recorder = new RangeRecorder(7);
                        context.For(7, 1, 1, recorder.AsBody);
                        recorder.AssertEachItemOnce($"loop {i}");
                        started.Set();
                    }
                }
                catch (Exception exception)
                {
                    failure = exception;
                    started.Set();
                }
            });
            runner.Start();
            started.Wait();
            if (repeat % 2 == 0)
                Thread.SpinWait(repeat * 20);
            context.Dispose();
            Assert.True(runner.Join(Patience), "A loop beside Dispose hangs.");
            Assert.Null(failure);
            AssertEnded(threads);
        }
    }

    [Fact]
    public void A_forgotten_context_ends_its_threads()
    {
        var threads = Forget();
        for (var i = 0; i < 20 && threads.Any(thread => thread.IsAlive); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Sleep(10);
        }

        AssertEnded(threads);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static Thread[] Forget() => Workers(TestThreads.Create(3));
    }

    [Fact]
    public void The_default_context_has_all_processors_and_cannot_be_disposed()
    {
        var context = ComputeContext.Default;
        Assert.Same(context, ComputeContext.Default);
        Assert.Equal(Math.Clamp(Environment.ProcessorCount, 1, 1024), context.Threads);
        context.Dispose();
        if (context.Threads == 1)
            return;
        // Others may be using it meanwhile; a loop that gets the team shows that it lives.
        for (var i = 0; i < 10_000; i++)
        {
            var recorder = new RangeRecorder(1000);
            context.For(1000, 1, 1e12, recorder.AsBody);
            recorder.AssertEachItemOnce("the default context after Dispose");
            if (recorder.Ranges.Any(range => range.Thread != Thread.CurrentThread))
                return;
        }

        Assert.Fail("The default team no longer works.");
    }

    [Fact]
    public void The_single_threaded_context_runs_on_its_caller()
    {
        Assert.Equal(1, ComputeContext.SingleThreaded.Threads);
        ComputeContext.SingleThreaded.Dispose();
        var recorder = new RangeRecorder(100);
        ComputeContext.SingleThreaded.For(100, 1, 1e12, recorder.AsBody);
        recorder.AssertInline("one thread");
        Assert.Single(recorder.Ranges);
    }

    private static Thread[] Workers(ComputeContext context)
    {
        var recorder = new RangeRecorder(context.Threads);
        context.For(context.Threads, 1, 1, recorder.AsBody);
        var threads = recorder.Ranges.Select(range => range.Thread).Where(thread => thread != Thread.CurrentThread).ToArray();
        Assert.Equal(context.Threads - 1, threads.Length);
        return threads;
    }

    private static void AssertEnded(Thread[] threads) =>
        Assert.All(threads, thread => Assert.True(thread.Join(Patience), $"'{thread.Name}' does not end."));
}
