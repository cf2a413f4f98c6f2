using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Registers of channels, and of the numbers of the cells that won.</summary>
/// <remarks>
/// Channels go in blocks of a register; the last block overlaps the one before. Cell k is the number 2^23 + k (float) or 2^52 + k
/// (double): its low bits are the integer k, and nothing is converted.
/// </remarks>
internal static unsafe class PoolingLanes<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private const MethodImplOptions Inline = MethodImplOptions.AggressiveInlining;

    /// <summary>The number of cell 0.</summary>
    public static TVector CellZero
    {
        [MethodImpl(Inline)]
        get => TVector.Create(8388608f, 4503599627370496.0);
    }

    /// <summary>The number of a cell.</summary>
    [MethodImpl(Inline)]
    public static TVector Cell(int cell) => TVector.Create(8388608f + cell, 4503599627370496.0 + cell);

    /// <summary>The start of a channel's block. The last block starts earlier, so that it ends with the channels.</summary>
    [MethodImpl(Inline)]
    public static int Block(int channel, int channels) => Math.Min(channel, channels - TVector.Count);

    /// <summary>The lanes of a block that no earlier block holds.</summary>
    [MethodImpl(Inline)]
    public static TVector NewLanes(int channel, int block) => TVector.Indices > TVector.Create((double)(channel - block) - 0.5);

    [MethodImpl(Inline)]
    public static TVector LoadCells(int* source) => typeof(T) == typeof(float) ? TVector.Load((T*)source) | CellZero : LoadWide(source);

    [MethodImpl(Inline)]
    public static void StoreCells(int* destination, TVector cells)
    {
        if (typeof(T) == typeof(float))
            TVector.Store((T*)destination, TVector.AndNot(cells, CellZero));
        else
            StoreWide(destination, cells);
    }

    // What has an address is kept out of the loops' frames.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static TVector LoadWide(int* source)
    {
        var cells = TVector.Zero;
        var lanes = (long*)&cells;
        for (var i = 0; i < TVector.Count; i++)
            lanes[i] = source[i];
        return cells | CellZero;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void StoreWide(int* destination, TVector cells)
    {
        var lanes = (long*)&cells;
        for (var i = 0; i < TVector.Count; i++)
            destination[i] = (int)lanes[i];
    }
}
