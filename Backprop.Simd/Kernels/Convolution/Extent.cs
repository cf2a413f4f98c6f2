namespace Backprop.Simd.Kernels;

/// <summary>A size in two dimensions: of a kernel, a stride, a dilation.</summary>
/// <param name="Height">The size along the first dimension.</param>
/// <param name="Width">The size along the second dimension.</param>
public readonly record struct Extent(int Height, int Width)
{
    /// <summary>The same size along both dimensions.</summary>
    /// <param name="size">The size.</param>
    public static implicit operator Extent(int size) => new(size, size);

    /// <summary>The same size along both dimensions.</summary>
    /// <param name="size">The size.</param>
    /// <returns>The extent.</returns>
    public static Extent FromInt32(int size) => size;

    /// <summary>Height and width as messages write them: <c>3 x 5</c>.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => $"{Height} x {Width}";
}

/// <summary>Cells of zero around an image.</summary>
/// <param name="Top">Rows above.</param>
/// <param name="Left">Columns to the left.</param>
/// <param name="Bottom">Rows below.</param>
/// <param name="Right">Columns to the right.</param>
public readonly record struct Padding(int Top, int Left, int Bottom, int Right)
{
    /// <summary>The same on all sides.</summary>
    /// <param name="size">The number of cells.</param>
    public static implicit operator Padding(int size) => new(size, size, size, size);

    /// <summary>The same on all sides.</summary>
    /// <param name="size">The number of cells.</param>
    /// <returns>The padding.</returns>
    public static Padding FromInt32(int size) => size;

    /// <summary>Cells to the left and right only: before and after a sequence.</summary>
    /// <param name="left">Columns to the left.</param>
    /// <param name="right">Columns to the right.</param>
    /// <returns>The padding.</returns>
    public static Padding Sides(int left, int right) => new(0, left, 0, right);

    /// <summary>True if there is none.</summary>
    public bool IsNone => this == default;

    /// <summary>What keeps the size of an image under a kernel of odd size, stride 1: (k - 1) d / 2 on each side.</summary>
    /// <param name="kernel">The kernel.</param>
    /// <param name="dilation">The dilation; 1 by default.</param>
    /// <returns>The padding; of an even kernel, the larger half is below and to the right.</returns>
    public static Padding Same(Extent kernel, Extent? dilation = null)
    {
        var d = dilation ?? 1;
        int rows = (kernel.Height - 1) * d.Height, columns = (kernel.Width - 1) * d.Width;
        return new(rows / 2, columns / 2, rows - rows / 2, columns - columns / 2);
    }

    /// <summary>The four sides as messages write them.</summary>
    /// <returns>The text.</returns>
    public override string ToString() => $"top {Top}, left {Left}, bottom {Bottom}, right {Right}";
}
