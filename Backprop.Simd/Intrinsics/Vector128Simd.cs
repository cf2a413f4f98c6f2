using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Intrinsics;

/// <summary>Micro-kernels on <see cref="Vector128{T}"/>.</summary>
internal readonly unsafe struct Vector128Simd<T> : ISimd<Vector128<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count => Vector128<T>.Count;

    public static bool IsAccelerated => Vector128.IsHardwareAccelerated;

    public static bool HasManyRegisters => AdvSimd.IsSupported;

    public static bool HasMasks => Avx.IsSupported;

    public static Vector128<T> Zero => Vector128<T>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Load(T* source) => Vector128.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* destination, Vector128<T> value) => Vector128.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> LoadPartial(T* source, int count)
    {
        if (Avx.IsSupported)
        {
            return typeof(T) == typeof(float)
                ? Avx.MaskLoad((float*)source, Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle()).As<float, T>()
                : Avx.MaskLoad((double*)source, Vector128.LessThan(Vector128<long>.Indices, Vector128.Create((long)count)).AsDouble()).As<double, T>();
        }

        var value = Vector128<T>.Zero;
        Unsafe.CopyBlockUnaligned(&value, source, (uint)(count * sizeof(T)));
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(T* destination, Vector128<T> value, int count)
    {
        if (Avx.IsSupported)
        {
            if (typeof(T) == typeof(float))
                Avx.MaskStore((float*)destination, Vector128.LessThan(Vector128<int>.Indices, Vector128.Create(count)).AsSingle(), value.As<T, float>());
            else
                Avx.MaskStore((double*)destination, Vector128.LessThan(Vector128<long>.Indices, Vector128.Create((long)count)).AsDouble(), value.As<T, double>());
        }
        else
        {
            Unsafe.CopyBlockUnaligned(destination, &value, (uint)(count * sizeof(T)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Broadcast(T value) => Vector128.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Add(Vector128<T> left, Vector128<T> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> Multiply(Vector128<T> left, Vector128<T> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<T> MultiplyAdd(Vector128<T> left, Vector128<T> right, Vector128<T> addend) => typeof(T) == typeof(float)
        ? Unsafe.BitCast<Vector128<float>, Vector128<T>>(Vector128.MultiplyAddEstimate(Unsafe.BitCast<Vector128<T>, Vector128<float>>(left), Unsafe.BitCast<Vector128<T>, Vector128<float>>(right), Unsafe.BitCast<Vector128<T>, Vector128<float>>(addend)))
        : Unsafe.BitCast<Vector128<double>, Vector128<T>>(Vector128.MultiplyAddEstimate(Unsafe.BitCast<Vector128<T>, Vector128<double>>(left), Unsafe.BitCast<Vector128<T>, Vector128<double>>(right), Unsafe.BitCast<Vector128<T>, Vector128<double>>(addend)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector128<T> value) => Vector128.Sum(value);
}
