using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Applies an optimizer's step to the rows of a table whose gradient is dTable[indices[n]] += dy[n], in order of n: only the rows
/// that occur are read and written, if the optimizer leaves parameters of zero gradient alone.
/// </summary>
/// <remarks>
/// Occurrences are sorted by index, then n; the occurrences of a row are summed from zero, in the order of
/// <see cref="BlockSums"/>, on the thread that has the first occurrence. The sum updates the row: the bits are those of a whole gradient.
/// </remarks>
internal ref struct RowsUpdate<T>(Span<T> parameters, BlockRange range, ReadOnlySpan<T> dy, ReadOnlySpan<int> indices,
    int columns, int skippedIndex, Span<ulong> order, ComputeContext context) : IUpdateVisitor<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Nanoseconds per element of the gradient and stream, out of cache.</summary>
    private const double Cost = 0.3;

    private readonly Span<T> _parameters = parameters.Slice(range.Start, range.Length);
    private readonly ReadOnlySpan<T> _dy = dy;
    private readonly ReadOnlySpan<int> _indices = indices;
    private readonly Span<ulong> _order = order;

    /// <summary>Whether the step was applied.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Bytes that a thread needs for the gradient of a row, however often it occurs.</summary>
    public static long ThreadBytes(int columns) => (long)BlockSums.MostSlots(columns) * columns * sizeof(double);

    public void Visit<TUpdate>(TUpdate update, Span<T> first, Span<T> second, Span<T> third) where TUpdate : struct, IUpdate<T>
    {
        if (!TUpdate.LeavesZeroGradients)
            return;
        if (TUpdate.States > 0)
            first = first.Slice(range.Start, range.Length);
        if (TUpdate.States > 1)
            second = second.Slice(range.Start, range.Length);
        if (TUpdate.States > 2)
            third = third.Slice(range.Start, range.Length);
        var count = 0;
        for (var n = 0; n < _indices.Length; n++)
        {
            if (_indices[n] != skippedIndex)
                _order[count++] = (ulong)_indices[n] << 32 | (uint)n;
        }

        var order = _order[..count];
        KeySort.Ascending(order);
        var body = new Body<TUpdate>(update, _parameters, _dy, columns, order, first, second, third);
        context.For(count, 1, (double)count * columns * Cost * (1 + TUpdate.States), in body);
        IsDone = true;
    }

    private readonly unsafe ref struct Body<TUpdate>(TUpdate update, Span<T> parameters, ReadOnlySpan<T> dy, int columns,
        ReadOnlySpan<ulong> order, Span<T> first, Span<T> second, Span<T> third) : IRangeBody
        where TUpdate : struct, IUpdate<T>
    {
        private readonly Span<T> _parameters = parameters, _first = first, _second = second, _third = third;
        private readonly ReadOnlySpan<T> _dy = dy;
        private readonly ReadOnlySpan<ulong> _order = order;

        public void Execute(int start, int limit)
        {
            // A row belongs to the thread of its first occurrence.
            while (start > 0 && start < limit && RowOf(start) == RowOf(start - 1))
                start++;
            var slots = KernelScratch.Get<T>(BlockSums.MostSlots(columns) * columns);
            var sum = slots[..columns];
            for (var at = start; at < limit;)
            {
                var row = RowOf(at);
                var run = Embeddings.Run(_order[at..]);
                at += run.Length;
                new SimdRange<T, SumBody>(new(_dy, run, slots), SimdWidth.Widest).Execute(0, columns);
                var step = new StepBody(update, sum, Row(_parameters, row, 0), Row(_first, row, 1), Row(_second, row, 2), Row(_third, row, 3));
                new SimdRange<T, StepBody>(step, SimdWidth.Widest).Execute(0, columns);
            }
        }

        private int RowOf(int at) => (int)(_order[at] >> 32);

        private Span<T> Row(Span<T> block, int row, int needed) => TUpdate.States >= needed ? block.Slice(row * columns, columns) : [];

        private readonly ref struct SumBody(ReadOnlySpan<T> dy, ReadOnlySpan<ulong> run, Span<T> slots) : ISimdRangeBody<T>
        {
            private readonly ReadOnlySpan<T> _dy = dy;
            private readonly ReadOnlySpan<ulong> _run = run;
            private readonly Span<T> _slots = slots;

            public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
            {
                fixed (T* dy = _dy, slots = _slots)
                    Embeddings.RunSum<TVector, T>(dy, _dy.Length / (limit - start), _run, limit - start, limit - start, slots);
            }
        }

        private readonly ref struct StepBody(
            TUpdate update, ReadOnlySpan<T> gradient, Span<T> parameter, Span<T> first, Span<T> second, Span<T> third) : ISimdRangeBody<T>
        {
            private readonly ReadOnlySpan<T> _gradient = gradient;
            private readonly Span<T> _parameter = parameter, _first = first, _second = second, _third = third;

            public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
            {
                fixed (T* g = _gradient, p = _parameter, s = _first, t = _second, u = _third)
                    UpdateLoops.Run<TVector, T, TUpdate>(update, g + start, p + start, s + start, t + start, u + start, limit - start);
            }
        }
    }
}
