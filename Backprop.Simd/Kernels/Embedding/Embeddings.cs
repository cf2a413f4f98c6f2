using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Rows of a table by their indices, and the gradient by the table.</summary>
internal static unsafe class Embeddings
{
    /// <summary>Nanoseconds per element that is copied or added, out of cache.</summary>
    private const double Cost = 0.2;

    /// <summary>Columns that a thread takes at least: no two threads share a cache line of aligned rows.</summary>
    private const int Columns = 16;

    /// <summary>Buckets that indices are counted in: a power of two, and the counts fit the first-level cache.</summary>
    private const int Buckets = 2048;

    /// <summary>Throws unless all indices are in [0, <paramref name="rows"/>).</summary>
    /// <param name="indices">The indices, <paramref name="perRow"/> for each row of a batch.</param>
    /// <param name="perRow">Indices of a row.</param>
    /// <param name="rows">The rows of the table.</param>
    public static void Check(ReadOnlySpan<int> indices, int perRow, int rows)
    {
        // Negative indices are the largest of all as unsigned numbers.
        Vector<uint> most = default;
        var i = 0;
        for (; i <= indices.Length - Vector<int>.Count; i += Vector<int>.Count)
            most = Vector.Max(most, Vector.AsVectorUInt32(Vector.Create(indices[i..])));
        var largest = 0u;
        for (var lane = 0; lane < Vector<uint>.Count; lane++)
            largest = Math.Max(largest, most[lane]);
        for (; i < indices.Length; i++)
            largest = Math.Max(largest, (uint)indices[i]);
        if (largest >= (uint)rows && !indices.IsEmpty)
            Throw(indices, perRow, rows);
    }

    [DoesNotReturn]
    private static void Throw(ReadOnlySpan<int> indices, int perRow, int rows)
    {
        var at = 0;
        while ((uint)indices[at] < (uint)rows)
            at++;
        throw new ArgumentException($"Indices lie in [0, {rows}); row {at / perRow} has {indices[at]} (number {at % perRow} of {perRow}).", nameof(indices));
    }

    /// <summary>y[n] = table[indices[n]]. The indices have been checked.</summary>
    public static void Gather<T>(ReadOnlySpan<T> table, ReadOnlySpan<int> indices, int columns, Span<T> y, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.SameLength(indices.Length * columns, y.Length);
        compute.For(indices.Length, 1, y.Length * Cost, new GatherBody<T>(table, indices, columns, y));
    }

    /// <summary>
    /// dTable[indices[n]] += dy[n], without one index. A table that is to be overwritten is cleared first. Threads
    /// share the columns.
    /// </summary>
    /// <remarks>
    /// The first <see cref="BlockSums.Rows"/> occurrences of a row and fewer are added in order of n; more are summed in the order of
    /// <see cref="BlockSums"/>. Which rows may have more is found by counting in few buckets; only what falls into full ones is sorted.
    /// </remarks>
    /// <param name="dy">The gradients.</param>
    /// <param name="indices">The row of each; checked.</param>
    /// <param name="columns">The elements of a row.</param>
    /// <param name="skippedIndex">The row whose gradient is zero, or -1.</param>
    /// <param name="dTable">The gradient by the table.</param>
    /// <param name="order">Room for as many numbers as indices.</param>
    /// <param name="compute">The threads, each with <see cref="RowsUpdate{T}.ThreadBytes"/>.</param>
    public static void Scatter<T>(ReadOnlySpan<T> dy, ReadOnlySpan<int> indices, int columns, int skippedIndex, Destination<T> dTable,
        Span<ulong> order, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dTable.IsWanted)
            return;
        SpanGuard.SameLength(indices.Length * columns, dy.Length);
        var table = dTable.Span;
        if (!dTable.Adds)
            compute.For(table.Length, 1024, table.Length * 0.05, new ClearBody<T>(table));
        Span<int> counts = stackalloc int[Buckets];
        var often = 0;
        if (indices.Length <= BlockSums.Rows)
        {
            counts = [];
        }
        else
        {
            counts.Clear();
            foreach (var index in indices)
                counts[index & Buckets - 1] += index == skippedIndex ? 0 : 1;
            if (counts.IndexOfAnyInRange(BlockSums.Rows + 1, int.MaxValue) < 0)
                counts = [];
            for (var n = 0; !counts.IsEmpty && n < indices.Length; n++)
            {
                var index = indices[n];
                if (index != skippedIndex && counts[index & Buckets - 1] > BlockSums.Rows)
                    order[often++] = (ulong)(uint)index << 32 | (uint)n;
            }
        }

        KeySort.Ascending(order[..often]);
        var body = new SimdRange<T, ScatterBody<T>>(new(dy, indices, columns, skippedIndex, table, counts, order[..often]), SimdWidth.Widest);
        compute.For(columns, Columns, dy.Length * Cost, in body);
    }

    private readonly ref struct GatherBody<T>(ReadOnlySpan<T> table, ReadOnlySpan<int> indices, int columns, Span<T> y) : IRangeBody
        where T : unmanaged
    {
        private readonly ReadOnlySpan<T> _table = table;
        private readonly ReadOnlySpan<int> _indices = indices;
        private readonly Span<T> _y = y;

        public void Execute(int start, int limit)
        {
            for (var n = start; n < limit; n++)
                _table.Slice(_indices[n] * columns, columns).CopyTo(_y.Slice(n * columns, columns));
        }
    }

    private readonly ref struct ClearBody<T>(Span<T> destination) : IRangeBody
        where T : unmanaged
    {
        private readonly Span<T> _destination = destination;

        public void Execute(int start, int limit) => _destination[start..limit].Clear();
    }

    /// <summary>Without counts, no row occurs often; else what falls into full buckets is in the order.</summary>
    private readonly ref struct ScatterBody<T>(ReadOnlySpan<T> dy, ReadOnlySpan<int> indices, int columns, int skippedIndex, Span<T> dTable,
        ReadOnlySpan<int> counts, ReadOnlySpan<ulong> order) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy;
        private readonly ReadOnlySpan<int> _indices = indices, _counts = counts;
        private readonly ReadOnlySpan<ulong> _order = order;
        private readonly Span<T> _dTable = dTable;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            // Indices and order are the caller's memory: what becomes an offset is checked here, whoever writes to them meanwhile.
            nint width = limit - start;
            var rows = _dTable.Length / columns;
            fixed (T* from = _dy, to = _dTable)
            {
                for (var n = 0; n < _indices.Length; n++)
                {
                    var index = _indices[n];
                    if (index != skippedIndex && (_counts.IsEmpty || _counts[index & Buckets - 1] <= BlockSums.Rows))
                        RowSums<TVector, T>.Add(from + (nint)n * columns + start, to + (nint)Below(index, rows) * columns + start, width);
                }

                if (_order.IsEmpty)
                    return;
                fixed (T* slots = KernelScratch.Get<T>(BlockSums.MostSlots(columns) * (int)width))
                {
                    for (var order = _order; !order.IsEmpty;)
                    {
                        var run = Run(order);
                        order = order[run.Length..];
                        var row = to + (nint)Below((int)(run[0] >> 32), rows) * columns + start;
                        if (run.Length <= BlockSums.Rows)
                        {
                            foreach (var key in run)
                                RowSums<TVector, T>.Add(from + (nint)Below((int)key, _indices.Length) * columns + start, row, width);
                            continue;
                        }

                        RunSum<TVector, T>(from + start, _indices.Length, run, columns, width, slots);
                        RowSums<TVector, T>.Add(slots, row, width);
                    }
                }
            }
        }
    }

    /// <summary>The keys at the beginning that have the row of the first: row times 2^32 + n.</summary>
    public static ReadOnlySpan<ulong> Run(ReadOnlySpan<ulong> order)
    {
        var (row, length) = (order[0] >> 32, 1);
        while (length < order.Length && order[length] >> 32 == row)
            length++;
        return order[..length];
    }

    /// <summary>A number that becomes an offset.</summary>
    private static int Below(int index, int count)
    {
        if ((uint)index >= (uint)count)
            ThrowChanged(index, count);
        return index;
    }

    [DoesNotReturn]
    private static void ThrowChanged(int index, int count) =>
        throw new ArgumentException($"An index changed to {index} while the pass was reading it; it must stay in [0, {count}).", "indices");

    /// <summary>The sum of the rows of a run, into the first slot. dy has <paramref name="count"/> rows.</summary>
    public static void RunSum<TVector, T>(T* dy, int count, ReadOnlySpan<ulong> run, nint stride, nint width, T* slots)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var block = 0;
        for (; !run.IsEmpty; block++)
        {
            var slot = BlockSums.Slot(slots, block, width);
            new Span<T>(slot, (int)width).Clear();
            foreach (var key in run[..Math.Min(BlockSums.Rows, run.Length)])
                RowSums<TVector, T>.Add(dy + (nint)Below((int)key, count) * stride, slot, width);
            run = run[Math.Min(BlockSums.Rows, run.Length)..];
            BlockSums.Join(slots, block, width, (int)width);
        }

        BlockSums.Finish(slots, block, width, (int)width);
    }
}
