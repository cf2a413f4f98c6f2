using System.Diagnostics;
using System.Runtime;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>Measures cases: checks every side, warms it up past tiering, then takes samples in rounds whose order of sides rotates.</summary>
internal sealed class Runner(IReadOnlyList<IPeer> peers, int threads, int rounds) : IDisposable
{
    /// <summary>A sample lasts at least this long, or one call.</summary>
    private const double SampleNanoseconds = 1e6;

    /// <summary>A method is counted for the next tier after 100 ms without new ones, and compiled in the background after 30 calls.</summary>
    private const int WarmUpCalls = 32, TierDelayMilliseconds = 120;

    /// <summary>Bounds of the warm-up of a side, in nanoseconds; loops in calls that last longer are compiled on entry.</summary>
    private const double MinimumWarmUp = 2e6, MaximumWarmUp = 100e6;

    /// <summary>A call this long is sampled in a third of the rounds.</summary>
    private const double LongNanoseconds = 100e6;

    private readonly ComputeContext? _context = threads == 1 ? null : new ComputeContext(threads);
    private readonly PeakMeter<float> _float = new(threads);
    private readonly PeakMeter<double> _double = new(threads);
    private long _compiled;

    public double PeakGflops(string type) => type == "float" ? _float.Gflops : _double.Gflops;

    public PeakMeter<float> FloatPeak => _float;

    public PeakMeter<double> DoublePeak => _double;

    /// <summary>Measures a case; again, up to twice, if a side seems to be above the limit. Null where no side has a form, or this library has none.</summary>
    public Row? Measure(Case c)
    {
        var row = MeasureOnce(c);
        for (var i = 0; i < 2 && row is not null && row.IsImpossible(PeakGflops(c.Type)); i++)
            row = MeasureOnce(c);
        return row;
    }

    private Row? MeasureOnce(Case c)
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
                {
                    if (peer.Name == BackpropPeer.Ours)
                        return null;
                    continue;
                }

                calls.Add(call);
                if (Check(prepared, call) is { } error)
                    row.Wrong.Add((peer.Name, error));
                else
                    sides.Add(new Side(call.Run, row.Sides[peer.Name] = new Timing()));
            }

            if (calls.Count == 0)
                return null;
            if (prepared.Stream(_context) is { } stream)
                sides.AddRange(stream.Forms().Select(form => new Side(form, row.Stream)));
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
        WarmUp(sides);
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

    /// <summary>Calls every side until the JIT has nothing left to do for them.</summary>
    private void WarmUp(List<Side> sides)
    {
        var fresh = JitInfo.GetCompiledMethodCount() != _compiled;
        for (int quiet = 0, i = 0; quiet < (fresh ? 2 : 1) && i < 8; i++)
        {
            var before = JitInfo.GetCompiledMethodCount();
            sides.ForEach(WarmUp);
            Thread.Sleep(TierDelayMilliseconds);
            var changed = JitInfo.GetCompiledMethodCount() != before;
            fresh |= changed;
            quiet = changed ? 0 : quiet + 1;
        }

        // An estimate from slow code would make samples too short.
        sides.ForEach(side => side.Estimate = double.MaxValue);
        sides.ForEach(WarmUp);
    }

    private static void WarmUp(Side side)
    {
        var start = Stopwatch.GetTimestamp();
        var calls = 0;
        double elapsed;
        do
        {
            side.Run();
            calls++;
            elapsed = Stopwatch.GetElapsedTime(start).TotalNanoseconds;
        }
        while (elapsed < MinimumWarmUp || (calls < WarmUpCalls && elapsed < MaximumWarmUp));

        side.Estimate = Math.Min(side.Estimate, elapsed / calls);
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
