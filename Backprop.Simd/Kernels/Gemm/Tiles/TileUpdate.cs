using System.Runtime.InteropServices;

namespace Backprop.Simd.Kernels;

/// <summary>
/// What happens to a finished tile, and how its operands are read, as a type argument. Like that of an <see cref="IConstant"/>, its
/// size is what the compiler knows: <see cref="TileUpdate.Size"/> plus flags, so that <c>(sizeof(TUpdate) &amp; Adds) != 0</c> is true
/// or false before the code behind it is read.
/// </summary>
internal interface ITileUpdate;

/// <summary>The flags in the size of an <see cref="ITileUpdate"/>.</summary>
internal static class TileUpdate
{
    /// <summary>The size without flags.</summary>
    public const int Size = 16;

    /// <summary>The addend is added. Without it, C is never read.</summary>
    public const int Adds = 1;

    /// <summary>Alpha scales the product and beta the addend.</summary>
    public const int Scales = 2;

    /// <summary>The panel is narrower than a vector.</summary>
    public const int IsPartial = 4;

    /// <summary>A is read in segments.</summary>
    public const int IsSegmented = 8;
}

/// <summary>C = A B.</summary>
[StructLayout(LayoutKind.Sequential, Size = TileUpdate.Size)]
internal readonly struct Overwrite : ITileUpdate;

/// <summary>C = D + A B.</summary>
[StructLayout(LayoutKind.Sequential, Size = TileUpdate.Size + TileUpdate.Adds)]
internal readonly struct AddTo : ITileUpdate;

/// <summary>C = alpha A B.</summary>
[StructLayout(LayoutKind.Sequential, Size = TileUpdate.Size + TileUpdate.Scales)]
internal readonly struct ScaledOverwrite : ITileUpdate;

/// <summary>C = beta D + alpha A B.</summary>
[StructLayout(LayoutKind.Sequential, Size = TileUpdate.Size + TileUpdate.Adds + TileUpdate.Scales)]
internal readonly struct ScaledAddTo : ITileUpdate;

/// <summary>An update of a panel narrower than a vector.</summary>
internal readonly struct Partial<TUpdate> : ITileUpdate
    where TUpdate : unmanaged, ITileUpdate
{
#pragma warning disable CS0169 // There for their size.
    private readonly TUpdate _update;
    private readonly PartialBytes _flag;
#pragma warning restore CS0169

    [StructLayout(LayoutKind.Sequential, Size = TileUpdate.IsPartial)]
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

    [StructLayout(LayoutKind.Sequential, Size = TileUpdate.IsSegmented)]
    private readonly struct SegmentedBytes;
}

/// <summary>An update as a number, which <see cref="RowTiles{TVector, T}"/> turns into a type argument.</summary>
internal enum TileForm
{
    Overwrite,
    AddTo,
    ScaledOverwrite,
    ScaledAddTo,
    SegmentedOverwrite,
    SegmentedAddTo,
}
