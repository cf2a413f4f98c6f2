using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// y[o, c] = the sum of x[cell, c] over the real cells of window o, divided by the number of its cells; dx[cell, c] = the sum of
/// dy[o, c] / that number over the windows of the cell.
/// </summary>
/// <remarks>
/// A window sums its rows one by one, then these sums; of more than 128 cells in a row, or rows, halves meet. Channels are the lanes of the
/// registers. Rows of outputs are independent
/// forward, images backward.
/// </remarks>
internal static unsafe class AveragePooling
{
    /// <summary>Nanoseconds per cell of a window.</summary>
    private const double Cost = 0.05;

    /// <param name="shape">The sizes.</param>
    /// <param name="includePadding">Whether cells of the padding count in the divisor.</param>
    /// <param name="x">The images.</param>
    /// <param name="y">The outputs.</param>
    /// <param name="context">The threads; the caller alone if null.</param>
    /// <param name="width">The register.</param>
    public static void Forward<T>(in PoolingShape shape, bool includePadding, ReadOnlySpan<T> x, Span<T> y, ComputeContext? context, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        var images = x.Length / shape.InputSize;
        SpanGuard.SameLength(images * shape.InputSize, x.Length);
        SpanGuard.SameLength(images * shape.OutputSize, y.Length);
        SpanGuard.Disjoint(x, y);
        width = RegisterWidth.OfColumns<T>(shape.Channels, width);
        var body = new SimdRange<T, ForwardBody<T>>(new(shape, includePadding, x, y), width);
        PoolingLoops.For(in body, images * shape.Rows.Outputs, images * shape.CellsRead * Cost, context);
    }

    /// <summary>The gradient by the images, or dx += it.</summary>
    public static void Backward<T>(in PoolingShape shape, bool includePadding, ReadOnlySpan<T> dy, Destination<T> dx, ComputeContext? context, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        SpanGuard.Supported<T>();
        var images = dx.Span.Length / shape.InputSize;
        SpanGuard.SameLength(images * shape.InputSize, dx.Span.Length);
        SpanGuard.SameLength(images * shape.OutputSize, dy.Length);
        SpanGuard.Disjoint(dy, dx.Span, nameof(dx));
        width = RegisterWidth.OfColumns<T>(shape.Channels, width);
        var body = new SimdRange<T, BackwardBody<T>>(new(shape, includePadding, dy, dx), width);
        PoolingLoops.For(in body, images, images * shape.CellsRead * 2 * Cost, context);
    }

    private readonly ref struct ForwardBody<T>(PoolingShape shape, bool includePadding, ReadOnlySpan<T> x, Span<T> y) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<T> _y = y;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* x = _x, y = _y)
            {
                var row = (nint)shape.Columns.Outputs * shape.Channels;
                for (var item = start; item < limit; item++)
                {
                    var (image, oy) = Math.DivRem(item, shape.Rows.Outputs);
                    var from = x + (nint)image * shape.InputSize;
                    if (shape.Channels < TVector.Count)
                        NarrowPooling<T>.MeanRow(in shape, includePadding, from, oy, y + item * row);
                    else
                        AveragePoolingLoops<TVector, T>.Row(in shape, includePadding, from, oy, y + item * row);
                }
            }
        }
    }

    private readonly ref struct BackwardBody<T>(PoolingShape shape, bool includePadding, ReadOnlySpan<T> dy, Destination<T> dx) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy;
        private readonly Destination<T> _dx = dx;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* dy = _dy, dx = _dx.Span)
            {
                for (var image = start; image < limit; image++)
                {
                    T* from = dy + (nint)image * shape.OutputSize, to = dx + (nint)image * shape.InputSize;
                    var isNarrow = shape.Channels < TVector.Count;
                    if (!_dx.Adds && shape.IsTiled && !isNarrow)
                    {
                        AveragePoolingLoops<TVector, T>.TiledImage(in shape, from, to);
                        continue;
                    }

                    if (!_dx.Adds)
                        new Span<T>(to, shape.InputSize).Clear();
                    if (isNarrow)
                        NarrowPooling<T>.MeanGradient(in shape, includePadding, from, to);
                    else
                        AveragePoolingLoops<TVector, T>.ScatterImage(in shape, includePadding, from, to);
                }
            }
        }
    }
}

/// <summary>The loops of <see cref="AveragePooling"/> for at least a register of channels.</summary>
internal static unsafe class AveragePoolingLoops<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>One row of outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Row(in PoolingShape shape, bool includePadding, T* x, int oy, T* y)
    {
        var channels = shape.Channels;
        var (top, bottom) = shape.Rows.Cells(oy);
        var height = includePadding ? shape.Rows.PaddedCells(oy) : bottom - top;
        nint line = (nint)shape.Columns.Size * channels;
        for (var ox = 0; ox < shape.Columns.Outputs; ox++)
        {
            var (left, right) = shape.Columns.Cells(ox);
            var divisor = (double)height * (includePadding ? shape.Columns.PaddedCells(ox) : right - left);
            for (var channel = 0; channel < channels; channel += TVector.Count)
            {
                var block = PoolingLanes<TVector, T>.Block(channel, channels);
                var row = x + top * line + (nint)left * channels + block;
                if (Math.Max(bottom - top, right - left) > BlockSums.Rows)
                {
                    TVector.Store(y + block, LargeSum(row, line, channels, bottom - top, right - left) / divisor);
                    continue;
                }

                var sum = TVector.Zero;
                for (var iy = top; iy < bottom; iy++, row += line)
                {
                    var rowSum = TVector.Load(row);
                    var at = row;
                    for (var ix = left + 1; ix < right; ix++)
                        rowSum += TVector.Load(at += channels);
                    sum = iy == top ? rowSum : sum + rowSum;
                }

                TVector.Store(y + block, sum / divisor);
            }

            y += channels;
        }
    }

    /// <summary>The sum of rows of cells: the two halves of many rows, or of long ones.</summary>
    private static TVector LargeSum(T* x, nint line, nint channels, int height, int width)
    {
        if (height > BlockSums.Rows)
            return LargeSum(x, line, channels, height / 2, width) + LargeSum(x + height / 2 * line, line, channels, height - height / 2, width);
        var sum = TVector.Zero;
        for (; height > 0; height--, x += line)
            sum += CellSum(x, channels, width);
        return sum;
    }

    private static TVector CellSum(T* x, nint channels, int width)
    {
        if (width > BlockSums.Rows)
            return CellSum(x, channels, width / 2) + CellSum(x + width / 2 * channels, channels, width - width / 2);
        var sum = TVector.Zero;
        for (; width > 0; width--, x += channels)
            sum += TVector.Load(x);
        return sum;
    }

    /// <summary>dx of an image whose windows lie side by side: each cell is written once.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void TiledImage(in PoolingShape shape, T* dy, T* dx)
    {
        var (height, width, outputs, channels) = (shape.Rows.Kernel, shape.Columns.Kernel, shape.Columns.Outputs, shape.Channels);
        nint line = (nint)shape.Columns.Size * channels, covered = (nint)outputs * width * channels;
        var divisor = (double)height * width;
        for (var oy = 0; oy < shape.Rows.Outputs; oy++)
        {
            for (var ox = 0; ox < outputs; ox++)
            {
                for (var channel = 0; channel < channels; channel += TVector.Count)
                {
                    var block = PoolingLanes<TVector, T>.Block(channel, channels);
                    var gradient = TVector.Load(dy + block) / divisor;
                    var row = dx + (nint)ox * width * channels + block;
                    for (var ky = 0; ky < height; ky++, row += line)
                    {
                        var at = row;
                        for (var kx = 0; kx < width; kx++, at += channels)
                            TVector.Store(at, gradient);
                    }
                }

                dy += channels;
            }

            // What lies to the right of the last window.
            for (var ky = 0; ky < height; ky++, dx += line)
                new Span<T>(dx + covered, (int)(line - covered)).Clear();
        }

        new Span<T>(dx, (int)((shape.Rows.Size - shape.Rows.Outputs * height) * line)).Clear();
    }

    /// <summary>dx += the gradient of an image, window after window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScatterImage(in PoolingShape shape, bool includePadding, T* dy, T* dx)
    {
        var channels = shape.Channels;
        nint line = (nint)shape.Columns.Size * channels;
        for (var oy = 0; oy < shape.Rows.Outputs; oy++)
        {
            var (top, bottom) = shape.Rows.Cells(oy);
            var height = includePadding ? shape.Rows.PaddedCells(oy) : bottom - top;
            for (var ox = 0; ox < shape.Columns.Outputs; ox++)
            {
                var (left, right) = shape.Columns.Cells(ox);
                var divisor = (double)height * (includePadding ? shape.Columns.PaddedCells(ox) : right - left);
                for (var channel = 0; channel < channels; channel += TVector.Count)
                {
                    var block = PoolingLanes<TVector, T>.Block(channel, channels);
                    var gradient = TVector.Load(dy + block) / divisor;
                    var isNew = PoolingLanes<TVector, T>.NewLanes(channel, block);
                    var row = dx + top * line + (nint)left * channels + block;
                    for (var iy = top; iy < bottom; iy++, row += line)
                    {
                        var at = row;
                        for (var ix = left; ix < right; ix++, at += channels)
                        {
                            var old = TVector.Load(at);
                            TVector.Store(at, TVector.Select(isNew, old + gradient, old));
                        }
                    }
                }

                dy += channels;
            }
        }
    }
}
