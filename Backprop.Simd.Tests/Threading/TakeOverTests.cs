using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Threading;

public sealed class TakeOverTests
{
    [Fact]
    public void Every_part_runs_once_whoever_runs_it()
    {
        using var context = new ComputeContext(8) { InlineNanoseconds = 1e-9 };
        var counts = new int[8 * 16];
        var body = new CountBody { Counts = counts };
        const int Jobs = 5_000;
        for (var job = 0; job < Jobs; job++)
            context.For(8, 1, 1, in body);
        for (var item = 0; item < 8; item++)
            Assert.Equal(Jobs, counts[item * 16]);
    }

    [Fact]
    public void Parts_vary_from_job_to_job()
    {
        // Threads that took no part in a job, and those that come late to one, must not touch the next.
        using var context = new ComputeContext(8) { InlineNanoseconds = 1e-9 };
        var counts = new int[8 * 16];
        var body = new CountBody { Counts = counts };
        const int Rounds = 500;
        for (var round = 0; round < Rounds; round++)
        {
            for (var items = 1; items <= 8; items++)
                context.For(items, 1, 1, in body);
        }

        for (var item = 0; item < 8; item++)
            Assert.Equal(Rounds * (8 - item), counts[item * 16]);
    }

    [Fact]
    public void An_exception_reaches_the_caller_after_all_parts()
    {
        using var context = new ComputeContext(4) { InlineNanoseconds = 1e-9 };
        var counts = new int[4 * 16];
        var body = new CountBody { Counts = counts, FailsAt = 2 };
        for (var job = 1; job <= 200; job++)
        {
            Assert.Throws<InvalidOperationException>(() => context.For(4, 1, 1, in body));
            Assert.All(Enumerable.Range(0, 4), item => Assert.Equal(job, counts[item * 16]));
        }
    }

    private struct CountBody : IRangeBody
    {
        public int[] Counts;
        public int FailsAt;

        public readonly void Execute(int start, int limit)
        {
            for (var item = start; item < limit; item++)
            {
                Interlocked.Increment(ref Counts[item * 16]);
                if (FailsAt > 0 && item == FailsAt)
                    throw new InvalidOperationException("on purpose");
            }
        }
    }
}
