using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Copies a matrix transposed, in square blocks held in registers.</summary>
internal static unsafe class Transposition
{
    /// <summary>destination[p * step + j] = source[j * stride + p] for j below <paramref name="columns"/>, p below <paramref name="depth"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T>(T* source, nint stride, int columns, int depth, T* destination, nint step)
        where T : unmanaged
    {
        var side = TransposedBlock.Side<T>();
        if (side == 1 || columns < side || depth < side)
        {
            Elements(source, stride, columns, depth, destination, step);
            return;
        }

        // The last blocks of either direction may overlap those before, and then write the same elements again.
        for (var j = 0; j < columns; j += side)
        {
            var column = Math.Min(j, columns - side);
            T* from = source + column * stride, to = destination + column;
            for (var p = 0; p < depth; p += side)
            {
                var at = Math.Min(p, depth - side);
                TransposedBlock.Copy(from + at, stride, to + at * step, step);
            }
        }
    }

    private static void Elements<T>(T* source, nint stride, int columns, int depth, T* destination, nint step)
        where T : unmanaged
    {
        for (var j = 0; j < columns; j++)
        {
            var from = source + j * stride;
            var to = destination + j;
            for (var p = 0; p < depth; p++)
            {
                *to = from[p];
                to += step;
            }
        }
    }
}
