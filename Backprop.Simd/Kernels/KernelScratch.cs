using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Packing space, one block per thread, grown on demand and kept: kernels allocate nothing once a thread has seen its largest
/// shape, and no two threads ever share a block.
/// </summary>
internal static class KernelScratch
{
    private const int MinimumBytes = 64 * 1024;

    [ThreadStatic]
    private static AlignedBuffer<byte>? _block;

    /// <summary>Space for <paramref name="length"/> elements, aligned to 64 bytes, holding anything. One user at a time.</summary>
    public static Span<T> Get<T>(int length) where T : unmanaged
    {
        var bytes = checked(length * Unsafe.SizeOf<T>());
        var block = _block;
        if (block is null || block.Length < bytes)
            _block = block = new AlignedBuffer<byte>(Math.Max(bytes, MinimumBytes));
        return MemoryMarshal.Cast<byte, T>(block.Span)[..length];
    }

    /// <summary>Gives every thread of a team the space that products of operands of up to <paramref name="largest"/> elements
    /// need, and at least so many bytes.</summary>
    public static void Reserve<T>(ComputeContext context, long largest, long least = 0) where T : unmanaged
    {
        // A copy of each operand, the overlap of its last vectors and the padding of its rows; blocking bounds both.
        var bytes = (int)Math.Min(4 * largest * Unsafe.SizeOf<T>() + MinimumBytes, GemmBlocking.MostScratchBytes);
        if (least > Array.MaxLength)
            throw new ArgumentException($"A layer needs {least} bytes of packing space on each thread; there are at most 2^31.", nameof(least));
        bytes = Math.Max(bytes, (int)least);
        context.RunOnEveryThread(new ReserveBody { Bytes = bytes });
    }

    private struct ReserveBody : IRangeBody
    {
        public int Bytes;

        public readonly void Execute(int start, int limit) => Get<byte>(Bytes);
    }
}
