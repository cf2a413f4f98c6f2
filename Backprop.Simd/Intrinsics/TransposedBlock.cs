using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Intrinsics;

/// <summary>Transposes a square block of a matrix in registers.</summary>
internal static unsafe class TransposedBlock
{
    /// <summary>The rows and columns of a block; 1 where the hardware has no instructions for it. A constant to the compiler.</summary>
    public static int Side<T>() where T : unmanaged => !Avx.IsSupported ? 1 : typeof(T) == typeof(float) ? 8 : 4;

    /// <summary>destination[p * step + j] = source[j * stride + p] for j and p below <see cref="Side{T}"/>, which is not 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Copy<T>(T* source, nint stride, T* destination, nint step) where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            Copy((float*)source, stride, (float*)destination, step);
        else
            Copy((double*)source, stride, (double*)destination, step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Copy(float* source, nint stride, float* destination, nint step)
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
    private static void Copy(double* source, nint stride, double* destination, nint step)
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
