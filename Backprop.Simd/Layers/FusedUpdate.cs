using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>
/// The optimizer of a step in progress, for layers that can update a parameter instead of writing its gradient; and the ranges
/// that were updated so, which the rest of the step leaves out.
/// </summary>
internal sealed class FusedUpdate<T>(AlignedBuffer<T> parameters, int most)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Ranges updated, in the order of the backward pass, which is descending.</summary>
    private readonly BlockRange[] _done = new BlockRange[most];
    private readonly BlockRange[] _rest = new BlockRange[2 * most + 1];
    private int _count;

    private IUpdateSource<T>? _optimizer;

    /// <summary>A step begins; without one, gradients are to be written.</summary>
    public void Begin(IUpdateSource<T> optimizer)
    {
        _optimizer = optimizer;
        _count = 0;
    }

    public void End() => _optimizer = null;

    /// <summary>Updates a matrix of parameters by the gradient x^T dy.</summary>
    /// <returns>False if the gradient must be written: there is no step in progress, or its optimizer or the shape do not fit.</returns>
    public bool TryOuter(BlockRange range, ReadOnlySpan<T> x, ReadOnlySpan<T> dy, ComputeContext context)
    {
        if (_optimizer is null || dy.Length < OuterUpdate<T>.LeastColumns || _count == _done.Length)
            return false;
        var visitor = new OuterUpdate<T>(parameters.Span, range, x, dy, context);
        if (!_optimizer.TryVisit(range, ref visitor))
            return false;
        _done[_count++] = range;
        return true;
    }

    /// <summary>Updates the rows of a table whose gradient is dy[n], summed in order of n, in row indices[n].</summary>
    /// <param name="range">The table.</param>
    /// <param name="dy">The gradients.</param>
    /// <param name="indices">The row of each; checked.</param>
    /// <param name="columns">The elements of a row.</param>
    /// <param name="skippedIndex">The row whose gradient is zero; -1 for none.</param>
    /// <param name="order">Room for as many numbers as indices.</param>
    /// <param name="context">The threads.</param>
    /// <returns>False if the gradient must be written: there is no step in progress, or its optimizer changes parameters of zero
    /// gradient.</returns>
    public bool TryRows(BlockRange range, ReadOnlySpan<T> dy, ReadOnlySpan<int> indices, int columns, int skippedIndex, Span<ulong> order, ComputeContext context)
    {
        if (_optimizer is null || _count == _done.Length)
            return false;
        var visitor = new RowsUpdate<T>(parameters.Span, range, dy, indices, columns, skippedIndex, order, context);
        if (!_optimizer.TryVisit(range, ref visitor) || !visitor.IsDone)
            return false;
        _done[_count++] = range;
        return true;
    }

    /// <summary>What of the trainable ranges is still to be updated.</summary>
    public ReadOnlySpan<BlockRange> Rest(ReadOnlySpan<BlockRange> trainable)
    {
        if (_count == 0)
            return trainable;
        var (rest, next) = (0, _count - 1);
        foreach (var range in trainable)
        {
            var start = range.Start;
            for (; next >= 0 && _done[next].Start < range.End; next--)
            {
                if (_done[next].Start > start)
                    _rest[rest++] = new BlockRange(start, _done[next].Start - start);
                start = _done[next].End;
            }

            if (start < range.End)
                _rest[rest++] = new BlockRange(start, range.End - start);
        }

        return _rest.AsSpan(0, rest);
    }
}
