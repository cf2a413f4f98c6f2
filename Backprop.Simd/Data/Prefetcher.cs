using System.Numerics;
using System.Runtime.ExceptionServices;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Data;

/// <summary>
/// Threads that read batches ahead into a ring. Of W threads, thread w always reads the batches n with n mod W = w. Batch n lies in slot n mod
/// the size of the ring.
/// </summary>
/// <remarks>
/// The ring has one slot more than the batches read ahead: the slot of the batch in use. A thread that finds the ring full sleeps until half
/// of the ring is free; otherwise every batch would cost a wake-up. The threads reference this object, never the loader.
/// </remarks>
internal sealed class Prefetcher<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    // A plain monitor, because a Lock allocates when threads first contend for it.
    private readonly object _gate = new();
    private readonly BatchSource<T> _source;
    private readonly Batch<T>[] _ring;
    private readonly long[] _ready;              // The number of the batch in each slot; -1 if the slot is empty.
    private readonly Exception?[] _failures;
    private readonly AutoResetEvent[] _wake;     // One per thread; the last is for the caller.
    private readonly Thread[] _threads;
    private readonly long[] _positions;          // The batch that each thread reads next.
    private readonly bool[] _asleep;
    private readonly int _workers;
    private long _expected = -1;                 // The batch that the caller takes next if it does not jump.
    private long _limit;                         // Batches below this number may be read.
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

    /// <summary>Returns the batch in use and waits for batch <paramref name="number"/>.</summary>
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
            _expected = failure is null ? number + 1 : -1; // After a failure, everything is read again.
        }

        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        return _ring[place];
    }

    /// <summary>Ends the threads. A thread that is reading a batch ends after it.</summary>
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

    /// <summary>Waits until the threads have finished their batches, and sets them to another position.</summary>
    private void Restart(long number)
    {
        _expected = -1; // Until the jump is complete: if the wait is interrupted, the threads stay paused.
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
            _threads[worker] = thread; // If the system refuses to start a thread, the next call tries again.
        }
    }

    /// <summary>Wakes the threads that may read, once half of the ring is free.</summary>
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

    /// <summary>Releases the gate until something has changed.</summary>
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
#pragma warning disable CA1031 // Every exception goes to the caller.
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
