using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Sums down the columns of a row-major matrix, in the order of <see cref="BlockSums"/>: a column has the same bits in every form.</summary>
internal static unsafe class ColumnLoops
{
    private const MethodImplOptions Loop = MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining;

    /// <summary>sums[j] += sum over i of x[i, j]. No element from <paramref name="end"/> on is read.</summary>
    public static void Add<TVector, T>(T* x, nint rows, nint stride, int columns, T* end, T* sums)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (columns < TVector.Count)
        {
            Narrow<TVector, T>(x, rows, stride, columns, end, sums);
            return;
        }

        // Strips of two to four registers, or one.
        var strips = (columns - 1) / (4 * TVector.Count) + 1;
        for (int strip = 0, from = 0; strip < strips; strip++)
        {
            var to = (int)((strip + 1L) * columns / strips);
            Strip<TVector, T>(x + from, rows, stride, to - from, sums + from);
            from = to;
        }
    }

    /// <summary>The same for a strip of one to four registers, which may overlap.</summary>
    [MethodImpl(Loop)]
    public static void Strip<TVector, T>(T* x, nint rows, nint stride, nint width, T* sums)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint count = TVector.Count, o3 = width - count, o2 = Math.Min(2 * count, o3), o1 = Math.Min(count, o3);
        var slots = stackalloc T[BlockSums.Slots(BlockSums.Blocks(rows)) * (int)width];
        var block = 0;
        for (; rows > 0; rows -= BlockSums.Rows)
        {
            TVector a = TVector.Zero, b = a, c = a, d = a;
            for (var left = Math.Min(BlockSums.Rows, rows); left > 0; left--, x += stride)
            {
                a += TVector.Load(x);
                b += TVector.Load(x + o1);
                c += TVector.Load(x + o2);
                d += TVector.Load(x + o3);
            }

            BlockSums.Join(slots, block++, width, a, b, c, d);
        }

        BlockSums.FinishInto<TVector, T>(slots, block, width, sums);
    }

    /// <summary>The same for fewer columns than a register. Loads run into the next row, whose lanes are dropped.</summary>
    [MethodImpl(Loop)]
    private static void Narrow<TVector, T>(T* x, nint rows, nint stride, int columns, T* end, T* sums)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint count = TVector.Count;
        var slots = stackalloc T[BlockSums.Slots(BlockSums.Blocks(rows)) * (int)count];
        var block = 0;
        for (; rows > 0; rows -= BlockSums.Rows)
        {
            var sum = TVector.Zero;
            for (var left = Math.Min(BlockSums.Rows, rows); left > 0; left--, x += stride)
                sum += end - x >= count ? TVector.Load(x) : Padded<TVector, T>(x, columns);
            BlockSums.Join(slots, block++, count, sum, sum, sum, sum);
        }

        BlockSums.Finish(slots, block, count, columns);
        for (var column = 0; column < columns; column++)
            sums[column] += slots[column];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TVector Padded<TVector, T>(T* x, int columns)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T> => MapLoops.LoadPadded<TVector, T>(x, columns);
}
