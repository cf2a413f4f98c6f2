using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// <see cref="ChannelLoops"/> and <see cref="ColumnLoops"/> with the tail of a strip: it goes through the same loops, in a padded row
/// on the stack.
/// </summary>
internal static unsafe class ChannelTails
{
    /// <inheritdoc cref="ColumnLoops.Strip"/>
    public static void Sums<TVector, T>(T* x, in ChannelStrip strip, T* sums)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ColumnLoops.Strip<TVector, T>(x, strip.Rows, strip.Stride, strip.Width, sums);
        if (strip.Tail == 0)
            return;
        var row = stackalloc T[ChannelPlan.MaxStrip];
        Pad(x + strip.Rows * strip.Stride, strip.Tail, row, strip.Width);
        ColumnLoops.Strip<TVector, T>(row, 1, strip.Stride, strip.Width, sums);
    }

    /// <inheritdoc cref="ChannelLoops.Deviations"/>
    public static void Deviations<TVector, T>(T* x, in ChannelStrip strip, T* center, T* sums, T* squares)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ChannelLoops.Deviations<TVector, T>(x, in strip, center, sums, squares);
        if (strip.Tail == 0)
            return;
        var row = stackalloc T[ChannelPlan.MaxStrip];
        Copy(center, row, strip.Width); // The padding deviates by 0.
        Copy(x + strip.Rows * strip.Stride, row, strip.Tail);
        ChannelLoops.Deviations<TVector, T>(row, strip with { Rows = 1 }, center, sums, squares);
    }

    /// <inheritdoc cref="ChannelLoops.Products"/>
    public static void Products<TVector, T>(T* x, T* dy, in ChannelStrip strip, T* center, T* sums, T* products)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ChannelLoops.Products<TVector, T>(x, dy, in strip, center, sums, products);
        if (strip.Tail == 0)
            return;
        T* row = stackalloc T[ChannelPlan.MaxStrip], gradient = stackalloc T[ChannelPlan.MaxStrip];
        Copy(center, row, strip.Width);
        Copy(x + strip.Rows * strip.Stride, row, strip.Tail);
        Pad(dy + strip.Rows * strip.Stride, strip.Tail, gradient, strip.Width);
        ChannelLoops.Products<TVector, T>(row, gradient, strip with { Rows = 1 }, center, sums, products);
    }

    /// <inheritdoc cref="ChannelLoops.Normalize"/>
    public static void Normalize<TVector, T>(T* x, T* y, in ChannelStrip strip, in ChannelPointers<T> tables)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ChannelLoops.Normalize<TVector, T>(x, y, in strip, in tables);
        if (strip.Tail == 0)
            return;
        T* row = stackalloc T[ChannelPlan.MaxStrip], result = stackalloc T[ChannelPlan.MaxStrip];
        Pad(x + strip.Rows * strip.Stride, strip.Tail, row, strip.Width);
        ChannelLoops.Normalize<TVector, T>(row, result, strip with { Rows = 1 }, in tables);
        Copy(result, y + strip.Rows * strip.Stride, strip.Tail);
    }

    /// <inheritdoc cref="ChannelLoops.Gradient"/>
    public static void Gradient<TVector, T>(T* x, T* dy, T* dx, in ChannelStrip strip, in ChannelPointers<T> tables, bool adds)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ChannelLoops.Gradient<TVector, T>(x, dy, dx, in strip, in tables, adds);
        if (strip.Tail == 0)
            return;
        T* row = stackalloc T[ChannelPlan.MaxStrip], gradient = stackalloc T[ChannelPlan.MaxStrip], result = stackalloc T[ChannelPlan.MaxStrip];
        Pad(x + strip.Rows * strip.Stride, strip.Tail, row, strip.Width);
        Pad(dy + strip.Rows * strip.Stride, strip.Tail, gradient, strip.Width);
        Pad(dx + strip.Rows * strip.Stride, strip.Tail, result, strip.Width);
        ChannelLoops.Gradient<TVector, T>(row, gradient, result, strip with { Rows = 1 }, in tables, adds);
        Copy(result, dx + strip.Rows * strip.Stride, strip.Tail);
    }

    private static void Pad<T>(T* source, nint count, T* row, nint width) where T : unmanaged
    {
        new Span<T>(row, (int)width).Clear();
        Copy(source, row, count);
    }

    private static void Copy<T>(T* source, T* destination, nint count) where T : unmanaged =>
        Unsafe.CopyBlockUnaligned(destination, source, (uint)(count * sizeof(T)));
}
