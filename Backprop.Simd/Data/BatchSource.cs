using System.Numerics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Data;

/// <summary>The endless sequence of batches as a function of the batch number, counted from the first batch of epoch 0.</summary>
internal sealed class BatchSource<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly LoaderOptions<T> _options;
    private readonly BatchTransform<T>[] _transforms;
    private readonly int[] _scratch;
    private readonly int[]? _rows;
    private readonly int _count;

    public BatchSource(Dataset<T> set, int batchSize, LoaderOptions<T> options)
    {
        ArgumentNullException.ThrowIfNull(set);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        ArgumentNullException.ThrowIfNull(options.Transforms, nameof(options));
        (Set, BatchSize, _options) = (set, batchSize, options);
        _rows = options.Rows is null ? null : [.. options.Rows];
        foreach (var row in _rows ?? [])
        {
            if ((uint)row >= (uint)set.Count)
                throw new ArgumentException($"'Rows' names row {row}; the set has the rows 0 to {set.Count - 1}.", nameof(options));
        }

        _count = _rows?.Length ?? set.Count;
        if (_count == 0)
            throw new ArgumentException("There are no rows to read.", _rows is null ? nameof(set) : nameof(options));
        BatchesPerEpoch = options.DropLast ? _count / batchSize : (int)(((long)_count + batchSize - 1) / batchSize);
        if (BatchesPerEpoch == 0)
            throw new ArgumentOutOfRangeException(nameof(batchSize), batchSize,
                $"{_count} rows do not fill a batch of {batchSize}, and DropLast drops short batches.");
        RowsPerEpoch = options.DropLast ? BatchesPerEpoch * batchSize : _count;
        _transforms = [.. options.Transforms];
        _scratch = new int[_transforms.Length];
        for (var i = 0; i < _transforms.Length; i++)
        {
            ArgumentNullException.ThrowIfNull(_transforms[i], nameof(options));
            _scratch[i] = _transforms[i].ScratchFor(set.Columns);
            if (_transforms[i] is ImageAugmentation<T> augmentation)
                augmentation.RequireOwnStream(_transforms.AsSpan(0, i));
        }
    }

    public Dataset<T> Set { get; }

    public int BatchSize { get; }

    public int RowsPerEpoch { get; }

    public int BatchesPerEpoch { get; }

    public Batch<T> CreateBatch() => Set.CreateBatch(Math.Min(BatchSize, _count));

    public DataCursor CursorOf(long number) => new(checked((int)(number / BatchesPerEpoch)), (int)(number % BatchesPerEpoch));

    public long NumberOf(DataCursor cursor)
    {
        if (cursor.Epoch < 0 || cursor.Batch < 0 || cursor.Batch >= BatchesPerEpoch)
            throw new ArgumentOutOfRangeException(nameof(cursor), cursor, $"The epoch must be 0 or more, and the batch 0 to {BatchesPerEpoch - 1}.");
        return (long)cursor.Epoch * BatchesPerEpoch + cursor.Batch;
    }

    /// <summary>Makes batches on one thread.</summary>
    public sealed class Reader(BatchSource<T> source, ComputeContext compute)
    {
        private int[]? _order;
        private T[] _scratch = [];
        private int _epoch = -1;

        /// <summary>Makes a batch. Only the first call allocates.</summary>
        public void Read(long number, Batch<T> batch)
        {
            var cursor = source.CursorOf(number);
            var order = OrderOf(cursor.Epoch);
            var start = cursor.Batch * source.BatchSize;
            source.Set.Read(order.AsSpan(start, Math.Min(source.BatchSize, source._count - start)), batch, compute);
            batch.Cursor = cursor;
            for (var i = 0; i < source._transforms.Length; i++)
                source._transforms[i].Apply(batch, _scratch.AsSpan(0, source._scratch[i]), source._options.Seed);

            // In a random order, the rows of the next batch are prefetched while this batch is in use.
            start += source.BatchSize;
            if (source._options is { Shuffle: true, Workers: 1 } && start < source._count)
                source.Set.Announce(order.AsSpan(start, Math.Min(source.BatchSize, source._count - start)));
        }

        private int[] OrderOf(int epoch)
        {
            if (_order is null)
            {
                _scratch = new T[source._scratch.Append(0).Max()];
                var order = new int[source._count];
                First(order);
                _order = order;
                _epoch = source._options.Shuffle ? -1 : epoch;
            }

            if (source._options.Shuffle && epoch != _epoch)
            {
                First(_order);
                RowOrder.Shuffle(source._options.Seed, epoch, _order);
                _epoch = epoch;
            }

            return _order;
        }

        private void First(int[] order)
        {
            if (source._rows is null)
                RowOrder.Identity(order);
            else
                source._rows.CopyTo(order, 0);
        }
    }
}
