using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Memory;

/// <summary>The length and overlap rules of the kernels, each with its exception.</summary>
internal static class SpanGuard
{
    /// <summary>Throws unless <typeparamref name="T"/> is float or double.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Supported<T>() where T : unmanaged
    {
        if (typeof(T) != typeof(float) && typeof(T) != typeof(double))
            throw new NotSupportedException($"Kernels run on float and double; {typeof(T)} is neither.");
    }

    /// <summary>Throws unless both inputs have the same length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SameLength(int expected, int actual, [CallerArgumentExpression(nameof(actual))] string name = "")
    {
        if (expected != actual)
            ThrowLength(expected, actual, name);
    }

    /// <summary>Throws unless a destination holds at least <paramref name="needed"/> elements. The tail of a longer one stays as it is.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void AtLeast(int needed, int actual, [CallerArgumentExpression(nameof(actual))] string name = "")
    {
        if (actual < needed)
            ThrowShort(needed, actual, name);
    }

    /// <summary>Elementwise rule: the spans start at the same element or share none.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void SameStartOrDisjoint<T>(ReadOnlySpan<T> input, ReadOnlySpan<T> destination,
        [CallerArgumentExpression(nameof(destination))] string name = "")
    {
        if (input.Overlaps(destination, out var offset) && offset != 0)
            ThrowShifted(offset, name);
    }

    /// <summary>Reduction and matrix rule: the spans share no element.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Disjoint<T>(ReadOnlySpan<T> input, ReadOnlySpan<T> destination, [CallerArgumentExpression(nameof(destination))] string name = "")
    {
        if (input.Overlaps(destination))
            ThrowOverlap(name);
    }

    /// <summary>Throws unless an array can have this length. Call it before the allocation.</summary>
    public static void ArrayLength(long length, [CallerArgumentExpression(nameof(length))] string name = "")
    {
        if (length < 0 || length > Array.MaxLength)
            throw new ArgumentOutOfRangeException(name, length, $"'{name}' must be 0 to {Array.MaxLength}, the longest array.");
    }

    /// <summary>Throws unless a value is a positive, finite number.</summary>
    public static void PositiveFinite<TNumber>(TNumber value, [CallerArgumentExpression(nameof(value))] string name = "")
        where TNumber : IFloatingPoint<TNumber>
    {
        if (!(TNumber.IsFinite(value) && TNumber.IsPositive(value) && !TNumber.IsZero(value)))
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be positive and finite.");
    }

    /// <summary>Throws if two spans of different elements share a byte.</summary>
    public static void Apart<TInput, TDestination>(ReadOnlySpan<TInput> input, ReadOnlySpan<TDestination> destination, string name)
    {
        ref var first = ref Unsafe.As<TInput, byte>(ref MemoryMarshal.GetReference(input));
        ref var second = ref Unsafe.As<TDestination, byte>(ref MemoryMarshal.GetReference(destination));
        var distance = Unsafe.ByteOffset(ref first, ref second);
        var isApart = input.IsEmpty || destination.IsEmpty || distance >= (nint)input.Length * Unsafe.SizeOf<TInput>()
            || distance <= -(nint)destination.Length * Unsafe.SizeOf<TDestination>();
        if (!isApart)
            ThrowOverlap(name);
    }

    /// <summary>Throws unless a constant is 0 or, without its sign, 1e-30 to 1e30: float can hold it as well as double.</summary>
    public static void InFloatRange(double value, [CallerArgumentExpression(nameof(value))] string name = "")
    {
        if (value != 0 && !(Math.Abs(value) is >= 1e-30 and <= 1e30))
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be 0 or between 1e-30 and 1e30 in size, so that float holds it.");
    }

    [DoesNotReturn]
    private static void ThrowLength(int expected, int actual, string name) =>
        throw new ArgumentException($"'{Root(name)}' must have length {expected}; it has {actual}.", Root(name));

    [DoesNotReturn]
    private static void ThrowShort(int needed, int actual, string name) =>
        throw new ArgumentException($"'{Root(name)}' must hold at least {needed} elements; it has {actual}.", Root(name));

    [DoesNotReturn]
    private static void ThrowShifted(int offset, string name) =>
        throw new ArgumentException($"'{name}' overlaps an input shifted by {offset} elements; start both at the same element or keep them apart.", name);

    [DoesNotReturn]
    public static void ThrowOverlap(string name) =>
        throw new ArgumentException($"'{name}' overlaps another operand; keep them apart.", name);

    // Callers pass `x.Length`: the argument is x.
    private static string Root(string expression)
    {
        var dot = expression.IndexOf('.', StringComparison.Ordinal);
        return dot < 0 ? expression : expression[..dot];
    }
}
