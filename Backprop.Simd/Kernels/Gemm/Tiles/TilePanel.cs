using System.Numerics;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>The operands of one column panel, for <see cref="TileKernel{TVector, T}"/>. Strides and offsets are in bytes.</summary>
internal unsafe struct TilePanel<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>A panel of C over <paramref name="depth"/> products for each element, without alpha and beta.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TilePanel(ColumnPanel at, PanelOfB<T> b, TileStrides strides, nint depth)
    {
        ARowStride = strides.ARow * sizeof(T);
        AStep = strides.AStep * sizeof(T);
        B = b.Start;
        BStep = b.Step;
        BLast = b.Last;
        CRowStride = strides.CRow * sizeof(T);
        AddendRowStride = strides.AddendRow * sizeof(T);
        CLast = at.Last * sizeof(T);
        Vectors = at.Vectors;
        Width = at.Width;
        Depth = depth;
        Alpha = T.One;
        Beta = T.One;
    }

    /// <summary>From one row of A to the next.</summary>
    public nint ARowStride;

    /// <summary>From one k of A to the next.</summary>
    public nint AStep;

    /// <summary>From one row tile of A to the next; set by <see cref="RowTiles{TVector, T}"/>.</summary>
    public nint ATileStride;

    /// <summary>A is packed tile by tile: its strides follow from the height of a tile.</summary>
    public bool PacksA;

    /// <summary>The panel of B.</summary>
    public byte* B;

    /// <summary>From one k of B to the next.</summary>
    public nint BStep;

    /// <summary>From the first vector of a row of B to the last.</summary>
    public nint BLast;

    /// <summary>From one row of C to the next.</summary>
    public nint CRowStride;

    /// <summary>From one row of the addend to the next: as in C, or 0 for one row added to all.</summary>
    public nint AddendRowStride;

    /// <summary>From the first vector of a row of C and of the addend to the last.</summary>
    public nint CLast;

    /// <summary>The vectors of a row of C, 1 to 3.</summary>
    public int Vectors;

    /// <summary>Columns of C: fewer than a vector's if the update is partial.</summary>
    public int Width;

    /// <summary>The length of the k loop, or of one segment of it.</summary>
    public nint Depth;

    /// <summary>The number of segments of a segmented A.</summary>
    public nint Segments;

    /// <summary>How far each segment is from the start of a tile's A.</summary>
    public nint* SegmentOffsets;

    /// <summary>Whether the k loop is long enough to fetch C behind it.</summary>
    public bool PrefetchesC;

    /// <summary>The factor of the product, where the update scales.</summary>
    public T Alpha;

    /// <summary>The factor of the addend, where the update scales.</summary>
    public T Beta;
}

/// <summary>Elements from row to row and from k to k.</summary>
internal readonly record struct TileStrides(nint ARow, nint AStep, nint CRow, nint AddendRow);

/// <summary>Where the rows of a panel of B lie. Strides and offsets are in bytes.</summary>
internal readonly unsafe struct PanelOfB<T>
    where T : unmanaged
{
    private PanelOfB(byte* start, nint step, nint last)
    {
        Start = start;
        Step = step;
        Last = last;
    }

    /// <summary>The first vector of the first row.</summary>
    public byte* Start { get; }

    /// <summary>From one row to the next.</summary>
    public nint Step { get; }

    /// <summary>From the first vector of a row to the last.</summary>
    public nint Last { get; }

    /// <summary>Read in place: the rows of B are <paramref name="row"/> elements apart, the panel's columns side by side.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelOfB<T> InPlace(T* b, nint row, ColumnPanel at) => new((byte*)b, row * sizeof(T), at.Last * sizeof(T));

    /// <summary>Packed by <see cref="GemmPacking{TVector, T}"/>: for each k its vectors of <paramref name="count"/> elements.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PanelOfB<T> Packed(T* b, ColumnPanel at, int count) =>
        new((byte*)b, at.Vectors * count * sizeof(T), (at.Vectors - 1) * count * sizeof(T));
}

/// <summary>Where the first tile of a panel begins in A, in C and in what is added to C.</summary>
internal unsafe struct TileStart<T>(T* a, T* c, T* addend)
    where T : unmanaged
{
    public byte* A = (byte*)a;

    public byte* C = (byte*)c;

    public byte* Addend = (byte*)addend;
}
