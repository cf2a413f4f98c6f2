using System.Numerics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Data;

/// <summary>Reads the batches of a set, one epoch after the other, without end.</summary>
/// <remarks>
/// <para>The rows and the content of a batch depend only on the set, the batch size, the seed, the transforms and the cursor. They do not depend
/// on <see cref="LoaderOptions{T}.Prefetch"/>, the number of threads, or where reading began.</para>
/// <para>Only one thread at a time may use a loader. A loader that reads ahead starts threads at its first <see cref="Next"/>. Disposing the
/// loader ends them, and so does the garbage collector once the loader is no longer referenced. A disposed loader does not read the set.</para>
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

    /// <summary>Makes a loader. It reads nothing yet.</summary>
    /// <param name="set">The set, with one row or more.</param>
    /// <param name="batchSize">The rows of a batch, 1 or more. The last batch of an epoch may have fewer.</param>
    /// <param name="options">How to read; null for the defaults.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="batchSize"/> is below 1, or exceeds the number of rows although short
    /// batches are dropped, or a number in the options is out of range.</exception>
    /// <exception cref="ArgumentException">There are no rows, an option names a row that does not exist, or a transform does not fit the set.</exception>
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

    /// <summary>The number of rows in a batch.</summary>
    public int BatchSize => _source.BatchSize;

    /// <summary>The number of rows in an epoch.</summary>
    public int RowsPerEpoch => _source.RowsPerEpoch;

    /// <summary>The number of batches in an epoch.</summary>
    public int BatchesPerEpoch => _source.BatchesPerEpoch;

    /// <summary>The seed of the order and of the transforms.</summary>
    public ulong Seed { get; }

    /// <summary>How the loader reads.</summary>
    public LoaderOptions<T> Options { get; }

    /// <summary>The cursor of the batch that <see cref="Next"/> returns. Set it to continue elsewhere; batches read ahead are dropped.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The epoch is negative, or it has no such batch.</exception>
    public DataCursor Cursor
    {
        get => _source.CursorOf(_next);
        set => _next = _source.NumberOf(value);
    }

    /// <summary>
    /// Returns the next batch. After the last batch of an epoch comes the first batch of the next. Waits if the batch is still being read
    /// ahead. Allocates nothing once all buffers have been used.
    /// </summary>
    /// <returns>The batch, valid until the next call.</returns>
    /// <exception cref="ObjectDisposedException">The loader was disposed.</exception>
    /// <remarks>
    /// An exception of a column or a transform is thrown here, unchanged, for the batch it belongs to. The cursor stays, so that the next
    /// call tries again.
    /// </remarks>
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

    /// <summary>Ends the threads and waits for their end. A running call of <see cref="Next"/> throws.</summary>
    public void Dispose()
    {
        _disposed = true;
        _prefetcher?.Close(wait: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Ends the threads of a loader that is no longer referenced.</summary>
    ~BatchLoader() => _prefetcher?.Close(wait: false);
}
