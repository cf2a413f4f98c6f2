using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// y[o, c] = max over the real cells of window o of x[cell, c]; dx[cell, c] = the sum of dy[o, c] over the windows that the cell won.
/// </summary>
/// <remarks>
/// Of equal cells the first in row-major order wins, and of NaNs the first. Channels are the lanes of the registers. Rows of
/// outputs are independent forward, images backward.
/// </remarks>
internal static unsafe class MaxPooling
{
    /// <summary>Nanoseconds per cell of a window.</summary>
    private const double Cost = 0.08;

    /// <summary>Outputs, and the number of the winning cell within its window where <paramref name="cells"/> is not empty.</summary>
    public static void Forward<T>(in PoolingShape shape, ReadOnlySpan<T> x, Span<T> y, Span<int> cells,
        ComputeContext? context, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        var images = x.Length / shape.InputSize;
        SpanGuard.SameLength(images * shape.InputSize, x.Length);
        SpanGuard.SameLength(images * shape.OutputSize, y.Length);
        if (!cells.IsEmpty)
            SpanGuard.SameLength(y.Length, cells.Length);
        SpanGuard.Disjoint(x, y);
        width = RegisterWidth.OfColumns<T>(shape.Channels, width);
        var body = new SimdRange<T, ForwardBody<T>>(new(shape, x, y, cells), width);
        PoolingLoops.For(in body, images * shape.Rows.Outputs, images * shape.CellsRead * Cost, context);
    }

    /// <summary>The gradient by the images, or dx += it.</summary>
    public static void Backward<T>(in PoolingShape shape, ReadOnlySpan<T> dy, ReadOnlySpan<int> cells, Destination<T> dx,
        ComputeContext? context, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        SpanGuard.Supported<T>();
        var images = dx.Span.Length / shape.InputSize;
        SpanGuard.SameLength(images * shape.InputSize, dx.Span.Length);
        SpanGuard.SameLength(images * shape.OutputSize, dy.Length);
        SpanGuard.SameLength(dy.Length, cells.Length);
        SpanGuard.Disjoint(dy, dx.Span, nameof(dx));
        width = RegisterWidth.OfColumns<T>(shape.Channels, width);
        var body = new SimdRange<T, BackwardBody<T>>(new(shape, dy, cells, dx), width);
        PoolingLoops.For(in body, images, images * shape.CellsRead * 2 * Cost, context);
    }

    private readonly ref struct ForwardBody<T>(PoolingShape shape, ReadOnlySpan<T> x, Span<T> y, Span<int> cells) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<T> _y = y;
        private readonly Span<int> _cells = cells;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* x = _x, y = _y)
            {
                fixed (int* cells = _cells)
                {
                    var row = (nint)shape.Columns.Outputs * shape.Channels;
                    for (var item = start; item < limit; item++)
                    {
                        var (image, oy) = Math.DivRem(item, shape.Rows.Outputs);
                        var from = x + (nint)image * shape.InputSize;
                        var to = item * row;
                        if (shape.Channels < TVector.Count)
                            NarrowPooling<T>.MaxRow(in shape, from, oy, y + to, cells is null ? null : cells + to);
                        else if (shape.IsTiled && shape is { Rows.Kernel: 2, Columns.Kernel: 2 })
                            MaxPoolingLoops<TVector, T>.PairsRow(in shape, from, oy, y + to, cells is null ? null : cells + to);
                        else
                            MaxPoolingLoops<TVector, T>.Row(in shape, from, oy, y + to, cells is null ? null : cells + to);
                    }
                }
            }
        }
    }

    private readonly ref struct BackwardBody<T>(PoolingShape shape, ReadOnlySpan<T> dy, ReadOnlySpan<int> cells, Destination<T> dx) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy;
        private readonly ReadOnlySpan<int> _cells = cells;
        private readonly Destination<T> _dx = dx;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* dy = _dy, dx = _dx.Span)
            {
                fixed (int* cells = _cells)
                {
                    for (var image = start; image < limit; image++)
                    {
                        nint from = (nint)image * shape.OutputSize, to = (nint)image * shape.InputSize;
                        var isNarrow = shape.Channels < TVector.Count;
                        if (!_dx.Adds && shape.IsTiled && !isNarrow)
                        {
                            MaxPoolingLoops<TVector, T>.TiledImage(in shape, dy + from, cells + from, dx + to);
                            continue;
                        }

                        if (!_dx.Adds)
                            new Span<T>(dx + to, shape.InputSize).Clear();
                        if (isNarrow)
                            NarrowPooling<T>.MaxGradient(in shape, dy + from, cells + from, dx + to);
                        else
                            MaxPoolingLoops<TVector, T>.ScatterImage(in shape, dy + from, cells + from, dx + to);
                    }
                }
            }
        }
    }
}

/// <summary>The loops of <see cref="MaxPooling"/> for at least a register of channels.</summary>
internal static unsafe class MaxPoolingLoops<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>One row of outputs, any windows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(in PoolingShape shape, T* x, int oy, T* y, int* winners)
    {
        var (channels, kernel, originY) = (shape.Channels, shape.Columns.Pitch, shape.Rows.Origin(oy));
        var (down, across) = (shape.Rows.Dilation, shape.Columns.Dilation);
        var (top, bottom) = shape.Rows.Cells(oy);
        nint line = (nint)shape.Columns.Size * channels;
        for (var ox = 0; ox < shape.Columns.Outputs; ox++)
        {
            var originX = shape.Columns.Origin(ox);
            var (left, right) = shape.Columns.Cells(ox);
            for (var channel = 0; channel < channels; channel += TVector.Count)
            {
                var block = PoolingLanes<TVector, T>.Block(channel, channels);
                var first = x + top * line + (nint)left * channels + block;
                var best = TVector.Load(first);
                var winner = PoolingLanes<TVector, T>.Cell((top - originY) / down * kernel + (left - originX) / across);
                for (var iy = top; iy < bottom; iy += down)
                {
                    var at = x + iy * line + (nint)left * channels + block;
                    var cell = (iy - originY) / down * kernel + (left - originX) / across;
                    for (var ix = left; ix < right; ix += across)
                    {
                        var value = TVector.Load(at);
                        var keeps = value <= best | TVector.IsNaN(best);
                        best = TVector.Select(keeps, best, value);
                        winner = TVector.Select(keeps, winner, PoolingLanes<TVector, T>.Cell(cell++));
                        at += across * channels;
                    }
                }

                TVector.Store(y + block, best);
                if (winners is not null)
                    PoolingLanes<TVector, T>.StoreCells(winners + block, winner);
            }

            y += channels;
            winners = winners is null ? null : winners + channels;
        }
    }

    /// <summary>One row of outputs of 2 x 2 windows side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void PairsRow(in PoolingShape shape, T* x, int oy, T* y, int* winners)
    {
        nint channels = shape.Channels, line = (nint)shape.Columns.Size * channels, last = channels - TVector.Count;
        var upper = x + 2 * oy * line;
        TVector cell0 = PoolingLanes<TVector, T>.Cell(0), cell1 = PoolingLanes<TVector, T>.Cell(1);
        TVector cell2 = PoolingLanes<TVector, T>.Cell(2), cell3 = PoolingLanes<TVector, T>.Cell(3);
        for (var ox = shape.Columns.Outputs; ox > 0; ox--)
        {
            nint channel = 0;
            while (true)
            {
                T* p = upper + channel, q = p + line;
                TVector a = TVector.Load(p), b = TVector.Load(p + channels), c = TVector.Load(q), d = TVector.Load(q + channels);
                var keepsA = b <= a | TVector.IsNaN(a);
                var keepsC = d <= c | TVector.IsNaN(c);
                a = TVector.Select(keepsA, a, b);
                c = TVector.Select(keepsC, c, d);
                var keeps = c <= a | TVector.IsNaN(a);
                TVector.Store(y + channel, TVector.Select(keeps, a, c));
                if (winners is not null)
                {
                    var winner = TVector.Select(keeps, TVector.Select(keepsA, cell0, cell1), TVector.Select(keepsC, cell2, cell3));
                    PoolingLanes<TVector, T>.StoreCells(winners + channel, winner);
                }

                if (channel == last)
                    break;
                channel = Math.Min(channel + TVector.Count, last);
            }

            upper += 2 * channels;
            y += channels;
            winners = winners is null ? null : winners + channels;
        }
    }

    /// <summary>dx of an image whose windows lie side by side: each cell is written once, 0 where it did not win.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TiledImage(in PoolingShape shape, T* dy, int* winners, T* dx)
    {
        var (height, width, outputs) = (shape.Rows.Kernel, shape.Columns.Kernel, shape.Columns.Outputs);
        nint channels = shape.Channels, line = (nint)shape.Columns.Size * channels, last = channels - TVector.Count;
        var covered = (nint)outputs * width * channels;
        for (var oy = 0; oy < shape.Rows.Outputs; oy++)
        {
            for (var ox = 0; ox < outputs; ox++)
            {
                nint channel = 0;
                while (true)
                {
                    var gradient = TVector.Load(dy + channel);
                    var winner = PoolingLanes<TVector, T>.LoadCells(winners + channel);
                    var cell = PoolingLanes<TVector, T>.CellZero;
                    var row = dx + (nint)ox * width * channels + channel;
                    for (var ky = 0; ky < height; ky++)
                    {
                        var at = row;
                        for (var kx = 0; kx < width; kx++)
                        {
                            TVector.Store(at, gradient & TVector.Equal(winner, cell));
                            cell += TVector.One;
                            at += channels;
                        }

                        row += line;
                    }

                    if (channel == last)
                        break;
                    channel = Math.Min(channel + TVector.Count, last);
                }

                dy += channels;
                winners += channels;
            }

            // The cells to the right of the last window.
            for (var ky = 0; ky < height; ky++, dx += line)
                new Span<T>(dx + covered, (int)(line - covered)).Clear();
        }

        new Span<T>(dx, (int)((shape.Rows.Size - shape.Rows.Outputs * height) * line)).Clear();
    }

    /// <summary>dx += the gradient of an image, window after window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScatterImage(in PoolingShape shape, T* dy, int* winners, T* dx)
    {
        var (channels, kernel) = (shape.Channels, shape.Columns.Pitch);
        var (down, across) = (shape.Rows.Dilation, shape.Columns.Dilation);
        nint line = (nint)shape.Columns.Size * channels;
        for (var oy = 0; oy < shape.Rows.Outputs; oy++)
        {
            var originY = shape.Rows.Origin(oy);
            var (top, bottom) = shape.Rows.Cells(oy);
            for (var ox = 0; ox < shape.Columns.Outputs; ox++)
            {
                var originX = shape.Columns.Origin(ox);
                var (left, right) = shape.Columns.Cells(ox);
                for (var channel = 0; channel < channels; channel += TVector.Count)
                {
                    var block = PoolingLanes<TVector, T>.Block(channel, channels);
                    var gradient = TVector.Load(dy + block);

                    // Lanes that the block before has added win no more: no cell has the number 0.
                    var winner = PoolingLanes<TVector, T>.LoadCells(winners + block) & PoolingLanes<TVector, T>.NewLanes(channel, block);
                    for (var iy = top; iy < bottom; iy += down)
                    {
                        var at = dx + iy * line + (nint)left * channels + block;
                        var cell = (iy - originY) / down * kernel + (left - originX) / across;
                        for (var ix = left; ix < right; ix += across)
                        {
                            var old = TVector.Load(at);
                            var wins = TVector.Equal(winner, PoolingLanes<TVector, T>.Cell(cell++));
                            TVector.Store(at, TVector.Select(wins, old + gradient, old));
                            at += across * channels;
                        }
                    }
                }

                dy += channels;
                winners += channels;
            }
        }
    }
}
