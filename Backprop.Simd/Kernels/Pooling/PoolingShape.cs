using System.Diagnostics.CodeAnalysis;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The windows of a pooling along one dimension: window o covers the cells o stride - before + i dilation for i in [0, kernel), or,
/// without a kernel, the bin [floor(o size / outputs), ceil((o + 1) size / outputs)).
/// </summary>
internal readonly record struct PoolingAxis
{
    /// <summary>Windows of one size.</summary>
    /// <exception cref="ArgumentException">A window would lie wholly in padding, or none fits.</exception>
    public PoolingAxis(int size, int kernel, int stride, int before, int after, bool ceiling, string dimension, int dilation = 1)
    {
        (Size, Kernel, Stride, Before, After, Dilation) = (size, kernel, stride, before, after, dilation);
        var reach = (kernel - 1L) * dilation + 1;
        var free = (long)size + before + after - reach;
        if (free < 0 && !ceiling || free + stride <= 0)
            Throw($"the window must fit the padded image: it has {reach} cells along the {dimension}, the image with its padding {free + reach}", "kernel");
        var outputs = (free + (ceiling ? stride - 1 : 0)) / stride + 1;

        // The last window starts inside the input or the padding before it.
        if (ceiling && (outputs - 1) * stride >= (long)size + before)
            outputs--;
        if (before >= reach || (outputs - 1) * stride - before >= size)
            Throw($"no window may lie wholly in padding: along the {dimension} there are {before} and {after} cells of padding around {size}"
                + $" for windows of {kernel} cells, stride {stride}", "padding");
        Outputs = (int)outputs;
        for (var o = 0; dilation > 1 && o < Outputs; o++)
        {
            var (start, limit) = Cells(o);
            if (start >= limit)
                Throw($"no window may lie wholly in padding: window {o} along the {dimension} has no cell of {size}, dilation {dilation}", "dilation");
        }
    }

    /// <summary>Bins that share out all cells; where they are equal, windows.</summary>
    public PoolingAxis(int size, int outputs)
    {
        (Size, Outputs) = (size, outputs);
        if (size % outputs == 0)
            Kernel = Stride = size / outputs;
    }

    public int Size { get; }

    /// <summary>Cells of a window; 0 of bins.</summary>
    public int Kernel { get; }

    /// <summary>Cells by which a line of a window is numbered on: those of the widest.</summary>
    public int Pitch => Kernel > 0 ? Kernel : Size / Outputs + 2;

    public int Stride { get; }

    public int Before { get; }

    public int After { get; }

    public int Outputs { get; }

    /// <summary>From one cell of a window to the next.</summary>
    public int Dilation { get; } = 1;

    /// <summary>True if each cell lies in exactly one window, or behind the last.</summary>
    public bool IsTiled => Kernel > 0 && Dilation == 1 && Stride == Kernel && Before == 0 && (long)Outputs * Kernel <= Size;

    /// <summary>Cells that all windows read, about.</summary>
    public double Reads => Kernel > 0 ? (double)Outputs * Kernel : (double)Size + Outputs;

    /// <summary>Where window <paramref name="output"/> starts, maybe in the padding.</summary>
    public int Origin(int output) => Kernel > 0 ? output * Stride - Before : (int)((long)output * Size / Outputs);

    /// <summary>The real cells of a window: from the first, each as far as the dilation from the one before.</summary>
    public (int Start, int Limit) Cells(int output)
    {
        var origin = Origin(output);
        return Dilation > 1
            ? (origin < 0 ? origin + (-origin + Dilation - 1) / Dilation * Dilation : origin,
                (int)Math.Min(origin + (Kernel - 1L) * Dilation + 1, Size))
            : Kernel > 0 ? (Math.Max(origin, 0), (int)Math.Min((long)origin + Kernel, Size))
            : (origin, (int)(((output + 1L) * Size + Outputs - 1) / Outputs));
    }

    /// <summary>Cells of a window, with the padding, but without cells beyond the padding.</summary>
    public int PaddedCells(int output)
    {
        var origin = Origin(output);
        return Kernel > 0 ? (int)(Math.Min((long)origin + Kernel, (long)Size + After) - origin) : Cells(output).Limit - origin;
    }

    [DoesNotReturn]
    private static void Throw(string what, string name) => throw new ArgumentException($"Pooling: {what}.", name);
}

/// <summary>The sizes of a pooling of images [height, width, channels]. Windows are numbered in row-major order.</summary>
/// <param name="Rows">The windows along the height.</param>
/// <param name="Columns">The windows along the width.</param>
/// <param name="Channels">The channels, of images and outputs.</param>
internal readonly record struct PoolingShape(PoolingAxis Rows, PoolingAxis Columns, int Channels)
{
    public int InputSize => Rows.Size * Columns.Size * Channels;

    public int OutputSize => Rows.Outputs * Columns.Outputs * Channels;

    public bool IsTiled => Rows.IsTiled && Columns.IsTiled;

    /// <summary>Cells that all windows of an image read, for estimates of time.</summary>
    public double CellsRead => Rows.Reads * Columns.Reads * Channels;

    /// <summary>Windows of one size.</summary>
    /// <exception cref="ArgumentException">A window would lie wholly in padding, or none fits.</exception>
    public static PoolingShape Windows(int height, int width, int channels, Extent kernel, Extent stride, Padding padding, bool ceiling) =>
        Windows(height, width, channels, kernel, stride, padding, ceiling, 1);

    /// <summary>Windows of one size, whose cells lie apart.</summary>
    /// <exception cref="ArgumentException">A window would lie wholly in padding, or none fits.</exception>
    public static PoolingShape Windows(
        int height, int width, int channels, Extent kernel, Extent stride, Padding padding, bool ceiling, Extent dilation) => new(
        new(height, kernel.Height, stride.Height, padding.Top, padding.Bottom, ceiling, "height", dilation.Height),
        new(width, kernel.Width, stride.Width, padding.Left, padding.Right, ceiling, "width", dilation.Width), channels);

    /// <summary>Bins that share out the image.</summary>
    public static PoolingShape Bins(int height, int width, int channels, Extent outputs) =>
        new(new(height, outputs.Height), new(width, outputs.Width), channels);

    /// <summary>Checks what does not depend on the image.</summary>
    /// <exception cref="ArgumentException">A size is below 1, a padding below 0, a window is wider than can be numbered, or the
    /// padding before or behind the image holds a whole window.</exception>
    public static void Check(Extent kernel, Extent stride, Padding padding, Extent? dilation = null)
    {
        var (down, across) = dilation ?? 1;
        if (down < 1 || across < 1)
            throw new ArgumentException($"Dilations of pooling are 1 or more; got {dilation}.", nameof(dilation));
        if (kernel.Height < 1 || kernel.Width < 1 || (long)kernel.Height * kernel.Width > MostCells)
            throw new ArgumentException($"A window of pooling has 1 to {MostCells} cells; it is {kernel}.", nameof(kernel));
        if (stride.Height < 1 || stride.Width < 1)
            throw new ArgumentException($"Strides of pooling are 1 or more; got {stride}.", nameof(stride));
        if (padding is not { Top: >= 0, Left: >= 0, Bottom: >= 0, Right: >= 0 })
            throw new ArgumentException($"Padding is 0 or more; got {padding}.", nameof(padding));
        if (padding.Top > (kernel.Height - 1L) * down || padding.Left > (kernel.Width - 1L) * across)
            throw new ArgumentException($"No window may lie wholly in padding; windows are {kernel}, padding is {padding}.", nameof(padding));
    }

    /// <summary>The largest integer up to which float is exact.</summary>
    public const int MostCells = 1 << 22;
}
