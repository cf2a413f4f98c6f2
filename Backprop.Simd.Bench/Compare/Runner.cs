using System.Diagnostics;
using System.Runtime;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Bench;

/// <summary>Measures cases: checks every side, warms it up past tiering, then takes samples in rounds whose order of sides rotates.</summary>
internal sealed class Runner(IReadOnlyList<IPeer> peers, int threads, int rounds) : IDisposable
{
    /// <summary>A sample lasts at least this long, or one call.</summary>
    private const double SampleOfOneThread = 1e6, SampleOfThreads = 5e6;

    /// <summary>With threads, calls before a sample: workers, and the processors under them, take milliseconds to wake.</summary>
    private const double WakeNanoseconds = 3e6;

    /// <summary>A method is counted for the next tier after 100 ms without new ones, and compiled in the background after 30 calls.</summary>
    private const int WarmUpCalls = 32, TierDelayMilliseconds = 120;

    /// <summary>
    /// Quiet rounds that end the warm-up where there were new methods, and the most it takes. Counting, instrumented code and final
    /// code follow each other, each behind the delay, and the start of the program holds all of it up: the first case takes more.
    /// </summary>
    private const int QuietRounds = 5, FirstQuietRounds = 10, MaximumRounds = 20;

    /// <summary>
    /// A round is quiet if no side's time fell below this part of its last time, and no more methods were compiled than the runtime's own
    /// timers need.
    /// </summary>
    private const double Settled = 0.9;

    private const int StrayMethods = 2;

    /// <summary>Bounds of the warm-up of a side, in nanoseconds; loops in calls that last longer are compiled on entry.</summary>
    private const double MinimumWarmUp = 2e6, MaximumWarmUp = 100e6;

    /// <summary>A row that seems to be above its limit is measured again so often; the limit is the best of all.</summary>
    private const int Retries = 6;

    /// <summary>A call this long is sampled in a third of the rounds.</summary>
    private const double LongNanoseconds = 100e6;

    private readonly ComputeContext? _context = threads == 1 ? null : new ComputeContext(threads);
    /// <summary>This library on one thread, beside itself on more.</summary>
    private readonly BackpropPeer? _oneThread = threads == 1 ? null : new BackpropPeer();

    private readonly PeakMeter<float> _float = new(threads);
    private readonly PeakMeter<double> _double = new(threads);
    private long _compiled;

    private double SampleNanoseconds => threads == 1 ? SampleOfOneThread : SampleOfThreads;

    public double PeakGflops(string type) => type == "float" ? _float.Gflops : _double.Gflops;

    public PeakMeter<float> FloatPeak => _float;

    public PeakMeter<double> DoublePeak => _double;

    /// <summary>Measures a case. Null where no side has a form, or this library has none.</summary>
    public Row? Measure(Case c)
    {
        var stream = new Timing();
        var row = MeasureOnce(c, stream);
        for (var i = 0; i < Retries && row is not null && row.IsImpossible(PeakGflops(c.Type)); i++)
            row = MeasureOnce(c, stream);
        return row;
    }

    private Row? MeasureOnce(Case c, Timing stream)
    {
        var row = new Row(c.Area, c.Name, c.Type, threads, c.Operations) { Stream = stream };
        var prepared = c.Prepare();
        var sides = new List<Side>();
        var calls = new List<Call>();
        try
        {
            foreach (var peer in peers)
            {
                var (call, error) = CheckedCall(prepared, peer);
                if (call is not null)
                    calls.Add(call);
                if (error is not null)
                    row.Wrong.Add((peer.Name, error));
                else if (call is not null)
                    sides.Add(new Side(call.Run, row.Sides[peer.Name] = new Timing()));
                else if (peer.Name == BackpropPeer.Ours)
                    return null;
            }

            if (_oneThread is not null && row.Ours is not null && prepared.CallOf(_oneThread) is { } one)
            {
                calls.Add(one);
                sides.Add(new Side(one.Run, row.OneThread));
            }

            if (calls.Count == 0)
                return null;
            sides.AddRange(prepared.Streams(_context).Select(form => new Side(form, row.Stream)));
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

    public void Dispose()
    {
        _context?.Dispose();
        _oneThread?.Dispose();
        _float.Dispose();
        _double.Dispose();
    }

    /// <summary>The call of a peer, null if it has none, and what is wrong with its result; a peer that throws is as wrong.</summary>
    private static (Call? Call, string? Error) CheckedCall(PreparedCase prepared, IPeer peer)
    {
        Call? call = null;
        try
        {
            call = prepared.CallOf(peer);
            call?.Run();
            return (call, call is null ? null : prepared.Verify(call.Result()));
        }
        catch (Exception e)
        {
            return (call, $"{e.GetType().Name}: {e.Message.Split('\n')[0]}");
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
                    Wake(side);
                side.Timing.Add(Time(side.Run, side.Repeats) / side.Repeats);
            }
        }

        _compiled = JitInfo.GetCompiledMethodCount();
    }

    /// <summary>Calls every side until the JIT has nothing left to do for them, and their times have settled.</summary>
    private void WarmUp(List<Side> sides)
    {
        var fresh = JitInfo.GetCompiledMethodCount() != _compiled;
        var enough = _compiled == 0 ? FirstQuietRounds : QuietRounds;
        for (int quiet = 0, i = 0; quiet < (fresh ? enough : 1) && i < MaximumRounds; i++)
        {
            var before = JitInfo.GetCompiledMethodCount();
            var settled = true;
            foreach (var side in sides.Where(s => s.Quiet < enough))
            {
                var last = side.Estimate;
                WarmUp(side);
                side.Quiet = side.Estimate > last * Settled ? side.Quiet + 1 : 0;
                settled &= side.Quiet > 0;
            }

            Thread.Sleep(TierDelayMilliseconds);
            var compiled = JitInfo.GetCompiledMethodCount() - before;
            fresh |= compiled > 0;
            quiet = settled && compiled <= StrayMethods ? quiet + 1 : 0;
        }

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

        side.Estimate = elapsed / calls;
    }

    /// <summary>The other sides' data leaves the caches and the branch history; with threads, the workers wake.</summary>
    private void Wake(Side side)
    {
        var start = Stopwatch.GetTimestamp();
        do
            side.Run();
        while (threads > 1 && Stopwatch.GetElapsedTime(start).TotalNanoseconds < WakeNanoseconds);
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

        /// <summary>Nanoseconds of a call, by the last warm-up.</summary>
        public double Estimate { get; set; }

        /// <summary>Rounds of the warm-up in a row in which it became no faster.</summary>
        public int Quiet { get; set; }

        public int Repeats { get; set; } = 1;
    }
}
