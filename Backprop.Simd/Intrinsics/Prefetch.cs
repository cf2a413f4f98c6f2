using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace Backprop.Simd.Intrinsics;

/// <summary>A hint to fetch a cache line; nothing where the hardware has no such instruction.</summary>
internal static unsafe class Prefetch
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Line(void* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch0(address);
    }

    /// <summary>The same into the second-level cache, for what is read some time later.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void LineForLater(void* address)
    {
        if (Sse.IsSupported)
            Sse.Prefetch1(address);
    }
}
