using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Threading;

/// <summary>Many loops in a hurry: more threads than processors, sleeping and waking, callers that compete, a moving heap.</summary>
public sealed class ComputeContextStressTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Fact]
    public void Ten_thousand_small_loops_on_eight_threads()
    {
        using var context = TestThreads.Create(8);
        var counters = new long[8 * 16];
        var before = TestThreads.Snapshot(context);
        for (var i = 0; i < 10_000; i++)
            context.For(8, 1, 1, new CountParts(counters));
        for (var part = 0; part < 8; part++)
            Assert.Equal(10_000, counters[part * 16]);
        var after = TestThreads.Snapshot(context);
        for (var worker = 0; worker < 8; worker++)
            Assert.Equal(10_000, after[worker] - before[worker]);
    }

    [Fact]
    public void Loops_with_pauses_around_the_time_a_thread_falls_asleep()
    {
        using var context = TestThreads.Create(3);
        var random = new TestRandom(5);
        var counters = new long[3 * 16];
        for (var i = 0; i < 3000; i++)
        {
            context.For(3, 1, 1, new CountParts(counters));
            var until = System.Diagnostics.Stopwatch.GetTimestamp() + random.Integer(0, 120) * System.Diagnostics.Stopwatch.Frequency / 1_000_000;
            while (System.Diagnostics.Stopwatch.GetTimestamp() < until)
                Thread.SpinWait(1);
        }

        for (var part = 0; part < 3; part++)
            Assert.Equal(3000, counters[part * 16]);
    }

    [Fact]
    public void The_number_of_parts_may_change_from_loop_to_loop()
    {
        using var context = TestThreads.Create(6);
        var random = new TestRandom(6);
        var expected = new long[6];
        var counters = new long[6 * 16];
        for (var i = 0; i < 5000; i++)
        {
            var parts = random.Integer(1, 6);
            for (var part = 0; part < parts; part++)
                expected[part]++;
            context.For(parts, 1, 1, new CountParts(counters));
        }

        for (var part = 0; part < 6; part++)
            Assert.Equal(expected[part], counters[part * 16]);
    }

    [Fact]
    public void Competing_callers_all_get_their_results()
    {
        using var context = TestThreads.Create(3);
        var failures = new List<Exception>();
        var callers = new Thread[6];
        for (var caller = 0; caller < callers.Length; caller++)
        {
            var offset = caller;
            callers[caller] = new Thread(() =>
            {
                try
                {
                    var values = new int[97];
                    for (var i = 0; i < 1000; i++)
                    {
                        context.For(values.Length, 4, 1, new Assign(values, offset + i));
                        for (var at = 0; at < values.Length; at++)
                        {
                            if (values[at] != offset + i + at)
                                throw new InvalidOperationException($"Caller {offset}, loop {i}: item {at} is {values[at]}.");
                        }
                    }
                }
                catch (Exception exception)
                {
                    lock (failures)
                        failures.Add(exception);
                }
            });
            callers[caller].Start();
        }

        Assert.All(callers, caller => Assert.True(caller.Join(Patience), "A caller hangs."));
        Assert.Empty(failures);
    }

    [Fact]
    public void Spans_in_a_body_follow_a_moving_heap()
    {
        using var context = TestThreads.Create(4);
        var stop = false;
        var collector = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                _ = new byte[10_000];
                GC.Collect(0, GCCollectionMode.Forced, blocking: true, compacting: true);
                Thread.Sleep(1); // Back to back, collections would leave the loops no time.
            }
        });
        collector.Start();
        try
        {
            for (var i = 0; i < 300; i++)
            {
                _ = new byte[500]; // A hole that compaction closes.
                var values = new int[3000];
                context.For(values.Length, 16, 1, new AddSlowly { Values = values });
                for (var at = 0; at < values.Length; at++)
                    Assert.Equal(at, values[at]);
            }
        }
        finally
        {
            Volatile.Write(ref stop, true);
            collector.Join();
        }
    }

    private readonly struct CountParts(long[] counters) : IRangeBody
    {
        public void Execute(int start, int limit)
        {
            for (var part = start; part < limit; part++)
                counters[part * 16]++;
        }
    }

    private readonly struct Assign(int[] values, int offset) : IRangeBody
    {
        public void Execute(int start, int limit)
        {
            for (var i = start; i < limit; i++)
                values[i] = offset + i;
        }
    }

    private ref struct AddSlowly : IRangeBody
    {
        public Span<int> Values;

        public readonly void Execute(int start, int limit)
        {
            for (var i = start; i < limit; i++)
            {
                Values[i] += i;
                Thread.SpinWait(2);
            }
        }
    }
}
