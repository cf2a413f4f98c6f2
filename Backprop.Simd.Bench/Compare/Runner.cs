using System.Diagnostics;
using System.Runtime;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>Measures cases: checks every side, warms it up past tiering, then takes samples in rounds whose order of sides rotates.</summary>
internal sealed class Runner(IReadOnlyList<IPeer> peers, int threads, int rounds) : IDisposable
{
    /// <summary>A sample lasts at least this long, or one call.</summary>
    private const double SampleNanoseconds = 1e6;

    /// <summary>Calls after which a method leaves tier 0, with room for the instrumented tier.</summary>
    private const int WarmUpCalls = 64;

    /// <summary>A warm-up ends after this long, however few its calls: such calls spend their time in loops that are compiled on entry.</summary>
    private const double WarmUpNanoseconds = 60e6;

    /// <summary>A call this long is sampled in a third of the rounds.</summary>
    private const double LongNanoseconds = 100e6;

    private readonly ComputeContext? _context = threads == 1 ? null : new ComputeContext(threads);
    private readonly PeakMeter<float> _float = new(threads);
    private readonly PeakMeter<double> _double = new(threads);
    private long _compiled;

    public double PeakGflops(string type) => type == "float" ? _float.Gflops : _double.Gflops;

    public PeakMeter<float> FloatPeak => _float;

    public PeakMeter<double> DoublePeak => _double;

    public Row Measure(Case c)
    {
        var row = new Row(c.Area, c.Name, c.Type, threads, c.Operations);
        var prepared = c.Prepare();
        var sides = new List<Side>();
        var calls = new List<Call>();
        try
        {
            foreach (var peer in peers)
            {
                if (prepared.CallOf(peer) is not { } call)
                    continue;
                calls.Add(call);
                if (Check(prepared, call) is { } error)
                    row.Wrong.Add((peer.Name, error));
                else
                    sides.Add(new Side(call.Run, row.Sides[peer.Name] = new Timing()));
            }

            if (prepared.Stream(_context) is { } stream)
            {
                sides.Add(new Side(stream.Run, row.Stream));
                if (stream.HasNonTemporalForm)
                    sides.Add(new Side(stream.RunNonTemporal, row.Stream));
            }

            SamplePeak(c.Type);
            Sample(sides);
            SamplePeak(c.Type);
            return row;
        }
        finally
        {
            calls.ForEach(call => call.Dispose());
        }
    }

    public void Dispose() => _context?.Dispose();

    /// <summary>What is wrong with a side's result; a side that throws is as wrong.</summary>
    private static string? Check(PreparedCase prepared, Call call)
    {
        try
        {
            call.Run();
            return prepared.Verify(call.Result());
        }
        catch (Exception e)
        {
            return $"{e.GetType().Name}: {e.Message.Split('\n')[0]}";
        }
    }

    private void Sample(List<Side> sides)
    {
        sides.ForEach(WarmUp);
        for (var i = 0; i < 4 && JitInfo.GetCompiledMethodCount() != _compiled; i++)
        {
            // Tier-up waits for 100 ms without new methods.
            _compiled = JitInfo.GetCompiledMethodCount();
            Thread.Sleep(150);
            sides.ForEach(WarmUp);
        }

        foreach (var side in sides)
            side.Repeats = (int)Math.Clamp(SampleNanoseconds / side.Estimate, 1, 1e6) + (side.Estimate < SampleNanoseconds ? 1 : 0);
        for (var round = 0; round < rounds; round++)
        {
            for (var i = 0; i < sides.Count; i++)
            {
                var side = sides[(i + round) % sides.Count];
                if (side.Estimate > LongNanoseconds && round % 3 != 0)
                    continue;
                if (threads > 1)
                    IdleWait.ForWorkers();
                if (side.Estimate < SampleNanoseconds)
                    side.Run(); // The other sides' data leaves the caches, the branch history and, with threads, the sleeping workers.
                side.Timing.Add(Time(side.Run, side.Repeats) / side.Repeats);
            }
        }

        _compiled = JitInfo.GetCompiledMethodCount();
    }

    private static void WarmUp(Side side)
    {
        var start = Stopwatch.GetTimestamp();
        var calls = 0;
        do
        {
            side.Run();
            calls++;
        }
        while (calls < WarmUpCalls && Stopwatch.GetElapsedTime(start).TotalNanoseconds < WarmUpNanoseconds);

        side.Estimate = Math.Min(side.Estimate, Stopwatch.GetElapsedTime(start).TotalNanoseconds / calls);
    }

    private static double Time(Action run, int repeats)
    {
        var start = Stopwatch.GetTimestamp();
        for (var i = 0; i < repeats; i++)
            run();
        return Stopwatch.GetElapsedTime(start).TotalNanoseconds;
    }

    private void SamplePeak(string type)
    {
        if (type == "float")
            _float.Sample();
        else
            _double.Sample();
    }

    private sealed class Side(Action run, Timing timing)
    {
        public Action Run { get; } = run;

        public Timing Timing { get; } = timing;

        public double Estimate { get; set; } = double.MaxValue;

        public int Repeats { get; set; } = 1;
    }
}
