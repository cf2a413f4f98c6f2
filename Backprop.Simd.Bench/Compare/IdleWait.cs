using System.Diagnostics;

namespace Backprop.Simd.Bench;

/// <summary>Waits until no other thread of the process has run for a while, so that the spinning workers of one side take no core from the next.</summary>
internal static class IdleWait
{
    private static readonly TimeSpan _idle = TimeSpan.FromMilliseconds(20);

    /// <summary>What the runtime's own threads may use in that time.</summary>
    private static readonly TimeSpan _allowed = TimeSpan.FromMilliseconds(1);

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(3);

    /// <summary>Returns after 20 ms in which the process used less than 1 ms of processor time.</summary>
    /// <exception cref="TimeoutException">Workers were busy for 3 s on end.</exception>
    public static void ForWorkers()
    {
        var start = Stopwatch.GetTimestamp();
        do
        {
            var before = Environment.CpuUsage.TotalTime;
            Thread.Sleep(_idle);
            if (Environment.CpuUsage.TotalTime - before < _allowed)
                return;
        }
        while (Stopwatch.GetElapsedTime(start) < _patience);

        throw new TimeoutException("The workers of a side do not come to rest: no sample can be taken.");
    }
}
