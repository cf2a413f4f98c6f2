using System.Numerics;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Intrinsics;

/// <summary>Micro-kernels on <see cref="Vector{T}"/>.</summary>
internal readonly unsafe struct VectorSimd<T> : ISimd<Vector<T>, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    public static int Count => Vector<T>.Count;

    public static bool IsAccelerated => Vector.IsHardwareAccelerated;

    public static bool HasManyRegisters => System.Runtime.Intrinsics.Arm.AdvSimd.IsSupported;

    public static bool HasMasks => false;

    public static Vector<T> Zero => Vector<T>.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> Load(T* source) => Vector.Load(source);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(T* destination, Vector<T> value) => Vector.Store(value, destination);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> LoadPartial(T* source, int count)
    {
        var value = Vector<T>.Zero;
        Unsafe.CopyBlockUnaligned(&value, source, (uint)(count * sizeof(T)));
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePartial(T* destination, Vector<T> value, int count) =>
        Unsafe.CopyBlockUnaligned(destination, &value, (uint)(count * sizeof(T)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> Broadcast(T value) => Vector.Create(value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> Add(Vector<T> left, Vector<T> right) => left + right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> Multiply(Vector<T> left, Vector<T> right) => left * right;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<T> MultiplyAdd(Vector<T> left, Vector<T> right, Vector<T> addend) => typeof(T) == typeof(float)
        ? Unsafe.BitCast<Vector<float>, Vector<T>>(Vector.MultiplyAddEstimate(Unsafe.BitCast<Vector<T>, Vector<float>>(left), Unsafe.BitCast<Vector<T>, Vector<float>>(right), Unsafe.BitCast<Vector<T>, Vector<float>>(addend)))
        : Unsafe.BitCast<Vector<double>, Vector<T>>(Vector.MultiplyAddEstimate(Unsafe.BitCast<Vector<T>, Vector<double>>(left), Unsafe.BitCast<Vector<T>, Vector<double>>(right), Unsafe.BitCast<Vector<T>, Vector<double>>(addend)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Sum(Vector<T> value) => Vector.Sum(value);
}
