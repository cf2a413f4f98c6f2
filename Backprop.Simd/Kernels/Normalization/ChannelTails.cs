using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// <see cref="ChannelLoops"/> and <see cref="ColumnLoops"/> with the elements that are left behind the last folded row: they go
/// through a padded row on the stack, by the same loops. Only a matrix of one strip has a tail.
/// </summary>
internal static unsafe class ChannelTails
{
    /// <inheritdoc cref="ColumnLoops.Strip"/>
    public static void Sums<TVector, T>(T* x, nint rows, nint tail, nint stride, nint width, T* sums)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ColumnLoops.Strip<TVector, T>(x, rows, stride, width, sums);
        if (tail == 0)
            return;
        var row = stackalloc T[ChannelPlan.MaxStrip];
        Pad(x + rows * stride, tail, row, width);
        ColumnLoops.Strip<TVector, T>(row, 1, stride, width, sums);
    }

    /// <inheritdoc cref="ChannelLoops.Deviations"/>
    public static void Deviations<TVector, T>(T* x, nint rows, nint tail, nint stride, nint width, T* center, T* sums, T* squares)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ChannelLoops.Deviations<TVector, T>(x, rows, stride, width, center, sums, squares);
        if (tail == 0)
            return;
        var row = stackalloc T[ChannelPlan.MaxStrip];
        Copy(center, row, width); // What is not there deviates by 0.
        Copy(x + rows * stride, row, tail);
        ChannelLoops.Deviations<TVector, T>(row, 1, stride, width, center, sums, squares);
    }

    /// <inheritdoc cref="ChannelLoops.Products"/>
    public static void Products<TVector, T>(T* x, T* dy, nint rows, nint tail, nint stride, nint width, T* center, T* sums, T* products)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ChannelLoops.Products<TVector, T>(x, dy, rows, stride, width, center, sums, products);
        if (tail == 0)
            return;
        T* row = stackalloc T[ChannelPlan.MaxStrip], gradient = stackalloc T[ChannelPlan.MaxStrip];
        Copy(center, row, width);
        Copy(x + rows * stride, row, tail);
        Pad(dy + rows * stride, tail, gradient, width);
        ChannelLoops.Products<TVector, T>(row, gradient, 1, stride, width, center, sums, products);
    }

    /// <inheritdoc cref="ChannelLoops.Normalize"/>
    public static void Normalize<TVector, T>(T* x, T* y, nint rows, nint tail, nint stride, nint width, T* center, T* scale, T* shift)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ChannelLoops.Normalize<TVector, T>(x, y, rows, stride, width, center, scale, shift);
        if (tail == 0)
            return;
        T* row = stackalloc T[ChannelPlan.MaxStrip], result = stackalloc T[ChannelPlan.MaxStrip];
        Pad(x + rows * stride, tail, row, width);
        ChannelLoops.Normalize<TVector, T>(row, result, 1, stride, width, center, scale, shift);
        Copy(result, y + rows * stride, tail);
    }

    /// <inheritdoc cref="ChannelLoops.Gradient"/>
    public static void Gradient<TVector, T>(T* x, T* dy, T* dx, nint rows, nint tail, nint stride, nint width, T* center, T* byDy, T* byX, T* shift, bool adds)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        ChannelLoops.Gradient<TVector, T>(x, dy, dx, rows, stride, width, center, byDy, byX, shift, adds);
        if (tail == 0)
            return;
        T* row = stackalloc T[ChannelPlan.MaxStrip], gradient = stackalloc T[ChannelPlan.MaxStrip], result = stackalloc T[ChannelPlan.MaxStrip];
        Pad(x + rows * stride, tail, row, width);
        Pad(dy + rows * stride, tail, gradient, width);
        Pad(dx + rows * stride, tail, result, width);
        ChannelLoops.Gradient<TVector, T>(row, gradient, result, 1, stride, width, center, byDy, byX, shift, adds);
        Copy(result, dx + rows * stride, tail);
    }

    private static void Pad<T>(T* source, nint count, T* row, nint width) where T : unmanaged
    {
        new Span<T>(row, (int)width).Clear();
        Copy(source, row, count);
    }

    private static void Copy<T>(T* source, T* destination, nint count) where T : unmanaged =>
        Unsafe.CopyBlockUnaligned(destination, source, (uint)(count * sizeof(T)));
}
