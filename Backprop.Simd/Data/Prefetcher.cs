using System.Numerics;
using System.Runtime.ExceptionServices;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Data;

/// <summary>
/// Threads that read batches ahead into a ring: of W threads, thread w reads the numbers n with n mod W = w, so that who reads what
/// is fixed; batch n lies in place n mod ring.
/// </summary>
/// <remarks>
/// The ring has a place more than are read ahead: that of the batch in use. A thread that found the ring full sleeps until half
/// of it is free: otherwise each batch taken would cost a wake-up. Threads hold this object, never the loader.
/// </remarks>
internal sealed class Prefetcher<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    // A plain monitor: Lock allocates when it is first contended.
    private readonly object _gate = new();
    private readonly BatchSource<T> _source;
    private readonly Batch<T>[] _ring;
    private readonly long[] _ready;              // The number of the batch in each place; -1 without.
    private readonly Exception?[] _failures;
    private readonly AutoResetEvent[] _wake;     // One per thread, the last is the caller's.
    private readonly Thread[] _threads;
    private readonly long[] _positions;          // What each thread reads next.
    private readonly bool[] _asleep;
    private readonly int _workers;
    private long _expected = -1;                 // What the caller takes next if it does not jump.
    private long _limit;                         // Numbers below this may be read.
    private int _busy;
    private bool _paused, _closed, _callerWaits;

    public Prefetcher(BatchSource<T> source, int ahead, int workers)
    {
        (_source, _workers) = (source, workers);
        _ring = new Batch<T>[ahead + 1];
        for (var i = 0; i < _ring.Length; i++)
            _ring[i] = source.CreateBatch();
        _ready = new long[_ring.Length];
        _failures = new Exception?[_ring.Length];
        _wake = new AutoResetEvent[workers + 1];
        for (var i = 0; i < _wake.Length; i++)
            _wake[i] = new AutoResetEvent(false);
        _threads = new Thread[workers];
        _positions = new long[workers];
        _asleep = new bool[workers];
    }

    /// <summary>Gives the batch in use back and waits for batch <paramref name="number"/>.</summary>
    public Batch<T> Take(long number)
    {
        var place = (int)(number % _ring.Length);
        Exception? failure;
        lock (_gate)
        {
            if (number != _expected)
                Restart(number);
            _limit = number + _ring.Length;
            WakeThreads();
            while (_ready[place] != number && !_closed)
                Wait();
            ThrowIfClosed();
            failure = _failures[place];
            _expected = failure is null ? number + 1 : -1; // After a failure all is read again.
        }

        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        return _ring[place];
    }

    /// <summary>Ends the threads; a thread that reads a batch ends after it.</summary>
    public void Close(bool wait)
    {
        lock (_gate)
        {
            _closed = true;
            foreach (var wake in _wake)
                wake.Set();
        }

        foreach (var thread in _threads)
        {
            if (wait && thread is not null && thread != Thread.CurrentThread)
                thread.Join();
        }
    }

    /// <summary>Lets the threads finish what they read, and sets them to another place.</summary>
    private void Restart(long number)
    {
        _expected = -1; // Until it has worked: who interrupts the wait finds the threads paused.
        _paused = true;
        while (_busy > 0 && !_closed)
            Wait();
        ThrowIfClosed();
        Array.Fill(_ready, -1);
        Array.Clear(_failures);
        for (var worker = 0; worker < _workers; worker++)
            _positions[worker] = number + (worker - number % _workers + _workers) % _workers;
        _paused = false;
        for (var worker = 0; worker < _workers; worker++)
        {
            if (_threads[worker] is not null)
                continue;
            var thread = new Thread(static state =>
            {
                var (prefetcher, index) = ((Prefetcher<T>, int))state!;
                prefetcher.Loop(index);
            })
            {
                IsBackground = true,
                Name = $"Backprop.Simd loader {worker}",
            };
            thread.Start((this, worker));
            _threads[worker] = thread; // What the system refuses to start is tried again by the next call.
        }
    }

    /// <summary>Wakes those that may read, once half of what is read ahead is free.</summary>
    private void WakeThreads()
    {
        for (var worker = 0; worker < _workers; worker++)
        {
            if (!_asleep[worker] || _limit - _positions[worker] < Math.Max(1, _ring.Length / 2))
                continue;
            _asleep[worker] = false;
            _wake[worker].Set();
        }
    }

    /// <summary>Leaves the gate until something has changed.</summary>
    private void Wait()
    {
        _callerWaits = true;
        Monitor.Exit(_gate);
        try
        {
            _wake[_workers].WaitOne();
        }
        finally
        {
            Monitor.Enter(_gate);
            _callerWaits = false;
        }
    }

    private void Loop(int worker)
    {
        var reader = new BatchSource<T>.Reader(_source, ComputeContext.SingleThreaded);
        while (true)
        {
            var number = -1L;
            lock (_gate)
            {
                if (_closed)
                    return;
                if (!_paused && _positions[worker] < _limit)
                {
                    number = _positions[worker];
                    _positions[worker] += _workers;
                    _busy++;
                }

                _asleep[worker] = number < 0;
            }

            if (number < 0)
                _wake[worker].WaitOne();
            else
                Read(reader, number);
        }
    }

    private void Read(BatchSource<T>.Reader reader, long number)
    {
        var place = (int)(number % _ring.Length);
        Exception? failure = null;
        try
        {
            reader.Read(number, _ring[place]);
        }
#pragma warning disable CA1031 // Handed to the caller, whatever it is.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            failure = exception;
        }

        lock (_gate)
        {
            _busy--;
            _ready[place] = number;
            _failures[place] = failure;
            if (_callerWaits && (number == _limit - _ring.Length || _paused))
                _wake[_workers].Set();
        }
    }

    private void ThrowIfClosed() => ObjectDisposedException.ThrowIf(_closed, typeof(BatchLoader<T>));
}
