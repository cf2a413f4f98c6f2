using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Backprop.Simd.Intrinsics;

/// <summary>Micro-kernels on <see cref="Vector256{T}"/>.</summary>
internal readonly unsafe struct Vector256Simd<T> : ISimd<Vector256<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count => Vector256<T>.Count;

    public static bool IsAccelerated => Vector256.IsHardwareAccelerated;

    public static bool HasManyRegisters => false;

    public static Vector256<T> Zero => Vector256<T>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Load(T* source) => Vector256.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* destination, Vector256<T> value) => Vector256.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Broadcast(T value) => Vector256.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Add(Vector256<T> left, Vector256<T> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> Multiply(Vector256<T> left, Vector256<T> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<T> MultiplyAdd(Vector256<T> left, Vector256<T> right, Vector256<T> addend) => typeof(T) == typeof(float)
        ? Unsafe.BitCast<Vector256<float>, Vector256<T>>(Vector256.MultiplyAddEstimate(Unsafe.BitCast<Vector256<T>, Vector256<float>>(left), Unsafe.BitCast<Vector256<T>, Vector256<float>>(right), Unsafe.BitCast<Vector256<T>, Vector256<float>>(addend)))
        : Unsafe.BitCast<Vector256<double>, Vector256<T>>(Vector256.MultiplyAddEstimate(Unsafe.BitCast<Vector256<T>, Vector256<double>>(left), Unsafe.BitCast<Vector256<T>, Vector256<double>>(right), Unsafe.BitCast<Vector256<T>, Vector256<double>>(addend)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector256<T> value) => Vector256.Sum(value);
}
