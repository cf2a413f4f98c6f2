using System.Runtime.CompilerServices;

namespace Backprop.Simd.Memory;

/// <summary>
/// A zero-initialized block of <typeparamref name="T"/> whose first element lies on a 64-byte boundary and never moves.
/// </summary>
/// <remarks>
/// The block is a pinned managed array: nothing has to be disposed, and a span taken from it keeps it alive.
/// </remarks>
/// <typeparam name="T">The element type.</typeparam>
public sealed class AlignedBuffer<T> where T : unmanaged
{
    /// <summary>The alignment of the first element, in bytes: one cache line, one 512-bit vector.</summary>
    public const int Alignment = 64;

    private readonly T[] _array;
    private readonly int _start;

    /// <summary>Allocates a block of zeros.</summary>
    /// <param name="length">The number of elements, zero or more.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="length"/> is negative, or so large that the block
    /// and its alignment do not fit into one array.</exception>
    /// <exception cref="NotSupportedException">An element does not have 1, 2, 4 or 8 bytes.</exception>
    public AlignedBuffer(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (Unsafe.SizeOf<T>() is not (1 or 2 or 4 or 8))
            throw new NotSupportedException($"Aligned blocks hold elements of 1, 2, 4 or 8 bytes; {typeof(T)} has {Unsafe.SizeOf<T>()}.");
        var slack = Alignment / Unsafe.SizeOf<T>();
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Array.MaxLength - slack);
        Length = length;
        _array = length == 0 ? [] : GC.AllocateArray<T>(length + slack, pinned: true);
        if (length != 0)
            _start = StartOf(_array);
    }

    /// <summary>The number of elements.</summary>
    public int Length { get; }

    /// <summary>The bytes of the block, with the slack for its alignment.</summary>
    public long Bytes => (long)_array.Length * Unsafe.SizeOf<T>();

    /// <summary>The whole block.</summary>
    public Span<T> Span => new(_array, _start, Length);

    /// <summary>The whole block as memory, for owners that outlive a stack frame.</summary>
    public Memory<T> Memory => new(_array, _start, Length);

    private static unsafe int StartOf(T[] array)
    {
        var address = (nuint)Unsafe.AsPointer(ref array[0]);
        var misalignment = (int)(address % Alignment);
        return misalignment == 0 ? 0 : (Alignment - misalignment) / Unsafe.SizeOf<T>();
    }
}
