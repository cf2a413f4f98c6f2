using System.Numerics;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Kernels;

/// <summary>The operands of one column panel, for <see cref="TileKernel{TVector, T}"/>. Strides and offsets are in bytes.</summary>
internal unsafe struct TilePanel<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>From one row of A to the next.</summary>
    public nint ARowStride;

    /// <summary>From one k of A to the next.</summary>
    public nint AStep;

    /// <summary>From one row tile of A to the next.</summary>
    public nint ATileStride;

    /// <summary>The panel of B.</summary>
    public byte* B;

    /// <summary>From one k of B to the next.</summary>
    public nint BStep;

    /// <summary>From the first vector of a row of B to the last.</summary>
    public nint BLast;

    /// <summary>From one row of C to the next.</summary>
    public nint CRowStride;

    /// <summary>From one row of the addend to the next: that of C, or 0 for one row added to all.</summary>
    public nint AddendRowStride;

    /// <summary>From the first vector of a row of C and of the addend to the last.</summary>
    public nint CLast;

    /// <summary>Columns of C: fewer than a vector's if the update is partial.</summary>
    public int Width;

    /// <summary>The length of the k loop, or of one segment of it.</summary>
    public nint Depth;

    /// <summary>Of a segmented A: the number of its segments, and how far each is from the tile's start.</summary>
    public nint Segments;

    public nint* SegmentOffsets;

    /// <summary>Whether the k loop is long enough to fetch C behind it.</summary>
    public bool PrefetchesC;

    public T Alpha;

    public T Beta;
}

/// <summary>
/// What happens to a finished tile. Its size, like that of <see cref="IConstant"/>, says what the compiler must know:
/// 1 + <see cref="TileUpdate.AddsFlag"/> + <see cref="TileUpdate.ScalesFlag"/> + <see cref="TileUpdate.PartialFlag"/>
/// + <see cref="TileUpdate.SegmentedFlag"/>.
/// </summary>
internal interface ITileUpdate;

/// <summary>C = A B.</summary>
[StructLayout(LayoutKind.Sequential, Size = 1)]
internal readonly struct Overwrite : ITileUpdate;

/// <summary>C = D + A B.</summary>
[StructLayout(LayoutKind.Sequential, Size = 1 + TileUpdate.AddsFlag)]
internal readonly struct AddTo : ITileUpdate;

/// <summary>C = alpha A B.</summary>
[StructLayout(LayoutKind.Sequential, Size = 1 + TileUpdate.ScalesFlag)]
internal readonly struct ScaledOverwrite : ITileUpdate;

/// <summary>C = beta D + alpha A B.</summary>
[StructLayout(LayoutKind.Sequential, Size = 1 + TileUpdate.AddsFlag + TileUpdate.ScalesFlag)]
internal readonly struct ScaledAddTo : ITileUpdate;

/// <summary>An update of a panel narrower than a vector.</summary>
internal readonly struct Partial<TUpdate> : ITileUpdate
    where TUpdate : unmanaged, ITileUpdate
{
#pragma warning disable CS0169 // There for their size.
    private readonly TUpdate _update;
    private readonly PartialBytes _flag;
#pragma warning restore CS0169

    [StructLayout(LayoutKind.Sequential, Size = TileUpdate.PartialFlag)]
    private readonly struct PartialBytes;
}

/// <summary>An update whose A is segmented.</summary>
internal readonly struct Segmented<TUpdate> : ITileUpdate
    where TUpdate : unmanaged, ITileUpdate
{
#pragma warning disable CS0169 // There for their size.
    private readonly TUpdate _update;
    private readonly SegmentedBytes _flag;
#pragma warning restore CS0169

    [StructLayout(LayoutKind.Sequential, Size = TileUpdate.SegmentedFlag)]
    private readonly struct SegmentedBytes;
}

/// <summary>The parts of an update's size.</summary>
internal static class TileUpdate
{
    /// <summary>Set: the addend is added. Not set: C is never read.</summary>
    public const int AddsFlag = 1;

    /// <summary>Set: alpha scales the product and beta the addend.</summary>
    public const int ScalesFlag = 2;

    /// <summary>Set: the panel is narrower than a vector.</summary>
    public const int PartialFlag = 4;

    /// <summary>Set: A is read in segments.</summary>
    public const int SegmentedFlag = 8;
}
