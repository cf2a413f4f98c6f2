using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Intrinsics;

/// <summary>Transposes square blocks as wide as 128 bits: 4 x 4 floats, 2 x 2 doubles.</summary>
internal static unsafe class Transpose128
{
    /// <summary>Rows and columns of a block.</summary>
    public static int Size<T>() where T : unmanaged => Vector128<T>.Count;

    /// <summary>destination[j, i] = source[i, j] for one block; the strides are those of rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Block<T>(T* source, nint sourceStride, T* destination, nint destinationStride)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (typeof(T) == typeof(double))
        {
            var x = Vector128.Load((double*)source);
            var y = Vector128.Load((double*)(source + sourceStride));
            Low(x, y).Store((double*)destination);
            High(x, y).Store((double*)(destination + destinationStride));
            return;
        }

        var a = Vector128.Load((float*)source);
        var b = Vector128.Load((float*)(source + sourceStride));
        var c = Vector128.Load((float*)(source + 2 * sourceStride));
        var d = Vector128.Load((float*)(source + 3 * sourceStride));
        Vector128<double> ab = Low(a, b).AsDouble(), cd = Low(c, d).AsDouble();
        Low(ab, cd).AsSingle().Store((float*)destination);
        High(ab, cd).AsSingle().Store((float*)(destination + destinationStride));
        ab = High(a, b).AsDouble();
        cd = High(c, d).AsDouble();
        Low(ab, cd).AsSingle().Store((float*)(destination + 2 * destinationStride));
        High(ab, cd).AsSingle().Store((float*)(destination + 3 * destinationStride));
    }

    /// <summary>x0 y0 x1 y1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> Low(Vector128<float> x, Vector128<float> y) =>
        Sse.IsSupported ? Sse.UnpackLow(x, y)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(x, y)
        : Vector128.Create(x[0], y[0], x[1], y[1]);

    /// <summary>x2 y2 x3 y3.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<float> High(Vector128<float> x, Vector128<float> y) =>
        Sse.IsSupported ? Sse.UnpackHigh(x, y)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(x, y)
        : Vector128.Create(x[2], y[2], x[3], y[3]);

    /// <summary>x0 y0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> Low(Vector128<double> x, Vector128<double> y) =>
        Sse2.IsSupported ? Sse2.UnpackLow(x, y)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipLow(x, y)
        : Vector128.Create(x[0], y[0]);

    /// <summary>x1 y1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<double> High(Vector128<double> x, Vector128<double> y) =>
        Sse2.IsSupported ? Sse2.UnpackHigh(x, y)
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.ZipHigh(x, y)
        : Vector128.Create(x[1], y[1]);
}
