using System.Numerics;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Row tiles of a panel whose A is segmented: as many of equal height as possible, the rest one row lower.</summary>
internal static unsafe class SegmentedTiles<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The highest tile of two vectors: 12 x 2 accumulators of 32 registers, 6 x 2 of 16.</summary>
    public static int TileRows => TVector.HasManyRegisters ? 12 : 6;

    public static void Run(bool adds, int vectors, int rows, ref TilePanel<T> panel, byte* a, byte* c, byte* addend)
    {
        var highest = vectors == 1 ? 12 : TileRows;
        var tiles = (rows - 1) / highest + 1;
        var (height, higher) = Math.DivRem(rows, tiles);
        if (higher > 0)
        {
            panel.ATileStride = (height + 1) * panel.ARowStride;
            Run(adds, vectors, height + 1, in panel, a, c, addend, higher);
            a += higher * panel.ATileStride;
            c += (nint)higher * (height + 1) * panel.CRowStride;
            addend += (nint)higher * (height + 1) * panel.AddendRowStride;
        }

        panel.ATileStride = height * panel.ARowStride;
        Run(adds, vectors, height, in panel, a, c, addend, tiles - higher);
    }

    private static void Run(bool adds, int vectors, int rows, in TilePanel<T> panel, byte* a, byte* c, byte* addend, nint tiles)
    {
        if (adds)
            Run<AddTo>(vectors, rows, in panel, a, c, addend, tiles);
        else
            Run<Overwrite>(vectors, rows, in panel, a, c, addend, tiles);
    }

    private static void Run<TUpdate>(int vectors, int rows, in TilePanel<T> panel, byte* a, byte* c, byte* addend, nint tiles)
        where TUpdate : unmanaged, ITileUpdate
    {
        if (vectors == 2)
            Run<N2, Segmented<TUpdate>>(rows, in panel, a, c, addend, tiles);
        else if (panel.Width < TVector.Count)
            Run<N1, Segmented<Partial<TUpdate>>>(rows, in panel, a, c, addend, tiles);
        else
            Run<N1, Segmented<TUpdate>>(rows, in panel, a, c, addend, tiles);
    }

    private static void Run<TVectors, TUpdate>(int rows, in TilePanel<T> panel, byte* a, byte* c, byte* addend, nint tiles)
        where TVectors : unmanaged, IConstant
        where TUpdate : unmanaged, ITileUpdate
    {
        switch (rows)
        {
            case 1:
                TileKernel<TVector, T>.Run<N1, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 2:
                TileKernel<TVector, T>.Run<N2, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 3:
                TileKernel<TVector, T>.Run<N3, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 4:
                TileKernel<TVector, T>.Run<N4, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 5:
                TileKernel<TVector, T>.Run<N5, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 6:
                TileKernel<TVector, T>.Run<N6, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 7:
                TileKernel<TVector, T>.Run<N7, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 8:
                TileKernel<TVector, T>.Run<N8, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 9:
                TileKernel<TVector, T>.Run<N9, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 10:
                TileKernel<TVector, T>.Run<N10, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 11:
                TileKernel<TVector, T>.Run<N11, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 12:
                TileKernel<TVector, T>.Run<N12, TVectors, TUpdate>(in panel, a, c, addend, tiles);
                break;
        }
    }
}
