using Backprop.Simd.Kernels;

namespace Backprop.Simd.Tests.Reference;

/// <summary>Poolings by the definition, in double, cell by cell.</summary>
internal static class PoolingReference
{
    /// <summary>The number of windows along a dimension, as PyTorch counts them.</summary>
    public static int Outputs(int size, int kernel, int stride, int before, int after, bool ceiling)
    {
        var outputs = 0;
        while (ceiling ? outputs * stride < size + before && (outputs == 0 || (outputs - 1) * stride + kernel < size + before + after)
            : outputs * stride + kernel <= size + before + after)
        {
            outputs++;
        }

        return outputs;
    }

    /// <summary>The largest value of each window, and the number of the cell that has it.</summary>
    public static (double[] Y, int[] Cells) Max(double[] x, int images, int height, int width, int channels, Extent kernel, Extent stride, Padding padding,
        int rows, int columns, Extent? dilation = null)
    {
        var (down, across) = dilation ?? 1;
        var y = new double[images * rows * columns * channels];
        var cells = new int[y.Length];
        for (var o = 0; o < y.Length; o++)
        {
            var (image, oy, ox, channel) = Split(o, rows, columns, channels);
            var found = false;
            for (var cell = 0; cell < kernel.Height * kernel.Width; cell++)
            {
                int iy = oy * stride.Height - padding.Top + cell / kernel.Width * down, ix = ox * stride.Width - padding.Left + cell % kernel.Width * across;
                if (iy < 0 || iy >= height || ix < 0 || ix >= width)
                    continue;
                var value = x[((image * height + iy) * width + ix) * channels + channel];
                if (found && !(value > y[o] || double.IsNaN(value) && !double.IsNaN(y[o])))
                    continue;
                (y[o], cells[o], found) = (value, cell, true);
            }
        }

        return (y, cells);
    }

    /// <summary>The gradient of <see cref="Max"/> by the images.</summary>
    public static double[] MaxGradient(double[] dy, int[] cells, int images, int height, int width, int channels, Extent kernel, Extent stride,
        Padding padding, int rows, int columns, Extent? dilation = null)
    {
        var (down, across) = dilation ?? 1;
        var dx = new double[images * height * width * channels];
        for (var o = 0; o < dy.Length; o++)
        {
            var (image, oy, ox, channel) = Split(o, rows, columns, channels);
            var iy = oy * stride.Height - padding.Top + cells[o] / kernel.Width * down;
            var ix = ox * stride.Width - padding.Left + cells[o] % kernel.Width * across;
            dx[((image * height + iy) * width + ix) * channels + channel] += dy[o];
        }

        return dx;
    }

    /// <summary>The weight of each cell in each output along one dimension, without the divisor: [outputs, size], and the divisor's factor.</summary>
    public static (bool[,] Covers, int[] Cells) Windows(int size, int kernel, int stride, int before, int after, int outputs, bool includePadding)
    {
        var covers = new bool[outputs, size];
        var cells = new int[outputs];
        for (var o = 0; o < outputs; o++)
        {
            for (var i = o * stride - before; i < o * stride - before + kernel; i++)
            {
                if (i >= 0 && i < size)
                    covers[o, i] = true;
                if (includePadding ? i < size + after : i >= 0 && i < size)
                    cells[o]++;
            }
        }

        return (covers, cells);
    }

    /// <summary>The same of PyTorch's bins.</summary>
    public static (bool[,] Covers, int[] Cells) Bins(int size, int outputs)
    {
        var covers = new bool[outputs, size];
        var cells = new int[outputs];
        for (var o = 0; o < outputs; o++)
        {
            for (var i = (int)Math.Floor((double)o * size / outputs); i < (int)Math.Ceiling((o + 1.0) * size / outputs); i++)
            {
                covers[o, i] = true;
                cells[o]++;
            }
        }

        return (covers, cells);
    }

    /// <summary>The means of the windows.</summary>
    public static double[] Average(double[] x, int images, int channels, (bool[,] Covers, int[] Cells) down, (bool[,] Covers, int[] Cells) across)
    {
        var y = new double[images * down.Cells.Length * across.Cells.Length * channels];
        Visit(images, channels, down, across, (input, output, divisor) => y[output] += x[input] / divisor);
        return y;
    }

    /// <summary>The gradient of <see cref="Average"/> by the images.</summary>
    public static double[] AverageGradient(double[] dy, int images, int channels, (bool[,] Covers, int[] Cells) down, (bool[,] Covers, int[] Cells) across)
    {
        var dx = new double[images * down.Covers.GetLength(1) * across.Covers.GetLength(1) * channels];
        Visit(images, channels, down, across, (input, output, divisor) => dx[input] += dy[output] / divisor);
        return dx;
    }

    private static void Visit(int images, int channels, (bool[,] Covers, int[] Cells) down, (bool[,] Covers, int[] Cells) across,
        Action<int, int, double> action)
    {
        int rows = down.Cells.Length, columns = across.Cells.Length, height = down.Covers.GetLength(1), width = across.Covers.GetLength(1);
        for (var o = 0; o < images * rows * columns * channels; o++)
        {
            var (image, oy, ox, channel) = Split(o, rows, columns, channels);
            for (var i = 0; i < height * width; i++)
            {
                if (down.Covers[oy, i / width] && across.Covers[ox, i % width])
                    action((image * height * width + i) * channels + channel, o, (double)down.Cells[oy] * across.Cells[ox]);
            }
        }
    }

    private static (int Image, int Row, int Column, int Channel) Split(int output, int rows, int columns, int channels) =>
        (output / (rows * columns * channels), output / (columns * channels) % rows, output / channels % columns, output % channels);
}
