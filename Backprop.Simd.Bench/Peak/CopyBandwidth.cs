using System.Diagnostics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>The rate at which one large array is copied to another.</summary>
internal static class CopyBandwidth
{
    private const int Rounds = 12;

    /// <summary>64 MB: more than the caches hold.</summary>
    private const int Bytes = 64 << 20;

    /// <summary>Bytes read and written per nanosecond, the best of twelve rounds of the fastest form.</summary>
    public static double Measure(int threads)
    {
        using var context = new ComputeContext(threads);
        var forms = new StreamLoop<float>(new Streams(1, 1), context, new AlignedBuffer<float>(Bytes / sizeof(float))).Forms().ToArray();
        var best = double.MaxValue;
        for (var round = 0; round < Rounds; round++)
        {
            foreach (var form in forms)
            {
                var start = Stopwatch.GetTimestamp();
                form();
                best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds);
            }
        }

        return 2.0 * Bytes / best;
    }
}
