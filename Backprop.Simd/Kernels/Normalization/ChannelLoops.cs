using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The loops down a strip of columns. A register may overlap the one before it: both give the shared lanes the same bits, because a
/// row is read before it is written.
/// </summary>
internal static unsafe class ChannelLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;

    /// <summary>sums[j] += sum of x[i, j] - center[j]; squares[j] += sum of its square.</summary>
    [MethodImpl(Loop)]
    public static void Deviations<TVector, T>(T* x, in ChannelStrip strip, T* center, T* sums, T* squares)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint rows = strip.Rows, stride = strip.Stride, width = strip.Width;
        nint count = TVector.Count, o3 = width - count, o2 = Math.Min(2 * count, o3), o1 = Math.Min(count, o3);
        TVector m0 = TVector.Load(center), m1 = TVector.Load(center + o1), m2 = TVector.Load(center + o2), m3 = TVector.Load(center + o3);
        var length = BlockSums.Slots(BlockSums.Blocks(rows)) * (int)width;
        T* slots = stackalloc T[2 * length], more = slots + length;
        var block = 0;
        for (; rows > 0; rows -= BlockSums.Rows)
        {
            TVector a = TVector.Zero, b = a, c = a, d = a, aa = a, bb = a, cc = a, dd = a;
            for (var left = Math.Min(BlockSums.Rows, rows); left > 0; left--, x += stride)
            {
                var value = TVector.Load(x) - m0;
                a += value;
                aa = TVector.MultiplyAdd(value, value, aa);
                value = TVector.Load(x + o1) - m1;
                b += value;
                bb = TVector.MultiplyAdd(value, value, bb);
                value = TVector.Load(x + o2) - m2;
                c += value;
                cc = TVector.MultiplyAdd(value, value, cc);
                value = TVector.Load(x + o3) - m3;
                d += value;
                dd = TVector.MultiplyAdd(value, value, dd);
            }

            BlockSums.Join(slots, block, width, a, b, c, d);
            BlockSums.Join(more, block++, width, aa, bb, cc, dd);
        }

        BlockSums.FinishInto<TVector, T>(slots, block, width, sums);
        BlockSums.FinishInto<TVector, T>(more, block, width, squares);
    }

    /// <summary>sums[j] += sum of dy[i, j]; products[j] += sum of dy[i, j] (x[i, j] - center[j]).</summary>
    [MethodImpl(Loop)]
    public static void Products<TVector, T>(T* x, T* dy, in ChannelStrip strip, T* center, T* sums, T* products)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint rows = strip.Rows, stride = strip.Stride, width = strip.Width;
        nint count = TVector.Count, o3 = width - count, o2 = Math.Min(2 * count, o3), o1 = Math.Min(count, o3);
        TVector m0 = TVector.Load(center), m1 = TVector.Load(center + o1), m2 = TVector.Load(center + o2), m3 = TVector.Load(center + o3);
        var length = BlockSums.Slots(BlockSums.Blocks(rows)) * (int)width;
        T* slots = stackalloc T[2 * length], more = slots + length;
        var block = 0;
        for (; rows > 0; rows -= BlockSums.Rows)
        {
            TVector a = TVector.Zero, b = a, c = a, d = a, aa = a, bb = a, cc = a, dd = a;
            for (var left = Math.Min(BlockSums.Rows, rows); left > 0; left--, x += stride, dy += stride)
            {
                var gradient = TVector.Load(dy);
                a += gradient;
                aa = TVector.MultiplyAdd(gradient, TVector.Load(x) - m0, aa);
                gradient = TVector.Load(dy + o1);
                b += gradient;
                bb = TVector.MultiplyAdd(gradient, TVector.Load(x + o1) - m1, bb);
                gradient = TVector.Load(dy + o2);
                c += gradient;
                cc = TVector.MultiplyAdd(gradient, TVector.Load(x + o2) - m2, cc);
                gradient = TVector.Load(dy + o3);
                d += gradient;
                dd = TVector.MultiplyAdd(gradient, TVector.Load(x + o3) - m3, dd);
            }

            BlockSums.Join(slots, block, width, a, b, c, d);
            BlockSums.Join(more, block++, width, aa, bb, cc, dd);
        }

        BlockSums.FinishInto<TVector, T>(slots, block, width, sums);
        BlockSums.FinishInto<TVector, T>(more, block, width, products);
    }

    /// <summary>y[i, j] = (x[i, j] - center[j]) scale[j] + shift[j].</summary>
    [MethodImpl(Loop)]
    public static void Normalize<TVector, T>(T* x, T* y, in ChannelStrip strip, in ChannelPointers<T> tables)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T* center = tables.Center, scale = tables.Scale, shift = tables.Shift;
        nint rows = strip.Rows, stride = strip.Stride, width = strip.Width;
        nint count = TVector.Count, o3 = width - count, o2 = Math.Min(2 * count, o3), o1 = Math.Min(count, o3);
        TVector m0 = TVector.Load(center), m1 = TVector.Load(center + o1), m2 = TVector.Load(center + o2), m3 = TVector.Load(center + o3);
        TVector a0 = TVector.Load(scale), a1 = TVector.Load(scale + o1), a2 = TVector.Load(scale + o2), a3 = TVector.Load(scale + o3);
        TVector b0 = TVector.Load(shift), b1 = TVector.Load(shift + o1), b2 = TVector.Load(shift + o2), b3 = TVector.Load(shift + o3);
        for (; rows > 0; rows--, x += stride, y += stride)
        {
            TVector.Store(y, TVector.MultiplyAdd(TVector.Load(x) - m0, a0, b0));
            TVector.Store(y + o1, TVector.MultiplyAdd(TVector.Load(x + o1) - m1, a1, b1));
            TVector.Store(y + o2, TVector.MultiplyAdd(TVector.Load(x + o2) - m2, a2, b2));
            TVector.Store(y + o3, TVector.MultiplyAdd(TVector.Load(x + o3) - m3, a3, b3));
        }
    }

    /// <summary>dx[i, j] = dy[i, j] scale[j] + (x[i, j] - center[j]) slope[j] + shift[j], or dx += it.</summary>
    [MethodImpl(Loop)]
    public static void Gradient<TVector, T>(T* x, T* dy, T* dx, in ChannelStrip strip, in ChannelPointers<T> tables, bool adds)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T* center = tables.Center, scale = tables.Scale, slope = tables.Slope, shift = tables.Shift;
        nint rows = strip.Rows, stride = strip.Stride, width = strip.Width;
        nint count = TVector.Count, o3 = width - count, o2 = Math.Min(2 * count, o3), o1 = Math.Min(count, o3);
        TVector m0 = TVector.Load(center), m1 = TVector.Load(center + o1), m2 = TVector.Load(center + o2), m3 = TVector.Load(center + o3);
        TVector a0 = TVector.Load(scale), a1 = TVector.Load(scale + o1), a2 = TVector.Load(scale + o2), a3 = TVector.Load(scale + o3);
        TVector b0 = TVector.Load(slope), b1 = TVector.Load(slope + o1), b2 = TVector.Load(slope + o2), b3 = TVector.Load(slope + o3);
        TVector c0 = TVector.Load(shift), c1 = TVector.Load(shift + o1), c2 = TVector.Load(shift + o2), c3 = TVector.Load(shift + o3);
        for (; rows > 0; rows--, x += stride, dy += stride, dx += stride)
        {
            var g0 = TVector.MultiplyAdd(TVector.Load(x) - m0, b0, c0);
            var g1 = TVector.MultiplyAdd(TVector.Load(x + o1) - m1, b1, c1);
            var g2 = TVector.MultiplyAdd(TVector.Load(x + o2) - m2, b2, c2);
            var g3 = TVector.MultiplyAdd(TVector.Load(x + o3) - m3, b3, c3);
            g0 = TVector.MultiplyAdd(TVector.Load(dy), a0, g0);
            g1 = TVector.MultiplyAdd(TVector.Load(dy + o1), a1, g1);
            g2 = TVector.MultiplyAdd(TVector.Load(dy + o2), a2, g2);
            g3 = TVector.MultiplyAdd(TVector.Load(dy + o3), a3, g3);
            if (adds)
            {
                g0 += TVector.Load(dx);
                g1 += TVector.Load(dx + o1);
                g2 += TVector.Load(dx + o2);
                g3 += TVector.Load(dx + o3);
            }

            TVector.Store(dx, g0);
            TVector.Store(dx + o1, g1);
            TVector.Store(dx + o2, g2);
            TVector.Store(dx + o3, g3);
        }
    }
}
