using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Layers;

/// <summary>
/// The step in progress, for gradient targets. They update some parameters at once, without storing their gradients. The rest of the
/// step skips the ranges that are done.
/// </summary>
/// <remarks>
/// In a batch of one row a gradient is an outer product. It is applied after the layer's backward pass, because the layer may still
/// read the weights. Until then its two operands are kept here.
/// </remarks>
/// <param name="parameters">The parameter block.</param>
/// <param name="gradients">The gradient block.</param>
/// <param name="most">The largest number of ranges that a step may update.</param>
/// <param name="longest">The number of elements of all operands of one layer's outer products.</param>
internal sealed class StepUpdates<T>(AlignedBuffer<T> parameters, AlignedBuffer<T> gradients, int most, int longest)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly AlignedBuffer<T> _operands = new(longest);
    private readonly Outer[] _waiting = new Outer[most];

    /// <summary>The ranges that are updated, in descending order, as the backward pass reaches them.</summary>
    private readonly BlockRange[] _done = new BlockRange[most];
    private readonly BlockRange[] _rest = new BlockRange[2 * most + 1];
    private int _waitingCount, _doneCount, _operandsUsed;

    private IUpdateSource<T>? _optimizer;

    /// <summary>The bytes of the operands.</summary>
    public long Bytes => _operands.Bytes;

    /// <summary>Begins a step. Outside a step, gradients are stored.</summary>
    public void Begin(IUpdateSource<T> optimizer)
    {
        _optimizer = optimizer;
        _doneCount = _waitingCount = _operandsUsed = 0;
    }

    /// <summary>Ends a step. If a layer threw, what it left waiting is dropped.</summary>
    public void End()
    {
        _optimizer = null;
        _waitingCount = _operandsUsed = 0;
    }

    /// <summary>Whether a range has been updated in this step.</summary>
    public bool IsDone(BlockRange range)
    {
        if (_optimizer is null)
            return false;
        for (var i = _doneCount - 1; i >= 0 && _done[i].Start <= range.Start; i--)
        {
            if (_done[i].Start == range.Start)
                return true;
        }

        return false;
    }

    /// <summary>Keeps the gradient x dy of a matrix of parameters, a column times a row, to apply it later.</summary>
    /// <returns>False if the gradient must be stored: there is no step in progress, or the shape does not suit.</returns>
    public bool TakeOuter(BlockRange range, ReadOnlyMatrix<T> x, ReadOnlyMatrix<T> dy)
    {
        var (rows, columns) = (x.Rows, dy.Columns);
        if (_optimizer is null || columns < OuterUpdate<T>.LeastColumns || _doneCount + _waitingCount == _done.Length
            || rows + columns > _operands.Length - _operandsUsed || IndexOf(range) >= 0)
        {
            return false;
        }

        var outer = new Outer(range, _operandsUsed, rows, columns);
        Copy(x, rows, x.RowStride, XOf(outer));
        Copy(dy, columns, dy.ColumnStride, DyOf(outer));
        _operandsUsed += rows + columns;
        _waiting[_waitingCount++] = outer;
        return true;
    }

    /// <summary>Stores a gradient that is kept as an outer product, for a layer that reads it or adds to it.</summary>
    /// <exception cref="InvalidOperationException">The gradient was applied at once and was never stored.</exception>
    public void Store(BlockRange range)
    {
        if (IsDone(range))
            throw new InvalidOperationException("This step has already applied this gradient and has not stored it. Write further parts through Adding.");
        if (_waitingCount == 0 || IndexOf(range) is not (>= 0 and var at))
            return;
        Store(_waiting[at]);
        for (; at < _waitingCount - 1; at++)
            _waiting[at] = _waiting[at + 1];
        _waitingCount--;
    }

    /// <summary>
    /// Begins another part of a gradient of which a part was applied at once. The parts add up, because only an update that is linear in the
    /// gradient is applied to some rows (<see cref="TryRows"/>).
    /// </summary>
    public void Reopen(BlockRange range)
    {
        if (!IsDone(range))
            return;
        gradients.Span.Slice(range.Start, range.Length).Clear();
        var at = Array.IndexOf(_done, range, 0, _doneCount--);
        for (; at < _doneCount; at++)
            _done[at] = _done[at + 1];
    }

    /// <summary>Applies the outer products of a layer, after its backward pass.</summary>
    public void Finish(ComputeContext context)
    {
        for (var i = 0; i < _waitingCount; i++)
        {
            var outer = _waiting[i];
            var visitor = new OuterUpdate<T>(parameters.Span, outer.Range, XOf(outer), DyOf(outer), context);
            if (_optimizer!.TryVisit(outer.Range, ref visitor))
                MarkDone(outer.Range);
            else
                Store(outer);
        }

        _waitingCount = _operandsUsed = 0;
    }

    /// <summary>Updates the rows of a table whose gradient is dy[n], summed in order of n, in row indices[n].</summary>
    /// <param name="range">The table.</param>
    /// <param name="dy">The gradients.</param>
    /// <param name="indices">The row of each; checked.</param>
    /// <param name="columns">The elements of a row.</param>
    /// <param name="skippedIndex">The row whose gradient is zero; -1 for none.</param>
    /// <param name="order">Room for as many numbers as indices.</param>
    /// <param name="context">The threads.</param>
    /// <returns>False if the gradient must be stored: there is no step in progress, or its optimizer changes parameters of zero
    /// gradient.</returns>
    public bool TryRows(BlockRange range, ReadOnlySpan<T> dy, ReadOnlySpan<int> indices, int columns, int skippedIndex, Span<ulong> order,
        ComputeContext context)
    {
        if (_optimizer is null || _doneCount + _waitingCount == _done.Length || IsDone(range))
            return false;
        var visitor = new RowsUpdate<T>(parameters.Span, range, dy, indices, columns, skippedIndex, order, context);
        if (!_optimizer.TryVisit(range, ref visitor) || !visitor.IsDone)
            return false;
        MarkDone(range);
        return true;
    }

    /// <summary>The parameters that have been updated already.</summary>
    public ReadOnlySpan<BlockRange> Done => _done.AsSpan(0, _doneCount);

    /// <summary>The parts of the trainable ranges that are still to be updated.</summary>
    public ReadOnlySpan<BlockRange> Rest(ReadOnlySpan<BlockRange> trainable)
    {
        if (_doneCount == 0)
            return trainable;
        var (rest, next) = (0, _doneCount - 1);
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

    private Span<T> XOf(Outer outer) => _operands.Span.Slice(outer.Start, outer.Rows);

    private Span<T> DyOf(Outer outer) => _operands.Span.Slice(outer.Start + outer.Rows, outer.Columns);

    private void Store(Outer outer) => Gemm.Multiply(
        new(XOf(outer), outer.Rows, 1), new(DyOf(outer), 1, outer.Columns),
        new Matrix<T>(gradients.Span.Slice(outer.Range.Start, outer.Range.Length), outer.Rows, outer.Columns));

    private int IndexOf(BlockRange range)
    {
        for (var i = 0; i < _waitingCount; i++)
        {
            if (_waiting[i].Range.Start == range.Start)
                return i;
        }

        return -1;
    }

    private void MarkDone(BlockRange range)
    {
        var at = _doneCount++;
        for (; at > 0 && _done[at - 1].Start < range.Start; at--)
            _done[at] = _done[at - 1];
        _done[at] = range;
    }

    /// <summary>Elements that lie <paramref name="stride"/> apart.</summary>
    private static void Copy(ReadOnlyMatrix<T> source, int length, int stride, Span<T> destination)
    {
        if (stride == 1 || length == 1)
        {
            source.Span[..length].CopyTo(destination);
            return;
        }

        for (var i = 0; i < length; i++)
            destination[i] = source.Span[i * stride];
    }

    private readonly record struct Outer(BlockRange Range, int Start, int Rows, int Columns);
}
