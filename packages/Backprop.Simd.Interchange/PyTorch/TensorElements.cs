using System.Numerics;
using System.Runtime.InteropServices;
using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>Elements of tensors: their sizes, and what they are read as.</summary>
internal static class TensorElements
{
    public static int Size(TensorType type) => type switch
    {
        TensorType.BOOL or TensorType.U8 or TensorType.I8 => 1,
        TensorType.I16 or TensorType.U16 or TensorType.F16 or TensorType.BF16 => 2,
        TensorType.I32 or TensorType.U32 or TensorType.F32 => 4,
        _ => 8,
    };

    /// <summary>Whether elements can be read as <typeparamref name="T"/>, without loss unless narrowing is allowed.</summary>
    /// <exception cref="NotSupportedException">There are no tensors of <typeparamref name="T"/>.</exception>
    public static bool CanRead<T>(TensorType type, bool allowNarrowing)
        where T : unmanaged
    {
        var own = Of<T>();
        return own == type
            || own == TensorType.U8 && type == TensorType.BOOL
            || own is TensorType.F32 or TensorType.F64 && type is TensorType.F16 or TensorType.BF16 or TensorType.F32
            || own == TensorType.F32 && type == TensorType.F64 && allowNarrowing;
    }

    /// <summary>The type whose elements are <typeparamref name="T"/>.</summary>
    /// <exception cref="NotSupportedException">There is no such type.</exception>
    public static TensorType Of<T>()
        where T : unmanaged => default(T) switch
        {
            float => TensorType.F32,
            double => TensorType.F64,
            Half => TensorType.F16,
            byte => TensorType.U8,
            sbyte => TensorType.I8,
            short => TensorType.I16,
            ushort => TensorType.U16,
            int => TensorType.I32,
            uint => TensorType.U32,
            long => TensorType.I64,
            ulong => TensorType.U64,
            _ => throw new NotSupportedException($"Tensors hold float, double, Half or integers of 8 to 64 bits; got {typeof(T)}."),
        };

    /// <summary>Converts elements in the byte order of this machine.</summary>
    public static void Convert<T>(ReadOnlySpan<byte> bytes, TensorType type, Span<T> destination)
        where T : unmanaged
    {
        if (typeof(T) == typeof(float) && type != TensorType.F32)
            ToNumbers(bytes, type, MemoryMarshal.Cast<T, float>(destination));
        else if (typeof(T) == typeof(double) && type != TensorType.F64)
            ToNumbers(bytes, type, MemoryMarshal.Cast<T, double>(destination));
        else
            bytes.CopyTo(MemoryMarshal.AsBytes(destination));
    }

    /// <summary>Turns the bytes of each element around.</summary>
    public static void Swap(Span<byte> bytes, int size)
    {
        for (var at = 0; size > 1 && at < bytes.Length; at += size)
            bytes.Slice(at, size).Reverse();
    }

    private static void ToNumbers<T>(ReadOnlySpan<byte> bytes, TensorType type, Span<T> destination)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = type switch
            {
                TensorType.F16 => T.CreateTruncating(MemoryMarshal.Cast<byte, Half>(bytes)[i]),
                TensorType.BF16 => T.CreateTruncating(BitConverter.UInt32BitsToSingle((uint)MemoryMarshal.Cast<byte, ushort>(bytes)[i] << 16)),
                TensorType.F32 => T.CreateTruncating(MemoryMarshal.Cast<byte, float>(bytes)[i]),
                _ => T.CreateTruncating(MemoryMarshal.Cast<byte, double>(bytes)[i]),
            };
        }
    }
}
