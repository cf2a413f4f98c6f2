namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>What a piece of work allocates on the thread that does it.</summary>
internal static class ThreadAllocations
{
    private const int Rounds = 6;

    /// <summary>
    /// The least of several rounds, the first left out: what the runtime allocates while it compiles a method again comes once, what the work
    /// allocates comes each time.
    /// </summary>
    public static long Least(Action work)
    {
        work();
        var least = long.MaxValue;
        for (var round = 0; round < Rounds && least > 0; round++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            work();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        return least;
    }
}
