using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The order of every long sum down columns: <see cref="Rows"/> rows are a block, which is summed one row after the other; the
/// sums of blocks meet pairwise, as in a binary counter. It depends on the number of rows alone.
/// </summary>
/// <remarks>
/// <para>A sum of n rows has an error of at most 127 + log2(n / 128) roundings of the sum of the absolute values.</para>
/// <para>The sums that wait lie in slots, one behind the other: block b is written to <see cref="Slot"/> b, then joined.</para>
/// </remarks>
internal static unsafe class BlockSums
{
    /// <summary>The rows of a block. This bounds the rounding, and a strip of a block fits the first-level cache.</summary>
    public const int Rows = 128;

    /// <summary>The blocks of some rows.</summary>
    public static int Blocks(nint rows) => (int)((rows - 1) / Rows + 1);

    /// <summary>The slots of some blocks.</summary>
    public static int Slots(int blocks) => 33 - BitOperations.LeadingZeroCount((uint)(blocks - 1));

    /// <summary>The slots of as many rows of a width as a span holds.</summary>
    public static int MostSlots(int width) => Slots(Blocks((nint)int.MaxValue / width + 1));

    /// <summary>Where block number <paramref name="block"/> is written; slots are <paramref name="stride"/> elements apart.</summary>
    public static T* Slot<T>(T* slots, int block, nint stride) where T : unmanaged => slots + BitOperations.PopCount((uint)block) * stride;

    /// <summary>A block in its slot meets those that wait for it.</summary>
    public static void Join<T>(T* slots, int block, nint stride, int width) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var slot = Slot(slots, block, stride);
        for (; (block & 1) != 0; block >>= 1, slot -= stride)
            Add(slot - stride, slot, width);
    }

    /// <summary>The sum of all blocks, into the first slot. No blocks are 0.</summary>
    public static void Finish<T>(T* slots, int blocks, nint stride, int width) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (blocks == 0)
            new Span<T>(slots, width).Clear();
        for (var waiting = BitOperations.PopCount((uint)blocks) - 1; waiting > 0; waiting--)
            Add(slots + (waiting - 1) * stride, slots + waiting * stride, width);
    }

    private static void Add<T>(T* sum, T* x, int width) where T : unmanaged, IFloatingPointIeee754<T> =>
        Elementwise.Add(new ReadOnlySpan<T>(sum, width), new ReadOnlySpan<T>(x, width), new Span<T>(sum, width));

    /// <summary>A block of a strip in four registers meets those that wait for it, in slots as wide as the strip.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Join<TVector, T>(T* slots, int block, nint width, TVector a, TVector b, TVector c, TVector d)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        nint count = TVector.Count, o3 = width - count, o2 = Math.Min(2 * count, o3), o1 = Math.Min(count, o3);
        var slot = Slot(slots, block, width);
        for (; (block & 1) != 0; block >>= 1)
        {
            slot -= width;
            a = TVector.Load(slot) + a;
            b = TVector.Load(slot + o1) + b;
            c = TVector.Load(slot + o2) + c;
            d = TVector.Load(slot + o3) + d;
        }

        TVector.Store(slot, a);
        TVector.Store(slot + o1, b);
        TVector.Store(slot + o2, c);
        TVector.Store(slot + o3, d);
    }

    /// <summary>sums += the sum of all blocks of such a strip.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void FinishInto<TVector, T>(T* slots, int blocks, nint width, T* sums)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (blocks != 1)
            Finish(slots, blocks, width, (int)width);
        nint count = TVector.Count, o3 = width - count, o2 = Math.Min(2 * count, o3), o1 = Math.Min(count, o3);

        // Registers may overlap: all are read before one is written.
        TVector a = TVector.Load(sums) + TVector.Load(slots), b = TVector.Load(sums + o1) + TVector.Load(slots + o1);
        TVector c = TVector.Load(sums + o2) + TVector.Load(slots + o2), d = TVector.Load(sums + o3) + TVector.Load(slots + o3);
        TVector.Store(sums, a);
        TVector.Store(sums + o1, b);
        TVector.Store(sums + o2, c);
        TVector.Store(sums + o3, d);
    }
}
