using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Hints to fetch rows that are read soon: rows in a random order are in no cache, and the hardware does not foresee them.</summary>
internal static unsafe class RowFetch
{
    private const int Line = 64;

    /// <summary>More of a row than this the hardware foresees once its start is read.</summary>
    private const int LongestHint = 2048;

    /// <summary>Bytes under way: bounds the rows ahead. More find no free fill buffer.</summary>
    private const int Ahead = 2048;

    /// <summary>How many rows ahead hints go; 0 for rows so small that hints cost more than they save.</summary>
    public static int Distance(long rowBytes) => rowBytes < Line ? 0 : (int)Math.Max(1, Ahead / rowBytes);

    /// <summary>Asks for the cache lines of a row that is read in some microseconds, into the second-level cache.</summary>
    public static void HintForLater<TElement>(ReadOnlySpan<TElement> row) where TElement : unmanaged
    {
        var first = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(row));
        var bytes = (long)row.Length * sizeof(TElement);
        for (long i = 0; i < bytes; i += Line)
            Prefetch.LineForLater(first + i);
    }

    /// <summary>Asks for the cache lines of a row. Nothing goes wrong if the row moves meanwhile: it is only a hint.</summary>
    public static void Hint<TElement>(ReadOnlySpan<TElement> row) where TElement : unmanaged
    {
        var first = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(row));
        var bytes = Math.Min((long)row.Length * sizeof(TElement), LongestHint);
        for (long i = 0; i < bytes; i += Line)
            Prefetch.Line(first + i);
    }
}
