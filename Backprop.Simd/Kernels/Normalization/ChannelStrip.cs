namespace Backprop.Simd.Kernels;

/// <summary>A strip of columns of a matrix, one to four registers wide.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Tail">The elements behind the last row; only a matrix of one strip has any.</param>
/// <param name="Stride">The elements from one row to the next.</param>
/// <param name="Width">The columns of the strip.</param>
internal readonly record struct ChannelStrip(nint Rows, nint Tail, nint Stride, nint Width);

/// <summary>
/// A number per channel in each table, for y = (x - center) scale + shift, and for dx = dy scale + (x - center) slope + shift.
/// </summary>
/// <remarks>A table is <see cref="ChannelPlan.TableLength"/> long; its first channels are filled, and the rest is overwritten.</remarks>
internal ref struct ChannelTables<T> where T : unmanaged
{
    public Span<T> Center, Scale, Shift;

    /// <summary>Read by gradients only.</summary>
    public Span<T> Slope;
}

/// <summary>The tables of <see cref="ChannelTables{T}"/>, in fixed memory.</summary>
internal unsafe struct ChannelPointers<T> where T : unmanaged
{
    public T* Center, Scale, Slope, Shift;

    /// <summary>The tables from a column on.</summary>
    public readonly ChannelPointers<T> From(nint column) =>
        new() { Center = Center + column, Scale = Scale + column, Slope = Slope + column, Shift = Shift + column };
}

/// <summary>The statistics of each channel: mean = center + offset, where the center is the mean rounded to T; 1 / deviation; variance.</summary>
internal ref struct ChannelMoments<T> where T : unmanaged
{
    public Span<T> Center, Offset, Inverse, Variance;
}
