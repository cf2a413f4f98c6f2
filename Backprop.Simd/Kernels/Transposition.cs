using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Kernels;

/// <summary>Copies a matrix transposed, in square blocks held in registers.</summary>
internal static unsafe class Transposition
{
    /// <summary>destination[p * step + j] = source[j * stride + p] for j below <paramref name="columns"/>, p below <paramref name="depth"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<T>(T* source, nint stride, int columns, int depth, T* destination, nint step)
        where T : unmanaged
    {
        var side = !Avx.IsSupported ? 1 : typeof(T) == typeof(float) ? 8 : 4;
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
                if (typeof(T) == typeof(float))
                    Block((float*)(from + at), stride, (float*)(to + at * step), step);
                else
                    Block((double*)(from + at), stride, (double*)(to + at * step), step);
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block(float* source, nint stride, float* destination, nint step)
    {
        var source4 = source + 4 * stride;
        Vector256<float> r0 = Vector256.Load(source), r1 = Vector256.Load(source + stride);
        Vector256<float> r2 = Vector256.Load(source + 2 * stride), r3 = Vector256.Load(source + 3 * stride);
        Vector256<float> r4 = Vector256.Load(source4), r5 = Vector256.Load(source4 + stride);
        Vector256<float> r6 = Vector256.Load(source4 + 2 * stride), r7 = Vector256.Load(source4 + 3 * stride);

        Vector256<float> a0 = Avx.UnpackLow(r0, r1), a1 = Avx.UnpackHigh(r0, r1), a2 = Avx.UnpackLow(r2, r3), a3 = Avx.UnpackHigh(r2, r3);
        Vector256<float> a4 = Avx.UnpackLow(r4, r5), a5 = Avx.UnpackHigh(r4, r5), a6 = Avx.UnpackLow(r6, r7), a7 = Avx.UnpackHigh(r6, r7);

        // Pairs of pairs: lanes 0 1 0 1 and 2 3 2 3.
        Vector256<float> q0 = Avx.Shuffle(a0, a2, 0x44), q1 = Avx.Shuffle(a0, a2, 0xEE), q2 = Avx.Shuffle(a1, a3, 0x44), q3 = Avx.Shuffle(a1, a3, 0xEE);
        Vector256<float> q4 = Avx.Shuffle(a4, a6, 0x44), q5 = Avx.Shuffle(a4, a6, 0xEE), q6 = Avx.Shuffle(a5, a7, 0x44), q7 = Avx.Shuffle(a5, a7, 0xEE);

        // Low halves of both, then high halves.
        var destination4 = destination + 4 * step;
        Vector256.Store(Avx.Permute2x128(q0, q4, 0x20), destination);
        Vector256.Store(Avx.Permute2x128(q1, q5, 0x20), destination + step);
        Vector256.Store(Avx.Permute2x128(q2, q6, 0x20), destination + 2 * step);
        Vector256.Store(Avx.Permute2x128(q3, q7, 0x20), destination + 3 * step);
        Vector256.Store(Avx.Permute2x128(q0, q4, 0x31), destination4);
        Vector256.Store(Avx.Permute2x128(q1, q5, 0x31), destination4 + step);
        Vector256.Store(Avx.Permute2x128(q2, q6, 0x31), destination4 + 2 * step);
        Vector256.Store(Avx.Permute2x128(q3, q7, 0x31), destination4 + 3 * step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Block(double* source, nint stride, double* destination, nint step)
    {
        Vector256<double> r0 = Vector256.Load(source), r1 = Vector256.Load(source + stride);
        Vector256<double> r2 = Vector256.Load(source + 2 * stride), r3 = Vector256.Load(source + 3 * stride);
        Vector256<double> a0 = Avx.UnpackLow(r0, r1), a1 = Avx.UnpackHigh(r0, r1), a2 = Avx.UnpackLow(r2, r3), a3 = Avx.UnpackHigh(r2, r3);
        Vector256.Store(Avx.Permute2x128(a0, a2, 0x20), destination);
        Vector256.Store(Avx.Permute2x128(a1, a3, 0x20), destination + step);
        Vector256.Store(Avx.Permute2x128(a0, a2, 0x31), destination + 2 * step);
        Vector256.Store(Avx.Permute2x128(a1, a3, 0x31), destination + 3 * step);
    }
}
