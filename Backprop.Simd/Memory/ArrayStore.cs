using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Memory;

/// <summary>The bytes of a column: managed memory, or a file mapped into memory. Up to 2^63 bytes. Safe for many threads.</summary>
internal abstract class ArrayStore
{
    /// <summary>The number of bytes.</summary>
    public abstract long Length { get; }

    /// <summary>Keeps the bytes in place until the lease is disposed; allocates nothing.</summary>
    /// <exception cref="ObjectDisposedException">The store has been disposed.</exception>
    public abstract ArrayLease Acquire();

    /// <summary>A store over managed memory. The memory is kept, not copied.</summary>
    public static ArrayStore Of<TElement>(ReadOnlyMemory<TElement> memory) where TElement : unmanaged => new MemoryStore<TElement>(memory);

    private sealed class MemoryStore<TElement>(ReadOnlyMemory<TElement> memory) : ArrayStore where TElement : unmanaged
    {
        public override long Length => (long)memory.Length * Unsafe.SizeOf<TElement>();

        public override ArrayLease Acquire() => new(ref Unsafe.As<TElement, byte>(ref MemoryMarshal.GetReference(memory.Span)), Length, null);
    }
}

/// <summary>Access to the bytes of an <see cref="ArrayStore"/> until it is disposed.</summary>
internal readonly ref struct ArrayLease(ref readonly byte first, long length, SafeBuffer? owner)
{
    private readonly ref readonly byte _first = ref first;
    private readonly long _length = length;

    /// <summary>Elements from a byte offset on. They need not be aligned.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They do not lie within the bytes.</exception>
    public ReadOnlySpan<TElement> Elements<TElement>(long offset, int count) where TElement : unmanaged
    {
        var bytes = (long)count * Unsafe.SizeOf<TElement>();
        if (count < 0 || offset < 0 || bytes > _length - offset)
            throw new ArgumentOutOfRangeException(nameof(offset), offset, $"{bytes} bytes from {offset} on do not lie within {_length}.");
        ref var element = ref Unsafe.AddByteOffset(ref Unsafe.AsRef(in _first), (nint)offset);
        return MemoryMarshal.CreateReadOnlySpan(ref Unsafe.As<byte, TElement>(ref element), count);
    }

    public void Dispose() => owner?.ReleasePointer();
}
