using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Threading;

public sealed class ComputeContextTests
{
    private static readonly int[] ThreadCounts = [1, 2, 3, 5, 8];

    [Fact]
    public void Ranges_cover_every_item_once_and_never_cut_a_block()
    {
        foreach (var threads in ThreadCounts)
        {
            using var context = TestThreads.Create(threads);
            foreach (var count in (int[])[1, 2, 3, 7, 8, 9, 16, 17, 100, 1001])
            {
                foreach (var granularity in (int[])[1, 2, 6, 16, 100, int.MaxValue])
                {
                    var what = $"{count} items in blocks of {granularity} on {threads} threads";
                    var recorder = new RangeRecorder(count);
                    context.For(count, granularity, 1e9, recorder.AsBody);
                    recorder.AssertEachItemOnce(what);
                    Assert.Equal(Math.Min(threads, (count - 1) / granularity + 1), recorder.Ranges.Count);
                    foreach (var (start, limit, _) in recorder.Ranges)
                    {
                        Assert.True(start < limit, $"{what}: an empty range at {start}.");
                        Assert.True(start % granularity == 0, $"{what}: a range starts at {start}.");
                        Assert.True(limit == count || limit % granularity == 0, $"{what}: a range ends at {limit}.");
                    }

                    var sizes = recorder.Ranges.Select(range => (range.Limit - 1) / granularity - range.Start / granularity + 1).ToArray();
                    Assert.True(sizes.Max() - sizes.Min() <= 1, $"{what}: ranges of {sizes.Min()} to {sizes.Max()} blocks.");
                }
            }
        }
    }

    [Fact]
    public void Ranges_of_the_largest_count_do_not_overflow()
    {
        using var context = TestThreads.Create(8);
        foreach (var granularity in (int[])[1, 7, 1 << 20, int.MaxValue - 1, int.MaxValue])
        {
            var ranges = new List<(int Start, int Limit)>();
            context.For(int.MaxValue, granularity, 1e9, new DelegateBody((start, limit) =>
            {
                lock (ranges)
                    ranges.Add((start, limit));
            }));
            ranges.Sort();
            Assert.Equal(0, ranges[0].Start);
            Assert.Equal(int.MaxValue, ranges[^1].Limit);
            for (var i = 1; i < ranges.Count; i++)
                Assert.Equal(ranges[i - 1].Limit, ranges[i].Start);
        }
    }

    [Fact]
    public void Each_thread_runs_its_own_part()
    {
        foreach (var threads in ThreadCounts)
        {
            using var context = TestThreads.Create(threads);
            var owners = new Thread?[threads];
            for (var repeat = 0; repeat < 20; repeat++)
            {
                var recorder = new RangeRecorder(threads);
                var before = TestThreads.Snapshot(context);
                context.For(threads, 1, 1, recorder.AsBody);
                if (threads > 1)
                    TestThreads.AssertEachWorked(context, before, threads, $"{threads} threads");
                Assert.Equal(threads, recorder.Ranges.Select(range => range.Thread).Distinct().Count());
                foreach (var (start, _, thread) in recorder.Ranges)
                {
                    Assert.True(start == 0 ? thread == Thread.CurrentThread : thread.IsBackground);
                    Assert.Same(owners[start] ??= thread, thread);
                }
            }
        }
    }

    [Fact]
    public void Work_of_a_few_blocks_takes_as_many_threads()
    {
        using var context = TestThreads.Create(8);
        var before = TestThreads.Snapshot(context);
        for (var i = 0; i < 100; i++)
        {
            var recorder = new RangeRecorder(3);
            context.For(3, 1, 1e9, recorder.AsBody);
            recorder.AssertEachItemOnce("three blocks");
        }

        var after = TestThreads.Snapshot(context);
        for (var i = 0; i < 8; i++)
            Assert.Equal(i < 3 ? 100 : 0, after[i] - before[i]);

        // Threads that took no part join the next loop.
        var all = new RangeRecorder(8);
        context.For(8, 1, 1e9, all.AsBody);
        all.AssertEachItemOnce("eight blocks");
        TestThreads.AssertEachWorked(context, after, 8, "eight blocks");
    }

    [Theory]
    [InlineData(0.0, 1)]
    [InlineData(-5.0, 1)]
    [InlineData(double.NaN, 1)]
    [InlineData(100.0, 1)]
    [InlineData(1e12, 4)]
    [InlineData(double.PositiveInfinity, 4)]
    public void The_estimated_time_decides_how_many_threads_take_part(double nanoseconds, int expected)
    {
        using var context = new ComputeContext(4);
        var recorder = new RangeRecorder(1000);
        context.For(1000, 1, nanoseconds, recorder.AsBody);
        recorder.AssertEachItemOnce($"{nanoseconds} ns");
        Assert.Equal(expected, recorder.Ranges.Count);
        if (expected == 1)
            recorder.AssertInline($"{nanoseconds} ns");
    }

    [Fact]
    public void Nothing_runs_for_no_items()
    {
        using var context = TestThreads.Create(3);
        context.For(0, 1, 1e9, new DelegateBody((_, _) => Assert.Fail("An empty loop ran.")));
    }

    [Fact]
    public void Bad_arguments_are_named()
    {
        Assert.Equal("threads", Assert.Throws<ArgumentOutOfRangeException>(() => new ComputeContext(0)).ParamName);
        Assert.Equal("threads", Assert.Throws<ArgumentOutOfRangeException>(() => new ComputeContext(-1)).ParamName);
        Assert.Equal("threads", Assert.Throws<ArgumentOutOfRangeException>(() => new ComputeContext(1025)).ParamName);
        using var context = TestThreads.Create(2);
        var body = new DelegateBody((_, _) => Assert.Fail("A refused loop ran."));
        Assert.Equal("count", Assert.Throws<ArgumentOutOfRangeException>(() => context.For(-1, 1, 1, body)).ParamName);
        Assert.Equal("granularity", Assert.Throws<ArgumentOutOfRangeException>(() => context.For(1, 0, 1, body)).ParamName);
        Assert.Equal("granularity", Assert.Throws<ArgumentOutOfRangeException>(() => context.For(1, -1, 1, body)).ParamName);
    }

    [Fact]
    public void An_exception_in_any_thread_reaches_the_caller_and_the_team_works_on()
    {
        foreach (var threads in ThreadCounts)
        {
            using var context = TestThreads.Create(threads);
            for (var repeat = 0; repeat < 10; repeat++)
            {
                for (var failing = 0; failing < threads; failing++)
                {
                    var thrown = new InvalidOperationException($"part {failing}");
                    var finished = 0;
                    var part = failing;
                    var caught = Assert.Throws<InvalidOperationException>(() => context.For(threads, 1, 1, new DelegateBody((start, _) =>
                    {
                        if (start == part)
                            throw thrown;
                        Thread.Sleep(start % 2); // Some are still at work when the exception is thrown.
                        Interlocked.Increment(ref finished);
                    })));
                    Assert.Same(thrown, caught);
                    Assert.Equal(threads - 1, finished); // All others were waited for.

                    var recorder = new RangeRecorder(threads);
                    context.For(threads, 1, 1, recorder.AsBody);
                    recorder.AssertEachItemOnce($"after a failure in part {failing} of {threads}");
                }
            }
        }
    }

    [Fact]
    public void Of_several_exceptions_one_reaches_the_caller_and_none_lingers()
    {
        using var context = TestThreads.Create(4);
        for (var i = 0; i < 50; i++)
        {
            Assert.Throws<FormatException>(() => context.For(4, 1, 1, new DelegateBody((_, _) => throw new FormatException())));
            context.For(4, 1, 1, new RangeRecorder(4).AsBody);
        }
    }

    [Fact]
    public void A_nested_loop_runs_on_the_thread_that_asks()
    {
        using var context = TestThreads.Create(4);
        for (var repeat = 0; repeat < 50; repeat++)
        {
            var inner = Enumerable.Range(0, 4).Select(_ => new RangeRecorder(100)).ToArray();
            context.For(4, 1, 1, new DelegateBody((start, limit) =>
            {
                for (var part = start; part < limit; part++)
                {
                    context.For(100, 1, 1e9, inner[part].AsBody);
                    inner[part].AssertInline($"nested in part {part}");
                }
            }));
            for (var part = 0; part < 4; part++)
                inner[part].AssertEachItemOnce($"nested in part {part}");
        }
    }

    [Fact]
    public void An_exception_in_a_nested_loop_reaches_the_outermost_caller()
    {
        using var context = TestThreads.Create(3);
        var nested = new DelegateBody((_, _) => throw new FormatException("inner"));
        Assert.Throws<FormatException>(() => context.For(3, 1, 1, new DelegateBody((_, _) => context.For(3, 1, 1, nested))));
        var recorder = new RangeRecorder(3);
        context.For(3, 1, 1, recorder.AsBody);
        Assert.Equal(3, recorder.Ranges.Select(range => range.Thread).Distinct().Count());
    }

    [Fact]
    public void A_loop_on_another_context_inside_a_loop_has_its_own_team()
    {
        using var outer = TestThreads.Create(2);
        using var inner = TestThreads.Create(3);
        var before = TestThreads.Snapshot(inner);
        var recorder = new RangeRecorder(30);
        outer.For(2, 1, 1, new DelegateBody((start, _) =>
        {
            if (start == 1)
                inner.For(30, 1, 1, recorder.AsBody);
        }));
        recorder.AssertEachItemOnce("the inner team");
        TestThreads.AssertEachWorked(inner, before, 3, "the inner team");
    }

    [Fact]
    public void A_ref_struct_body_carries_spans()
    {
        using var context = TestThreads.Create(5);
        Span<int> values = stackalloc int[1000];
        values.Clear();
        context.For(1000, 3, 1e9, new AddIndex { Values = values });
        for (var i = 0; i < values.Length; i++)
            Assert.Equal(i, values[i]);
    }

    private ref struct AddIndex : IRangeBody
    {
        public Span<int> Values;

        public readonly void Execute(int start, int limit)
        {
            for (var i = start; i < limit; i++)
                Values[i] += i;
        }
    }
}
