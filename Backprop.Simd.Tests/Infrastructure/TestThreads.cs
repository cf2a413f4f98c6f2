using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>Contexts that share even the smallest work, and the proof that they did.</summary>
internal static class TestThreads
{
    /// <summary>The team sizes under which results must have the same bits.</summary>
    public static ReadOnlySpan<int> Counts => [1, 2, 3, 8];

    /// <summary>A context whose threshold for inline work is 0: every thread that can have a block gets one.</summary>
    public static ComputeContext Create(int threads) => new(threads) { InlineNanoseconds = 0 };

    /// <summary>How many parts each thread has run so far; index 0 is the caller.</summary>
    public static long[] Snapshot(ComputeContext context) => context.PartsRun.ToArray();

    /// <summary>Fails unless each of the first <paramref name="workers"/> threads has run a part since <paramref name="before"/>.</summary>
    public static void AssertEachWorked(ComputeContext context, long[] before, int workers, string what)
    {
        var after = context.PartsRun;
        for (var i = 0; i < workers; i++)
            Assert.True(after[i] > before[i], $"{what}: worker {i} of {workers} did nothing.");
    }
}
