using System.Text.Json;

namespace Backprop.Simd.Serialization;

/// <summary>The element types of a safetensors file, with the names that the file uses.</summary>
public enum TensorType
{
    /// <summary>Truth values, one byte each.</summary>
    BOOL,

    /// <summary>Unsigned 8-bit integers.</summary>
    U8,

    /// <summary>Signed 8-bit integers.</summary>
    I8,

    /// <summary>Signed 16-bit integers.</summary>
    I16,

    /// <summary>Unsigned 16-bit integers.</summary>
    U16,

    /// <summary>IEEE 754 half precision.</summary>
    F16,

    /// <summary>The upper 16 bits of single precision.</summary>
    BF16,

    /// <summary>Signed 32-bit integers.</summary>
    I32,

    /// <summary>Unsigned 32-bit integers.</summary>
    U32,

    /// <summary>Single precision.</summary>
    F32,

    /// <summary>Double precision.</summary>
    F64,

    /// <summary>Signed 64-bit integers.</summary>
    I64,

    /// <summary>Unsigned 64-bit integers.</summary>
    U64,
}

/// <summary>Names and sizes of element types.</summary>
internal static class TensorTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this TensorType type) => type switch
    {
        TensorType.BOOL or TensorType.U8 or TensorType.I8 => 1,
        TensorType.I16 or TensorType.U16 or TensorType.F16 or TensorType.BF16 => 2,
        TensorType.I32 or TensorType.U32 or TensorType.F32 => 4,
        _ => 8,
    };

    public static string Name(this TensorType type) => type switch
    {
        TensorType.BOOL => "BOOL",
        TensorType.U8 => "U8",
        TensorType.I8 => "I8",
        TensorType.I16 => "I16",
        TensorType.U16 => "U16",
        TensorType.F16 => "F16",
        TensorType.BF16 => "BF16",
        TensorType.I32 => "I32",
        TensorType.U32 => "U32",
        TensorType.F32 => "F32",
        TensorType.F64 => "F64",
        TensorType.I64 => "I64",
        _ => "U64",
    };

    /// <summary>The type whose name the reader has just read.</summary>
    public static bool TryParse(in Utf8JsonReader name, out TensorType type)
    {
        for (type = TensorType.BOOL; type <= TensorType.U64; type++)
        {
            if (name.ValueTextEquals(type.Name()))
                return true;
        }

        return false;
    }

    /// <summary>The type whose elements are <typeparamref name="T"/>.</summary>
    /// <exception cref="NotSupportedException">There is no such type.</exception>
    public static TensorType Of<T>()
        where T : unmanaged
    {
        if (typeof(T) == typeof(float))
            return TensorType.F32;
        if (typeof(T) == typeof(double))
            return TensorType.F64;
        if (typeof(T) == typeof(Half))
            return TensorType.F16;
        if (typeof(T) == typeof(UpperHalf))
            return TensorType.BF16;
        if (typeof(T) == typeof(byte))
            return TensorType.U8;
        if (typeof(T) == typeof(sbyte))
            return TensorType.I8;
        if (typeof(T) == typeof(short))
            return TensorType.I16;
        if (typeof(T) == typeof(ushort))
            return TensorType.U16;
        if (typeof(T) == typeof(int))
            return TensorType.I32;
        if (typeof(T) == typeof(uint))
            return TensorType.U32;
        if (typeof(T) == typeof(long))
            return TensorType.I64;
        if (typeof(T) == typeof(ulong))
            return TensorType.U64;
        throw new NotSupportedException($"Tensors hold float, double, Half or integers of 8 to 64 bits; got {typeof(T)}.");
    }

    /// <summary>Throws on a big-endian machine.</summary>
    public static void RequireLittleEndian()
    {
        if (!BitConverter.IsLittleEndian)
            throw new NotSupportedException("Safetensors files need a little-endian machine.");
    }
}
