using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
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

    /// <summary>Throws unless all indices are in [0, <paramref name="rows"/>).</summary>
    /// <param name="indices">The indices, <paramref name="perRow"/> for each row of a batch.</param>
    /// <param name="perRow">Indices of a row.</param>
    /// <param name="rows">The rows of the table.</param>
    /// <param name="firstRow">The row of the batch that the first index belongs to.</param>
    public static void Check(ReadOnlySpan<int> indices, int perRow, int rows, int firstRow)
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
            Throw(indices, perRow, rows, firstRow);
    }

    [DoesNotReturn]
    private static void Throw(ReadOnlySpan<int> indices, int perRow, int rows, int firstRow)
    {
        var at = 0;
        while ((uint)indices[at] < (uint)rows)
            at++;
        throw new ArgumentException($"Indices lie in [0, {rows}); row {firstRow + at / perRow} has {indices[at]} (number {at % perRow} of {perRow}).", nameof(indices));
    }

    /// <summary>y[n] = table[indices[n]]. The indices have been checked.</summary>
    public static void Gather<T>(ReadOnlySpan<T> table, ReadOnlySpan<int> indices, int columns, Span<T> y, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.SameLength(indices.Length * columns, y.Length);
        compute.For(indices.Length, 1, y.Length * Cost, new GatherBody<T>(table, indices, columns, y));
    }

    /// <summary>
    /// dTable[indices[n]] += dy[n], in order of n, but for one index; dTable is cleared first unless
    /// <paramref name="accumulate"/>. Threads share the columns.
    /// </summary>
    public static void Scatter<T>(ReadOnlySpan<T> dy, ReadOnlySpan<int> indices, int columns, int skippedIndex, Span<T> dTable, bool accumulate, ComputeContext compute, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.SameLength(indices.Length * columns, dy.Length);
        if (!accumulate)
            compute.For(dTable.Length, 1024, dTable.Length * 0.05, new ClearBody<T>(dTable));
        var body = new SimdRange<T, ScatterBody<T>>(new(dy, indices, columns, skippedIndex, dTable), width);
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

    private readonly ref struct ScatterBody<T>(ReadOnlySpan<T> dy, ReadOnlySpan<int> indices, int columns, int skippedIndex, Span<T> dTable) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy;
        private readonly ReadOnlySpan<int> _indices = indices;
        private readonly Span<T> _dTable = dTable;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* from = _dy, to = _dTable)
            {
                for (var n = 0; n < _indices.Length; n++)
                {
                    if (_indices[n] != skippedIndex)
                        AddTo<TVector>(from + (nint)n * columns + start, to + (nint)_indices[n] * columns + start, limit - start);
                }
            }
        }

        private static void AddTo<TVector>(T* x, T* sum, nint n) where TVector : unmanaged, ISimdVector<TVector, T> =>
            RowLoops<TVector, T>.Add(x, sum, n);
    }
}

/// <summary>Sums of short rows.</summary>
internal static unsafe class RowLoops<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>sum += x. The last register may overlap the one before, and is read first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(T* x, T* sum, nint n)
    {
        var last = n - TVector.Count;
        if (last < 0)
        {
            for (nint i = 0; i < n; i++)
                sum[i] += x[i];
            return;
        }

        var lastSum = TVector.Load(sum + last) + TVector.Load(x + last);
        for (nint i = 0; i < last; i += TVector.Count)
            TVector.Store(sum + i, TVector.Load(sum + i) + TVector.Load(x + i));
        TVector.Store(sum + last, lastSum);
    }
}
