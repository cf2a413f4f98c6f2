namespace Backprop.Simd.Data;

/// <summary>The element type of a file.</summary>
public enum ArrayElement
{
    /// <summary>float.</summary>
    F4,

    /// <summary>double.</summary>
    F8,

    /// <summary>Unsigned bytes.</summary>
    U1,

    /// <summary>32-bit integers.</summary>
    I4,

    /// <summary>64-bit integers.</summary>
    I8,

    /// <summary>Half.</summary>
    F2,

    /// <summary>Truth values, one byte each: 0 is false.</summary>
    B1,

    /// <summary>Signed bytes.</summary>
    I1,

    /// <summary>16-bit integers.</summary>
    I2,

    /// <summary>Unsigned 16-bit integers.</summary>
    U2,

    /// <summary>Unsigned 32-bit integers.</summary>
    U4,

    /// <summary>Unsigned 64-bit integers.</summary>
    U8,
}

internal static class ArrayElements
{
    public static int Size(this ArrayElement element) => element switch
    {
        ArrayElement.U1 or ArrayElement.I1 or ArrayElement.B1 => 1,
        ArrayElement.F2 or ArrayElement.I2 or ArrayElement.U2 => 2,
        ArrayElement.F4 or ArrayElement.I4 or ArrayElement.U4 => 4,
        ArrayElement.F8 or ArrayElement.I8 or ArrayElement.U8 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(element), element, "There is no such element type."),
    };

    /// <summary>The element type that <typeparamref name="T"/> is.</summary>
    /// <exception cref="NotSupportedException">There is no such element type.</exception>
    public static ArrayElement Of<T>() where T : unmanaged =>
        typeof(T) == typeof(float) ? ArrayElement.F4
        : typeof(T) == typeof(double) ? ArrayElement.F8
        : typeof(T) == typeof(Half) ? ArrayElement.F2
        : typeof(T) == typeof(bool) ? ArrayElement.B1
        : typeof(T) == typeof(byte) ? ArrayElement.U1
        : typeof(T) == typeof(sbyte) ? ArrayElement.I1
        : typeof(T) == typeof(short) ? ArrayElement.I2
        : typeof(T) == typeof(ushort) ? ArrayElement.U2
        : typeof(T) == typeof(int) ? ArrayElement.I4
        : typeof(T) == typeof(uint) ? ArrayElement.U4
        : typeof(T) == typeof(long) ? ArrayElement.I8
        : typeof(T) == typeof(ulong) ? ArrayElement.U8
        : throw new NotSupportedException($"Arrays hold bool, Half, float, double or integers of 8 to 64 bits; got {typeof(T)}.");
}
