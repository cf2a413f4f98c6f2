using System.Numerics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Data;

/// <summary>Gives the batches of a set, epoch after epoch without end.</summary>
/// <remarks>
/// <para>Which rows a batch holds, and what transforms make of them, is a function of set, batch size, seed and cursor alone: not of
/// <see cref="LoaderOptions{T}.Prefetch"/>, the number of threads, or where reading began.</para>
/// <para>One thread at a time uses a loader. A loader that reads ahead has threads from its first <see cref="Next"/> on; disposing it
/// ends them, and so does the garbage collector for one that nobody holds any more. Once it is disposed nothing of the set is read.</para>
/// </remarks>
/// <typeparam name="T">float or double.</typeparam>
public sealed class BatchLoader<T> : IDisposable where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly BatchSource<T> _source;
    private readonly BatchSource<T>.Reader? _reader;
    private readonly Batch<T>? _batch;
    private readonly Prefetcher<T>? _prefetcher;
    private long _next;
    private volatile bool _disposed;

    /// <summary>Makes a loader; it reads nothing yet.</summary>
    /// <param name="set">The set, with one row or more.</param>
    /// <param name="batchSize">The rows of a batch, 1 or more; the last of an epoch may have fewer.</param>
    /// <param name="options">How it reads; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batchSize"/> is below 1, or larger than the number of rows where
    /// short batches are dropped; a number of the options is out of its range.</exception>
    /// <exception cref="ArgumentException">There are no rows, an option names a row that is not there, or a transform does not fit the set.</exception>
    public BatchLoader(Dataset<T> set, int batchSize, LoaderOptions<T>? options = null)
    {
        options ??= new LoaderOptions<T>();
        ArgumentOutOfRangeException.ThrowIfNegative(options.Prefetch, nameof(options));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(options.Prefetch, 1 << 20, nameof(options));
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Workers, 1, nameof(options));
        _source = new BatchSource<T>(set, batchSize, options);
        Seed = options.Seed;
        Options = options;
        if (options.Prefetch == 0)
        {
            _reader = new BatchSource<T>.Reader(_source, options.Compute ?? ComputeContext.Default);
            _batch = _source.CreateBatch();
        }
        else
        {
            _prefetcher = new Prefetcher<T>(_source, options.Prefetch, Math.Min(options.Workers, options.Prefetch));
        }
    }

    /// <summary>The set.</summary>
    public Dataset<T> Dataset => _source.Set;

    /// <summary>The rows of a batch.</summary>
    public int BatchSize => _source.BatchSize;

    /// <summary>The rows that an epoch gives.</summary>
    public int RowsPerEpoch => _source.RowsPerEpoch;

    /// <summary>The batches of an epoch.</summary>
    public int BatchesPerEpoch => _source.BatchesPerEpoch;

    /// <summary>The seed of the order and of the transforms.</summary>
    public ulong Seed { get; }

    /// <summary>How it reads.</summary>
    public LoaderOptions<T> Options { get; }

    /// <summary>The cursor of the batch that <see cref="Next"/> gives. Setting it goes on from there; batches read ahead are dropped.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such batch: the epoch is negative, or has not so many batches.</exception>
    public DataCursor Cursor
    {
        get => _source.CursorOf(_next);
        set => _next = _source.NumberOf(value);
    }

    /// <summary>
    /// The next batch; behind the last of an epoch comes the first of the next. Waits for it where it is read ahead; allocates
    /// nothing once all buffers have been used.
    /// </summary>
    /// <returns>The batch, valid until the next call.</returns>
    /// <exception cref="ObjectDisposedException">The loader is disposed.</exception>
    /// <remarks>What a column or a transform throws comes out here, as it is, at the batch that it belongs to. The cursor stays, so that the next call tries again.</remarks>
    public Batch<T> Next()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var batch = _batch;
        if (_prefetcher is not null)
            batch = _prefetcher.Take(_next);
        else
            _reader!.Read(_next, batch!);
        _next++;
        GC.KeepAlive(this); // The finalizer ends the threads.
        return batch!;
    }

    /// <summary>Ends the threads and waits until they have ended; a call of <see cref="Next"/> in progress throws.</summary>
    public void Dispose()
    {
        _disposed = true;
        _prefetcher?.Close(wait: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the threads of a loader that nobody holds any more.</summary>
    ~BatchLoader() => _prefetcher?.Close(wait: false);
}
