using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <content>The loops.</content>
public static partial class Indexing
{
    /// <summary>Buckets that indices are counted in: a power of two, and the counts fit the first-level cache.</summary>
    private const int Buckets = 2048;

    private readonly ref struct GatherBody<T>(ReadOnlySpan<T> x, ReadOnlySpan<int> indices, IndexedShape shape, Destination<T> y) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly ReadOnlySpan<int> _indices = indices;
        private readonly Destination<T> _y = y;

        public void Execute(int start, int limit)
        {
            int length = shape.Length, inner = shape.Inner, count = shape.Count;
            for (var item = start; item < limit; item++)
            {
                var (row, outer) = Math.DivRem(item, shape.Outer);
                var x = _x.Slice((shape.Group(row) * shape.Outer + outer) * length * inner, length * inner);
                var y = _y.Span.Slice(item * count * inner, count * inner);
                var indices = _indices.Slice(row * count, count);
                for (var k = 0; k < count; k++)
                {
                    var at = Below(indices[k], length) * inner;
                    if (_y.Adds)
                        Elementwise.Add(x.Slice(at, inner), y.Slice(k * inner, inner), y.Slice(k * inner, inner));
                    else if (inner == 1)
                        y[k] = x[at];
                    else
                        x.Slice(at, inner).CopyTo(y[(k * inner)..]);
                }
            }
        }
    }

    private readonly ref struct ElementsBody<T>(ReadOnlySpan<T> x, ReadOnlySpan<int> indices, IndexedShape shape, Destination<T> y) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly ReadOnlySpan<int> _indices = indices;
        private readonly Destination<T> _y = y;

        public void Execute(int start, int limit)
        {
            int length = shape.Length, inner = shape.Inner;
            for (var item = start; item < limit; item++)
            {
                var (row, outer) = Math.DivRem(item / shape.Count, shape.Outer);
                var x = _x.Slice((shape.Group(row) * shape.Outer + outer) * length * inner, length * inner);
                var y = _y.Span.Slice(item * inner, inner);
                var indices = _indices.Slice(item * inner, inner);
                for (var i = 0; i < inner; i++)
                {
                    var value = x[Below(indices[i], length) * inner + i];
                    y[i] = _y.Adds ? y[i] + value : value;
                }
            }
        }
    }

    /// <summary>Sorts the indices of each group in which one may occur more than 128 times: index times 2^32 + its number. Else the first key
    /// says that none does.</summary>
    private readonly ref struct OrderBody(ReadOnlySpan<int> indices, Span<ulong> keys, int ofGroup) : IRangeBody
    {
        private readonly ReadOnlySpan<int> _indices = indices;
        private readonly Span<ulong> _keys = keys;

        public void Execute(int start, int limit)
        {
            Span<int> counts = stackalloc int[Buckets];
            for (var group = start; group < limit; group++)
            {
                var indices = _indices.Slice(group * ofGroup, ofGroup);
                var keys = _keys.Slice(group * ofGroup, ofGroup);
                counts.Clear();
                foreach (var index in indices)
                    counts[index & Buckets - 1]++;
                if (counts.IndexOfAnyInRange(BlockSums.Rows + 1, int.MaxValue) < 0)
                {
                    keys[0] = ulong.MaxValue;
                    continue;
                }

                for (var n = 0; n < indices.Length; n++)
                    keys[n] = (ulong)(uint)indices[n] << 32 | (uint)n;
                KeySort.Ascending(keys);
            }
        }
    }

    /// <summary>Threads share the columns of all groups: [groups, outer, inner].</summary>
    private readonly unsafe ref struct ScatterBody<T>(ReadOnlySpan<T> dy, ReadOnlySpan<int> indices, IndexedShape shape, Destination<T> x,
        ReadOnlySpan<ulong> order) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy;
        private readonly ReadOnlySpan<int> _indices = indices;
        private readonly Destination<T> _x = x;
        private readonly ReadOnlySpan<ulong> _order = order;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* dy = _dy, x = _x.Span)
            {
                while (start < limit)
                {
                    var (item, column) = Math.DivRem(start, shape.Inner);
                    var width = Math.Min(shape.Inner - column, limit - start);
                    Columns<TVector>(dy + column, x + (nint)item * shape.Length * shape.Inner + column, item / shape.Outer, item % shape.Outer, width);
                    start += width;
                }
            }
        }

        private void Columns<TVector>(T* dy, T* x, int group, int outer, int width) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            nint inner = shape.Inner;
            if (!_x.Adds)
                Clear(x, width);
            var count = shape.IndicesOfGroup;
            var order = _order.IsEmpty ? default : _order.Slice(group * count, count);
            if (order.IsEmpty || order[0] == ulong.MaxValue)
            {
                var indices = _indices.Slice(group * count, count);
                for (var n = 0; n < indices.Length; n++)
                    RowSums<TVector, T>.Add(dy + Source(n, group, outer), x + Below(indices[n], shape.Length) * inner, width);
                return;
            }

            while (!order.IsEmpty)
            {
                var run = Embeddings.Run(order);
                order = order[run.Length..];
                Sum<TVector>(dy, x + Below((int)(run[0] >> 32), shape.Length) * inner, run, (group, outer), width);
            }
        }

        /// <summary>Columns of all places, in one go where they are whole rows.</summary>
        private void Clear(T* x, int width)
        {
            var (rows, length) = width == shape.Inner ? (1, shape.Length * width) : (shape.Length, width);
            for (nint j = 0; j < rows; j++)
                new Span<T>(x + j * shape.Inner, length).Clear();
        }

        /// <summary>x += the terms of one place.</summary>
        private void Sum<TVector>(T* dy, T* x, ReadOnlySpan<ulong> run, (int Group, int Outer) part, int width)
            where TVector : unmanaged, ISimdVector<TVector, T>
        {
            if (run.Length <= BlockSums.Rows)
            {
                foreach (var key in run)
                    RowSums<TVector, T>.Add(dy + Source((int)key, part.Group, part.Outer), x, width);
                return;
            }

            fixed (T* slots = KernelScratch.Get<T>(BlockSums.Slots(BlockSums.Blocks(run.Length)) * width))
            {
                var block = 0;
                for (; !run.IsEmpty; block++)
                {
                    var slot = BlockSums.Slot(slots, block, width);
                    new Span<T>(slot, width).Clear();
                    var rows = Math.Min(BlockSums.Rows, run.Length);
                    foreach (var key in run[..rows])
                        RowSums<TVector, T>.Add(dy + Source((int)key, part.Group, part.Outer), slot, width);
                    run = run[rows..];
                    BlockSums.Join(slots, block, width, width);
                }

                BlockSums.Finish(slots, block, width, width);
                RowSums<TVector, T>.Add(slots, x, width);
            }
        }

        /// <summary>Where the term of an index of a group lies. Keys are the caller's memory.</summary>
        private nint Source(int number, int group, int outer)
        {
            var (row, k) = Math.DivRem(Below(number, shape.IndicesOfGroup), shape.Count);
            row = shape.Groups == 1 ? row : group;
            return (((nint)row * shape.Outer + outer) * shape.Count + k) * shape.Inner;
        }
    }
}
