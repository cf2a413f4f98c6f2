using System.Numerics;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Runs a kernel on 1, 2, 3 and 8 threads, each of them forced to take part.</summary>
internal static class Threads
{
    /// <param name="run">Runs the kernel and returns all that it wrote.</param>
    public static void AssertSameBits<T>(Func<ComputeContext?, T[]> run) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var expected = run(null);
        foreach (var threads in TestThreads.Counts)
        {
            using var context = TestThreads.Create(threads);
            Guarded<T>.AssertSameBits(expected, run(context));
            foreach (var parts in context.PartsRun)
                Assert.True(parts > 0, "A thread had nothing to do: the sample is too small.");
        }
    }
}
