using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>The sizes of bags of indices.</summary>
/// <param name="Length">The indices of a bag.</param>
/// <param name="Count">The rows of the table.</param>
/// <param name="Size">The length of a row.</param>
/// <param name="Mode">What is made of a bag.</param>
/// <param name="Padding">The row that does not count; -1 for none.</param>
internal readonly record struct Bags(int Length, int Count, int Size, BagMode Mode, int Padding)
{
    /// <summary>Throws unless lengths lie in 0 to <see cref="Length"/>, and the indices before them are rows.</summary>
    public void Check(ReadOnlySpan<int> indices, ReadOnlySpan<int> lengths)
    {
        for (var bag = 0; bag < indices.Length / Length; bag++)
        {
            var kept = indices.Slice(bag * Length, Kept(lengths, bag));
            for (var i = 0; i < kept.Length; i++)
            {
                if ((uint)kept[i] >= (uint)Count)
                    throw new ArgumentException($"Indices lie in [0, {Count}); row {bag} has {kept[i]} (number {i} of {kept.Length}).", nameof(indices));
            }
        }
    }

    /// <summary>The indices of a bag that count.</summary>
    public int Kept(ReadOnlySpan<int> lengths, int bag)
    {
        var kept = lengths.IsEmpty ? Length : lengths[bag];
        return (uint)kept <= (uint)Length ? kept
            : throw new ArgumentException($"Lengths of bags lie in 0 to {Length}; row {bag} has {kept}.", nameof(lengths));
    }

    /// <summary>An index that has been checked before, as it is read now.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Row(int index) => (uint)index < (uint)Count ? index
        : throw new ArgumentException($"Indices lie in [0, {Count}); one is {index}.", "indices");
}

/// <summary>Bags of indices.</summary>
/// <param name="indices">The indices of all bags.</param>
/// <param name="lengths">How many of each bag count; empty where all do.</param>
/// <param name="weights">A factor for each index; empty for 1.</param>
internal readonly ref struct BagInputs<T>(ReadOnlySpan<int> indices, ReadOnlySpan<int> lengths, ReadOnlySpan<T> weights) where T : unmanaged
{
    public ReadOnlySpan<int> Indices { get; } = indices;

    public ReadOnlySpan<int> Lengths { get; } = lengths;

    public ReadOnlySpan<T> Weights { get; } = weights;
}

/// <summary>Sums, means and maxima of rows of a table, and their gradients. Bags are independent.</summary>
/// <remarks>Sums go by occurrences: up to 128 one after the other; more in such blocks, which meet pairwise.</remarks>
internal static unsafe class EmbeddingBags
{
    /// <summary>Nanoseconds per element of a row, out of cache.</summary>
    private const double Cost = 0.2;

    /// <summary>The space for sums that each thread takes.</summary>
    public static long ThreadBytes(int length, int size) =>
        length <= BlockSums.Rows ? 0 : (long)BlockSums.Slots(BlockSums.Blocks(length)) * size * sizeof(double);

    /// <summary>The space that scattering takes.</summary>
    public static long ScatterBytes(int size) => RowsUpdate<double>.ThreadBytes(size);

    /// <summary>The bags; of maxima also the number of the index that won each column, -1 for none.</summary>
    public static void Forward<T>(Bags bags, ReadOnlySpan<T> table, BagInputs<T> inputs, Span<T> y, Span<int> winners, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var count = inputs.Indices.Length / bags.Length;
        SpanGuard.SameLength(count * bags.Size, y.Length);
        SpanGuard.SameLength(bags.Count * bags.Size, table.Length);
        var body = new SimdRange<T, ForwardBody<T>>(new(bags, table, inputs, y, winners), RegisterWidth.OfColumns<T>(bags.Size));
        compute.For(count, 1, Cost * inputs.Indices.Length * bags.Size, in body);
    }

    /// <summary>The gradient of each index's row, and a copy of the indices, with a row for those that do not count.</summary>
    public static void Spread<T>(Bags bags, BagInputs<T> inputs, ReadOnlySpan<T> dy, ReadOnlySpan<int> winners, Span<T> rows, Span<int> indices,
        ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.SameLength(inputs.Indices.Length * bags.Size, rows.Length);
        SpanGuard.SameLength(inputs.Indices.Length, indices.Length);
        compute.For(inputs.Indices.Length / bags.Length, 1, Cost * rows.Length, new SpreadBody<T>(bags, inputs, dy, winners, rows, indices));
    }

    /// <summary>The gradient by the weights: dy W[i] for each index that counts, else 0.</summary>
    public static void WeightGradient<T>(Bags bags, ReadOnlySpan<T> table, BagInputs<T> inputs, ReadOnlySpan<T> dy, Destination<T> dw, ComputeContext compute)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dw.IsWanted)
            return;
        SpanGuard.SameLength(inputs.Indices.Length, dw.Span.Length);
        compute.For(inputs.Indices.Length / bags.Length, 1, Cost * dw.Span.Length * bags.Size, new WeightBody<T>(bags, table, inputs, dy, dw));
    }

    private readonly ref struct ForwardBody<T>(Bags bags, ReadOnlySpan<T> table, BagInputs<T> inputs, Span<T> y, Span<int> winners) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _table = table;
        private readonly BagInputs<T> _inputs = inputs;
        private readonly Span<T> _y = y;
        private readonly Span<int> _winners = winners;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            for (var bag = start; bag < limit; bag++)
            {
                var kept = bags.Kept(_inputs.Lengths, bag);
                var indices = _inputs.Indices.Slice(bag * bags.Length, kept);
                var y = _y.Slice(bag * bags.Size, bags.Size);
                if (bags.Mode == BagMode.Max)
                    Max(indices, y, _winners.IsEmpty ? [] : _winners.Slice(bag * bags.Size, bags.Size));
                else
                    Sum<TVector>(indices, _inputs.Weights.IsEmpty ? [] : _inputs.Weights.Slice(bag * bags.Length, kept), y);
            }
        }

        private void Sum<TVector>(ReadOnlySpan<int> indices, ReadOnlySpan<T> weights, Span<T> y) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var blocks = BlockSums.Blocks(Math.Max(indices.Length, 1));
            var counted = 0;
            fixed (T* table = _table, sum = y, slots = blocks > 1 ? KernelScratch.Get<T>(BlockSums.Slots(blocks) * bags.Size) : default)
            {
                for (var block = 0; block < blocks; block++)
                {
                    var to = blocks == 1 ? sum : BlockSums.Slot(slots, block, bags.Size);
                    new Span<T>(to, bags.Size).Clear();
                    var limit = Math.Min(indices.Length, (block + 1) * BlockSums.Rows);
                    for (var i = block * BlockSums.Rows; i < limit; i++)
                    {
                        if (indices[i] == bags.Padding)
                            continue;
                        counted++;
                        Add<TVector>(table + (nint)bags.Row(indices[i]) * bags.Size, weights.IsEmpty ? T.One : weights[i], to, bags.Size);
                    }

                    if (blocks > 1)
                        BlockSums.Join(slots, block, bags.Size, bags.Size);
                }

                if (blocks > 1)
                {
                    BlockSums.Finish(slots, blocks, bags.Size, bags.Size);
                    new ReadOnlySpan<T>(slots, bags.Size).CopyTo(y);
                }
            }

            if (bags.Mode == BagMode.Mean && counted > 0)
                TensorPrimitives.Divide(y, T.CreateTruncating(counted), y);
        }

        /// <summary>sum += weight x.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private static void Add<TVector>(T* x, T weight, T* sum, nint n) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var last = n - TVector.Count;
            if (last < 0)
            {
                for (nint i = 0; i < n; i++)
                    sum[i] += weight * x[i];
                return;
            }

            // The last register may overlap the one before, and is read first.
            var w = TVector.Create(weight);
            var lastSum = TVector.MultiplyAdd(TVector.Load(x + last), w, TVector.Load(sum + last));
            for (nint i = 0; i < last; i += TVector.Count)
                TVector.Store(sum + i, TVector.MultiplyAdd(TVector.Load(x + i), w, TVector.Load(sum + i)));
            TVector.Store(sum + last, lastSum);
        }

        private void Max(ReadOnlySpan<int> indices, Span<T> y, Span<int> winners)
        {
            y.Clear();
            winners.Fill(-1);
            var isFirst = true;
            for (var i = 0; i < indices.Length; i++)
            {
                if (indices[i] == bags.Padding)
                    continue;
                var row = _table.Slice(bags.Row(indices[i]) * bags.Size, bags.Size);
                for (var d = 0; d < y.Length; d++)
                {
                    if (!isFirst && (row[d] <= y[d] || T.IsNaN(y[d])))
                        continue;
                    y[d] = row[d];
                    if (!winners.IsEmpty)
                        winners[d] = i;
                }

                isFirst = false;
            }
        }
    }

    private readonly ref struct SpreadBody<T>(
        Bags bags, BagInputs<T> inputs, ReadOnlySpan<T> dy, ReadOnlySpan<int> winners, Span<T> rows, Span<int> indices) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly BagInputs<T> _inputs = inputs;
        private readonly ReadOnlySpan<T> _dy = dy;
        private readonly ReadOnlySpan<int> _winners = winners;
        private readonly Span<T> _rows = rows;
        private readonly Span<int> _indices = indices;

        public void Execute(int start, int limit)
        {
            for (var bag = start; bag < limit; bag++)
            {
                var kept = bags.Kept(_inputs.Lengths, bag);
                var own = _inputs.Indices.Slice(bag * bags.Length, bags.Length);
                var dy = _dy.Slice(bag * bags.Size, bags.Size);
                var counted = kept - (bags.Padding < 0 ? 0 : own[..kept].Count(bags.Padding));
                for (var i = 0; i < own.Length; i++)
                {
                    var row = _rows.Slice((bag * bags.Length + i) * bags.Size, bags.Size);
                    var counts = i < kept && own[i] != bags.Padding;
                    _indices[bag * bags.Length + i] = counts ? own[i] : Math.Max(bags.Padding, 0);
                    if (!counts)
                        row.Clear();
                    else if (bags.Mode == BagMode.Max)
                        Won(dy, _winners.Slice(bag * bags.Size, bags.Size), i, row);
                    else if (bags.Mode == BagMode.Mean)
                        TensorPrimitives.Divide(dy, T.CreateTruncating(counted), row);
                    else if (_inputs.Weights.IsEmpty)
                        dy.CopyTo(row);
                    else
                        TensorPrimitives.Multiply(dy, _inputs.Weights[bag * bags.Length + i], row);
                }
            }
        }

        private static void Won(ReadOnlySpan<T> dy, ReadOnlySpan<int> winners, int number, Span<T> row)
        {
            for (var d = 0; d < row.Length; d++)
                row[d] = winners[d] == number ? dy[d] : T.Zero;
        }
    }

    private readonly ref struct WeightBody<T>(Bags bags, ReadOnlySpan<T> table, BagInputs<T> inputs, ReadOnlySpan<T> dy, Destination<T> dw) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _table = table, _dy = dy;
        private readonly BagInputs<T> _inputs = inputs;
        private readonly Destination<T> _dw = dw;

        public void Execute(int start, int limit)
        {
            for (var bag = start; bag < limit; bag++)
            {
                var kept = bags.Kept(_inputs.Lengths, bag);
                for (var i = 0; i < bags.Length; i++)
                {
                    var at = bag * bags.Length + i;
                    var index = _inputs.Indices[at];
                    var gradient = i < kept && index != bags.Padding
                        ? Reductions.Dot(_dy.Slice(bag * bags.Size, bags.Size), _table.Slice(bags.Row(index) * bags.Size, bags.Size)) : T.Zero;
                    _dw.Span[at] = _dw.Adds ? _dw.Span[at] + gradient : gradient;
                }
            }
        }
    }
}
