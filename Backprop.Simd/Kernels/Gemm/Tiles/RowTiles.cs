using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The row tiles of a panel: as many of equal height as possible, the rest one row lower. Picks the form of <see cref="TileKernel{TVector, T}"/>
/// by the rows of a tile, its vectors and its update: the only switch from numbers to compiled tiles.
/// </summary>
internal static unsafe class RowTiles<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The most rows of a tile two vectors wide, to which a packed A is cut: 12 x 2 accumulators of 32 registers, 6 x 2 of 16.</summary>
    public static int HighestTwo
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TVector.HasManyRegisters ? 12 : 6;
    }

    /// <summary>The most rows of a tile three vectors wide: 8 x 3 accumulators of 32 registers, 4 x 3 of 16.</summary>
    public static int HighestThree
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TVector.HasManyRegisters ? 8 : 4;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Highest(int vectors) => vectors == 1 ? 12 : vectors == 2 ? HighestTwo : HighestThree;

    /// <summary>Rows of a panel, from the start given.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(TileForm form, ref TilePanel<T> panel, TileStart<T> at, int rows)
    {
        var tiles = 1;
        var highest = panel.PacksA ? HighestTwo : Highest(panel.Vectors);
        if (rows > highest)
        {
            tiles = (rows - 1) / highest + 1;
            (var height, var higher) = Math.DivRem(rows, tiles);
            if (higher > 0)
            {
                Cut(height + 1, ref panel);
                Tiles(form, height + 1, in panel, in at, higher);
                at.A += higher * panel.ATileStride;
                at.C += (nint)higher * (height + 1) * panel.CRowStride;
                at.Addend += (nint)higher * (height + 1) * panel.AddendRowStride;
                tiles -= higher;
            }

            rows = height;
        }

        Cut(rows, ref panel);
        Tiles(form, rows, in panel, in at, tiles);
    }

    /// <summary>The strides of A for tiles of some height.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Cut(int tileRows, ref TilePanel<T> panel)
    {
        if (panel.PacksA)
            panel.AStep = tileRows * sizeof(T);
        panel.ATileStride = panel.PacksA ? tileRows * panel.Depth * sizeof(T) : tileRows * panel.ARowStride;
    }

    private static void Tiles(TileForm form, int rows, in TilePanel<T> panel, in TileStart<T> at, nint tiles)
    {
        switch (form)
        {
            case TileForm.Overwrite:
                Vectors<Overwrite>(rows, in panel, in at, tiles);
                break;
            case TileForm.AddTo:
                Vectors<AddTo>(rows, in panel, in at, tiles);
                break;
            case TileForm.ScaledOverwrite:
                Vectors<ScaledOverwrite>(rows, in panel, in at, tiles);
                break;
            case TileForm.ScaledAddTo:
                Vectors<ScaledAddTo>(rows, in panel, in at, tiles);
                break;
            case TileForm.SegmentedOverwrite:
                Vectors<Segmented<Overwrite>>(rows, in panel, in at, tiles);
                break;
            case TileForm.SegmentedAddTo:
                Vectors<Segmented<AddTo>>(rows, in panel, in at, tiles);
                break;
        }
    }

    private static void Vectors<TUpdate>(int rows, in TilePanel<T> panel, in TileStart<T> at, nint tiles)
        where TUpdate : unmanaged, ITileUpdate
    {
        // Convolutions cut no panel of three vectors: without the test, an ahead-of-time compiler would make tiles for it.
        if ((sizeof(TUpdate) & TileUpdate.IsSegmented) == 0 && panel.Vectors == 3)
            Rows<N3, TUpdate>(rows, in panel, in at, tiles);
        else if (panel.Vectors == 2)
            Rows<N2, TUpdate>(rows, in panel, in at, tiles);
        else if (panel.Width < TVector.Count)
            Rows<N1, Partial<TUpdate>>(rows, in panel, in at, tiles);
        else
            Rows<N1, TUpdate>(rows, in panel, in at, tiles);
    }

    private static void Rows<TVectors, TUpdate>(int rows, in TilePanel<T> panel, in TileStart<T> at, nint tiles)
        where TVectors : unmanaged, IConstant
        where TUpdate : unmanaged, ITileUpdate
    {
        switch (rows)
        {
            case 1:
                TileKernel<TVector, T>.Run<N1, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
            case 2:
                TileKernel<TVector, T>.Run<N2, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
            case 3:
                TileKernel<TVector, T>.Run<N3, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
            case 4:
                TileKernel<TVector, T>.Run<N4, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
            case 5:
                TileKernel<TVector, T>.Run<N5, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
            case 6:
                TileKernel<TVector, T>.Run<N6, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
            case 7:
                TileKernel<TVector, T>.Run<N7, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
            case 8:
                TileKernel<TVector, T>.Run<N8, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
            default:
                if (sizeof(TVectors) < 3) // Tiles of three vectors have at most eight rows.
                    HighRows<TVectors, TUpdate>(rows, in panel, in at, tiles);
                break;
        }
    }

    private static void HighRows<TVectors, TUpdate>(int rows, in TilePanel<T> panel, in TileStart<T> at, nint tiles)
        where TVectors : unmanaged, IConstant
        where TUpdate : unmanaged, ITileUpdate
    {
        switch (rows)
        {
            case 9:
                TileKernel<TVector, T>.Run<N9, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
            case 10:
                TileKernel<TVector, T>.Run<N10, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
            case 11:
                TileKernel<TVector, T>.Run<N11, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
            case 12:
                TileKernel<TVector, T>.Run<N12, TVectors, TUpdate>(in panel, at.A, at.C, at.Addend, tiles);
                break;
        }
    }
}
