using System.Numerics;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>The loops of <see cref="MaxPooling"/> and <see cref="AveragePooling"/> for channels that fill no register: one by one.</summary>
internal static unsafe class NarrowPooling<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>One row of outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MaxRow(in PoolingShape shape, T* x, int oy, T* y, int* winners)
    {
        var (channels, kernel, originY) = (shape.Channels, shape.Columns.Pitch, shape.Rows.Origin(oy));
        var (down, across) = (shape.Rows.Dilation, shape.Columns.Dilation);
        var (top, bottom) = shape.Rows.Cells(oy);
        nint line = (nint)shape.Columns.Size * channels;
        for (var ox = 0; ox < shape.Columns.Outputs; ox++)
        {
            var originX = shape.Columns.Origin(ox);
            var (left, right) = shape.Columns.Cells(ox);
            for (var channel = 0; channel < channels; channel++, y++)
            {
                var row = x + top * line + (nint)left * channels + channel;
                var (best, winner) = (*row, (top - originY) / down * kernel + (left - originX) / across);
                for (var iy = top; iy < bottom; iy += down, row += down * line)
                {
                    var at = row;
                    for (var ix = left; ix < right; ix += across, at += across * channels)
                    {
                        if (*at <= best || T.IsNaN(best))
                            continue;
                        (best, winner) = (*at, (iy - originY) / down * kernel + (ix - originX) / across);
                    }
                }

                *y = best;
                if (winners is not null)
                    *winners++ = winner;
            }
        }
    }

    /// <summary>dx += the gradient of an image, window after window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MaxGradient(in PoolingShape shape, T* dy, int* winners, T* dx)
    {
        var (channels, kernel) = (shape.Channels, shape.Columns.Pitch);
        nint line = (nint)shape.Columns.Size * channels;
        for (var oy = 0; oy < shape.Rows.Outputs; oy++)
        {
            var originY = shape.Rows.Origin(oy);
            for (var ox = 0; ox < shape.Columns.Outputs; ox++)
            {
                var originX = shape.Columns.Origin(ox);
                for (var channel = 0; channel < channels; channel++)
                {
                    var (ky, kx) = Math.DivRem(*winners++, kernel);
                    (ky, kx) = (ky * shape.Rows.Dilation, kx * shape.Columns.Dilation);
                    if ((uint)(originY + ky) >= (uint)shape.Rows.Size || (uint)(originX + kx) >= (uint)shape.Columns.Size)
                        throw new ArgumentException($"A winning cell lies outside of the image: row {originY + ky}, column {originX + kx}.", nameof(winners));
                    dx[(originY + ky) * line + (nint)(originX + kx) * channels + channel] += *dy++;
                }
            }
        }
    }

    /// <summary>One row of outputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MeanRow(in PoolingShape shape, bool includePadding, T* x, int oy, T* y)
    {
        var channels = shape.Channels;
        var (top, bottom) = shape.Rows.Cells(oy);
        var height = includePadding ? shape.Rows.PaddedCells(oy) : bottom - top;
        nint line = (nint)shape.Columns.Size * channels;
        for (var ox = 0; ox < shape.Columns.Outputs; ox++)
        {
            var (left, right) = shape.Columns.Cells(ox);
            var divisor = T.CreateTruncating((double)height * (includePadding ? shape.Columns.PaddedCells(ox) : right - left));
            for (var channel = 0; channel < channels; channel++)
                *y++ = Sum(x + top * line + (nint)left * channels + channel, line, channels, bottom - top, right - left) / divisor;
        }
    }

    /// <summary>The sum of rows of cells, one by one; many rows are summed in halves.</summary>
    private static T Sum(T* x, nint line, nint channels, int height, int width)
    {
        if (height > BlockSums.Rows)
            return Sum(x, line, channels, height / 2, width) + Sum(x + height / 2 * line, line, channels, height - height / 2, width);
        var sum = Sum(x, channels, width);
        for (; height > 1; height--)
            sum += Sum(x += line, channels, width);
        return sum;
    }

    /// <summary>The sum of cells: one by one, or the two halves of many.</summary>
    private static T Sum(T* x, nint channels, int width)
    {
        if (width > BlockSums.Rows)
            return Sum(x, channels, width / 2) + Sum(x + width / 2 * channels, channels, width - width / 2);
        var sum = *x;
        for (; width > 1; width--)
            sum += *(x += channels);
        return sum;
    }

    /// <summary>dx += the gradient of an image, window after window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MeanGradient(in PoolingShape shape, bool includePadding, T* dy, T* dx)
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
                var divisor = T.CreateTruncating((double)height * (includePadding ? shape.Columns.PaddedCells(ox) : right - left));
                for (var channel = 0; channel < channels; channel++)
                {
                    var gradient = *dy++ / divisor;
                    var row = dx + top * line + (nint)left * channels + channel;
                    for (var iy = top; iy < bottom; iy++, row += line)
                    {
                        var at = row;
                        for (var ix = left; ix < right; ix++, at += channels)
                            *at += gradient;
                    }
                }
            }
        }
    }
}
