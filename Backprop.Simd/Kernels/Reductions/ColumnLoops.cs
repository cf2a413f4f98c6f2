using System.Numerics;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>Sums down the columns of a row-major matrix. Each lane is summed in the same order in every form.</summary>
internal static unsafe class ColumnLoops
{
    /// <summary>Rows summed from zero before they join the total: bounds the rounding of long columns.</summary>
    private const int RowBlock = 128;

    /// <summary>Four vectors of columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Four<T>(T* x, int rows, nint stride, T* destination, bool accumulate) where T : unmanaged
    {
        nint count = Vector<T>.Count;
        Vector<T> totalA = default, totalB = default, totalC = default, totalD = default;
        for (var row = 0; row < rows; row += RowBlock)
        {
            Vector<T> a = default, b = default, c = default, d = default;
            for (var left = Math.Min(RowBlock, rows - row); left > 0; left--, x += stride)
            {
                a += Vector.Load(x);
                b += Vector.Load(x + count);
                c += Vector.Load(x + 2 * count);
                d += Vector.Load(x + 3 * count);
            }

            totalA += a;
            totalB += b;
            totalC += c;
            totalD += d;
        }

        if (accumulate)
        {
            totalA = Vector.Load(destination) + totalA;
            totalB = Vector.Load(destination + count) + totalB;
            totalC = Vector.Load(destination + 2 * count) + totalC;
            totalD = Vector.Load(destination + 3 * count) + totalD;
        }

        Vector.Store(totalA, destination);
        Vector.Store(totalB, destination + count);
        Vector.Store(totalC, destination + 2 * count);
        Vector.Store(totalD, destination + 3 * count);
    }

    /// <summary>One vector of columns.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Vector<T> One<T>(T* x, int rows, nint stride) where T : unmanaged
    {
        Vector<T> total = default;
        for (var row = 0; row < rows; row += RowBlock)
        {
            Vector<T> sum = default;
            for (var left = Math.Min(RowBlock, rows - row); left > 0; left--, x += stride)
                sum += Vector.Load(x);
            total += sum;
        }

        return total;
    }

    /// <summary>Fewer columns than a vector; the other lanes are worthless.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Vector<T> Narrow<T>(T* x, int rows, nint stride, nint columns, T* end) where T : unmanaged
    {
        Vector<T> total = default;
        for (var row = 0; row < rows; row += RowBlock)
        {
            Vector<T> sum = default;
            for (var left = Math.Min(RowBlock, rows - row); left > 0; left--, x += stride)
                sum += end - x >= Vector<T>.Count ? Vector.Load(x) : MapLoops.LoadPadded(x, columns);
            total += sum;
        }

        return total;
    }
}
