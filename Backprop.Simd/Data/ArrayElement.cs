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
}

internal static class ArrayElements
{
    public static int Size(this ArrayElement element) => element switch
    {
        ArrayElement.U1 => 1,
        ArrayElement.F2 => 2,
        ArrayElement.F4 or ArrayElement.I4 => 4,
        ArrayElement.F8 or ArrayElement.I8 => 8,
        _ => throw new ArgumentOutOfRangeException(nameof(element), element, "There is no such element type."),
    };
}
