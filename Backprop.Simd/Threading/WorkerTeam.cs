using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace Backprop.Simd.Threading;

/// <summary>
/// The persistent threads of a <see cref="ComputeContext"/>. To fork, the caller publishes a job, increases the epoch and wakes the
/// sleeping threads. To join, it waits until each thread that takes part has stored the epoch in its own cache line.
/// </summary>
internal sealed unsafe class WorkerTeam
{
    /// <summary>How long a thread spins for the next job before it sleeps.</summary>
    private static readonly long SpinTicks = Stopwatch.Frequency * 50 / 1_000_000;

    /// <summary>
    /// How long a thread spins after it woke too late for its part. The caller then does the whole job alone, which takes longer, so that
    /// the next job comes later. A thread that slept again at once would be late for every job. Threads that share processors do not
    /// spin longer, because the caller needs a processor.
    /// </summary>
    private static readonly long LateSpinTicks = Stopwatch.Frequency / 1_000;

    /// <summary>A waiting thread checks <c>PatientSpins</c> times (a few microseconds). Then it yields after every <c>YieldSpins</c> checks.</summary>
    private const int PatientSpins = 128, YieldSpins = 32;

    /// <summary>The slots of two threads lie this many longs apart: two cache lines, because processors prefetch lines in pairs.</summary>
    private const int Padding = 16;

    private readonly int _threads;
    private readonly AutoResetEvent[] _wake;
    private readonly long[] _done;     // _done[w * Padding]: the last epoch that thread w has finished
    private readonly long[] _claimed;  // _claimed[w * Padding]: the last epoch whose part w was claimed, by thread w or the caller
    private readonly int[] _asleep;    // _asleep[w * Padding * 2]: 1 while thread w sleeps or is about to sleep
    private readonly long[] _partsRun;
    private readonly Exception?[] _failures;
    private int _state;                // Idle, Running or Closed
    private volatile bool _closing;

    private const int Idle = 0, Running = 1, Closed = 2;

    /// <summary>The bits of the epoch word that hold the number of parts, so that one read tells a thread whether it takes part.</summary>
    private const int PartsBits = 11;

    // The job. The caller writes it before it increases the epoch; threads read it after they have seen the new epoch.
    private delegate*<void*, int, int, void> _invoke;
    private void* _body;
    private int _count;
    private int _granularity;
    private long _epoch; // job number << PartsBits | parts

    public WorkerTeam(int threads)
    {
        _threads = threads;
        _wake = new AutoResetEvent[threads];
        _done = new long[(threads + 1) * Padding];
        _claimed = new long[(threads + 1) * Padding];
        _asleep = new int[(threads + 1) * Padding * 2];
        _partsRun = new long[threads];
        _failures = new Exception?[threads];
        for (var worker = 1; worker < threads; worker++)
            _wake[worker] = new AutoResetEvent(false);
        try
        {
            for (var worker = 1; worker < threads; worker++)
            {
                var thread = new Thread(static state =>
                {
                    var (team, index) = ((WorkerTeam, int))state!;
                    team.Loop(index);
                })
                {
                    IsBackground = true,
                    Name = $"Backprop.Simd worker {worker}",
                };
                thread.Start((this, worker));
            }
        }
        catch
        {
            Shutdown(); // Ends the threads that did start.
            throw;
        }
    }

    public ReadOnlySpan<long> PartsRun => _partsRun;

    /// <summary>The range of one part: contiguous whole blocks. The sizes of the parts differ by at most one block.</summary>
    public static (int Start, int End) Range(int count, int granularity, int parts, int part)
    {
        var blocks = (count - 1) / granularity + 1;
        var start = (int)((long)blocks * part / parts);
        var end = (int)((long)blocks * (part + 1) / parts);
        return ((int)Math.Min((long)start * granularity, count), (int)Math.Min((long)end * granularity, count));
    }

    // takesOver: whether the caller, after its own part, runs the parts that their threads have not started. Then a thread that sleeps or
    // has no processor delays nobody.
    public void Run<TBody>(int count, int granularity, int parts, bool takesOver, in TBody body)
        where TBody : struct, IRangeBody, allows ref struct
    {
        if (Interlocked.CompareExchange(ref _state, Running, Idle) != Idle)
        {
            // A nested or concurrent call, or the team is shut down: the caller runs all parts. The ranges, and so the bits, are the same.
            for (var part = 0; part < parts; part++)
            {
                var (start, end) = Range(count, granularity, parts, part);
                Unsafe.AsRef(in body).Execute(start, end);
            }

            return;
        }

        var copy = body; // A local variable: its address is valid until the join below.
        _invoke = &Invoke<TBody>;
        _body = Unsafe.AsPointer(ref copy);
        _count = count;
        _granularity = granularity;
        var epoch = ((_epoch >> PartsBits) + 1) << PartsBits | (long)parts;

        // Order matters: store the epoch, then read who sleeps. A thread stores that it sleeps, then reads the epoch. One of the two notices.
        Interlocked.Exchange(ref _epoch, epoch);
        for (var worker = 1; worker < parts; worker++)
        {
            if (Volatile.Read(ref _asleep[worker * Padding * 2]) != 0 && Interlocked.Exchange(ref _asleep[worker * Padding * 2], 0) != 0)
                _wake[worker].Set();
        }

        Exception? failure = null;
        RunPart(0, ref failure, in copy, count, granularity, parts);
        for (var worker = 1; worker < parts; worker++)
        {
            if (takesOver && Claims(worker, epoch))
                RunPart(worker, ref failure, in copy, count, granularity, parts);
            else
                Join(worker, epoch);
        }

        _body = null;
        for (var worker = 1; worker < parts; worker++)
        {
            failure ??= _failures[worker];
            _failures[worker] = null;
        }

        Interlocked.Exchange(ref _state, Idle);
        if (_closing)
            CloseIfIdle();
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Ends the threads, now or when the current job is done. Later jobs run on their caller.</summary>
    public void Shutdown()
    {
        _closing = true;
        CloseIfIdle();
    }

    private void CloseIfIdle()
    {
        // Shutdown and the end of a job both come here; the later of the two finds the team idle.
        if (Interlocked.CompareExchange(ref _state, Closed, Idle) != Idle)
            return;
        for (var worker = 1; worker < _threads; worker++)
            _wake[worker].Set();
    }

    private static void Invoke<TBody>(void* body, int start, int end)
        where TBody : struct, IRangeBody, allows ref struct => Unsafe.AsRef<TBody>(body).Execute(start, end);

    /// <summary>Runs a part on the calling thread. It keeps any exception, because the threads must be joined before this frame ends.</summary>
    private void RunPart<TBody>(int part, ref Exception? failure, in TBody body, int count, int granularity, int parts)
        where TBody : struct, IRangeBody, allows ref struct
    {
        try
        {
            _partsRun[0]++;
            var (start, end) = Range(count, granularity, parts, part);
            Unsafe.AsRef(in body).Execute(start, end);
        }
#pragma warning disable CA1031 // Any exception: see the summary.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure ??= exception;
        }
    }

    /// <summary>
    /// Claims a part for its thread or for the caller; true for the first. Epochs only grow, so that a thread that is late, even by several
    /// jobs, finds its part claimed.
    /// </summary>
    private bool Claims(int worker, long epoch)
    {
        ref var claimed = ref _claimed[worker * Padding];
        var last = Volatile.Read(ref claimed);
        return last < epoch && Interlocked.CompareExchange(ref claimed, epoch, last) == last;
    }

    private void Join(int worker, long epoch)
    {
        var spins = 0;
        while (Volatile.Read(ref _done[worker * Padding]) != epoch)
        {
            // A thread without a processor needs this one.
            if (++spins > PatientSpins && spins % YieldSpins == 0)
                Thread.Yield();
            else
                Thread.SpinWait(1);
        }
    }

    private void Loop(int worker)
    {
        ref var done = ref _done[worker * Padding];
        ref var asleep = ref _asleep[worker * Padding * 2];
        long seen = 0;
        var spinUntil = Stopwatch.GetTimestamp() + SpinTicks;
        while (true)
        {
            var epoch = WaitForWork(worker, seen, spinUntil, ref asleep);
            if (epoch == seen)
                return;
            seen = epoch;
            // Only a thread that has claimed its part may read the job: the caller waits for these threads alone before it writes the next job.
            var parts = (int)(epoch & ((1 << PartsBits) - 1));
            if (worker >= parts)
                continue;
            if (!Claims(worker, epoch))
            {
                if (_threads <= Environment.ProcessorCount)
                    spinUntil = Stopwatch.GetTimestamp() + LateSpinTicks;
                continue;
            }

            try
            {
                _partsRun[worker]++;
                var (start, end) = Range(_count, _granularity, parts, worker);
                _invoke(_body, start, end);
            }
#pragma warning disable CA1031 // Every exception goes to the caller.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                _failures[worker] = exception;
            }

            Volatile.Write(ref done, epoch);
            spinUntil = Stopwatch.GetTimestamp() + SpinTicks; // Only after a part of its own; otherwise it might spin for ever.
        }
    }

    /// <summary>Waits for the next epoch and returns it, or returns <paramref name="seen"/> when the team is shut down.</summary>
    private long WaitForWork(int worker, long seen, long spinUntil, ref int asleep)
    {
        while (true)
        {
            var spins = 0;
            do
            {
                for (var spin = 0; spin < YieldSpins; spin++)
                {
                    var epoch = Volatile.Read(ref _epoch);
                    if (epoch != seen)
                        return epoch;
                    Thread.SpinWait(1);
                }

                spins += YieldSpins;
                if (spins > PatientSpins)
                    Thread.Yield(); // This thread may be on the caller's processor.
            }
            while (Stopwatch.GetTimestamp() < spinUntil);

            Interlocked.Exchange(ref asleep, 1);
            if (Volatile.Read(ref _epoch) == seen && Volatile.Read(ref _state) != Closed)
                _wake[worker].WaitOne();
            Interlocked.Exchange(ref asleep, 0);
            if (Volatile.Read(ref _state) == Closed && Volatile.Read(ref _epoch) == seen)
                return seen;
        }
    }
}
