using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The micro-kernel: C[R x V vectors] = update(A[R x k] B[k x V vectors]), for every row tile of one column panel.
/// </summary>
/// <remarks>
/// <para>One source for every tile up to 12 x 2 and 8 x 3 vectors, every register width and both element types: rows, vectors
/// and the update are type parameters, so each compiled form keeps only its own accumulators. The accumulators, V registers of
/// B and one of A must fit the register file: 12 + V + 1 of 16 (12 x 1, 6 x 2, 4 x 3), 24 + V + 1 of 32 (12 x 2, 8 x 3).</para>
/// <para>A is addressed by a row and a k stride, so that a row-major, a column-major and a packed A are the same code. The
/// last of several vectors of B and C sits at a free offset: where a panel is narrower than whole vectors it overlaps the one
/// before, computes the shared columns twice, and stores the same bits twice. A partial update is that of a panel
/// narrower than one vector: it touches its columns only, by masks, or of B by a packed copy filled up with zeros.</para>
/// <para>A segmented A is read in several runs of k, each of the same length and at an offset of its own, while B goes on:
/// the patches of a convolution, read where they lie.</para>
/// <para>Every element is one chain over k, first to last, whatever the tile: its bits do not depend on tile or width.</para>
/// </remarks>
internal static unsafe class TileKernel<TSimd, TVector, T>
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Multiplies all row tiles of a panel. Strides are in bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run<TRows, TVectors, TUpdate>(in TilePanel<T> panel, byte* a, byte* c, byte* addend, nint tiles)
        where TRows : unmanaged, IConstant
        where TVectors : unmanaged, IConstant
        where TUpdate : unmanaged, ITileUpdate
    {
        var aRow = panel.ARowStride;
        var aStep = panel.AStep;
        var bStep = panel.BStep;
        var bLast = panel.BLast;
        var width = panel.Width;
        for (; tiles > 0; tiles--)
        {
            TVector c0 = TSimd.Zero, d0 = TSimd.Zero;
            TVector c1 = TSimd.Zero, d1 = TSimd.Zero;
            TVector c2 = TSimd.Zero, d2 = TSimd.Zero;
            TVector c3 = TSimd.Zero, d3 = TSimd.Zero;
            TVector c4 = TSimd.Zero, d4 = TSimd.Zero;
            TVector c5 = TSimd.Zero, d5 = TSimd.Zero;
            TVector c6 = TSimd.Zero, d6 = TSimd.Zero;
            TVector c7 = TSimd.Zero, d7 = TSimd.Zero;
            TVector c8 = TSimd.Zero, d8 = TSimd.Zero;
            TVector c9 = TSimd.Zero, d9 = TSimd.Zero;
            TVector c10 = TSimd.Zero, d10 = TSimd.Zero;
            TVector c11 = TSimd.Zero, d11 = TSimd.Zero;
            TVector e0 = TSimd.Zero, e1 = TSimd.Zero, e2 = TSimd.Zero, e3 = TSimd.Zero;
            TVector e4 = TSimd.Zero, e5 = TSimd.Zero, e6 = TSimd.Zero, e7 = TSimd.Zero;
            if (panel.PrefetchesC)
                PrefetchTile<TRows, TVectors>(in panel, c);
            var b = panel.B;
            var offsets = panel.SegmentOffsets;
            var segments = panel.Segments;
            do
            {
                byte* a0 = ((sizeof(TUpdate) - 1) & TileUpdate.SegmentedFlag) != 0 ? a + *offsets++ : a;
                byte* a3 = a0 + 3 * aRow, a6 = a0 + 6 * aRow, a9 = a0 + 9 * aRow;
                for (var p = panel.Depth; p > 0; p--)
                {
                    var b0 = ((sizeof(TUpdate) - 1) & TileUpdate.PartialFlag) != 0 && TSimd.HasMasks ? TSimd.LoadPartial((T*)b, width) : TSimd.Load((T*)b);
                    var b1 = sizeof(TVectors) == 2 ? TSimd.Load((T*)(b + bLast)) : sizeof(TVectors) == 3 ? TSimd.Load((T*)b + TSimd.Count) : b0;
                    var b2 = sizeof(TVectors) > 2 ? TSimd.Load((T*)(b + bLast)) : b0;
                    b += bStep;
                    var x0 = TSimd.Broadcast(*(T*)a0);
                    c0 = TSimd.MultiplyAdd(x0, b0, c0);
                    if (sizeof(TVectors) > 1)
                        d0 = TSimd.MultiplyAdd(x0, b1, d0);
                    if (sizeof(TVectors) > 2)
                        e0 = TSimd.MultiplyAdd(x0, b2, e0);

                    if (sizeof(TRows) > 1)
                    {
                        var x = TSimd.Broadcast(*(T*)(a0 + aRow));
                        c1 = TSimd.MultiplyAdd(x, b0, c1);
                        if (sizeof(TVectors) > 1)
                            d1 = TSimd.MultiplyAdd(x, b1, d1);
                        if (sizeof(TVectors) > 2)
                            e1 = TSimd.MultiplyAdd(x, b2, e1);
                    }

                    if (sizeof(TRows) > 2)
                    {
                        var x = TSimd.Broadcast(*(T*)(a0 + 2 * aRow));
                        c2 = TSimd.MultiplyAdd(x, b0, c2);
                        if (sizeof(TVectors) > 1)
                            d2 = TSimd.MultiplyAdd(x, b1, d2);
                        if (sizeof(TVectors) > 2)
                            e2 = TSimd.MultiplyAdd(x, b2, e2);
                    }

                    if (sizeof(TRows) > 3)
                    {
                        var x = TSimd.Broadcast(*(T*)(a3));
                        c3 = TSimd.MultiplyAdd(x, b0, c3);
                        if (sizeof(TVectors) > 1)
                            d3 = TSimd.MultiplyAdd(x, b1, d3);
                        if (sizeof(TVectors) > 2)
                            e3 = TSimd.MultiplyAdd(x, b2, e3);
                    }

                    if (sizeof(TRows) > 4)
                    {
                        var x = TSimd.Broadcast(*(T*)(a3 + aRow));
                        c4 = TSimd.MultiplyAdd(x, b0, c4);
                        if (sizeof(TVectors) > 1)
                            d4 = TSimd.MultiplyAdd(x, b1, d4);
                        if (sizeof(TVectors) > 2)
                            e4 = TSimd.MultiplyAdd(x, b2, e4);
                    }

                    if (sizeof(TRows) > 5)
                    {
                        var x = TSimd.Broadcast(*(T*)(a3 + 2 * aRow));
                        c5 = TSimd.MultiplyAdd(x, b0, c5);
                        if (sizeof(TVectors) > 1)
                            d5 = TSimd.MultiplyAdd(x, b1, d5);
                        if (sizeof(TVectors) > 2)
                            e5 = TSimd.MultiplyAdd(x, b2, e5);
                    }

                    if (sizeof(TRows) > 6)
                    {
                        var x = TSimd.Broadcast(*(T*)(a6));
                        c6 = TSimd.MultiplyAdd(x, b0, c6);
                        if (sizeof(TVectors) > 1)
                            d6 = TSimd.MultiplyAdd(x, b1, d6);
                        if (sizeof(TVectors) > 2)
                            e6 = TSimd.MultiplyAdd(x, b2, e6);
                    }

                    if (sizeof(TRows) > 7)
                    {
                        var x = TSimd.Broadcast(*(T*)(a6 + aRow));
                        c7 = TSimd.MultiplyAdd(x, b0, c7);
                        if (sizeof(TVectors) > 1)
                            d7 = TSimd.MultiplyAdd(x, b1, d7);
                        if (sizeof(TVectors) > 2)
                            e7 = TSimd.MultiplyAdd(x, b2, e7);
                    }

                    if (sizeof(TRows) > 8)
                    {
                        var x = TSimd.Broadcast(*(T*)(a6 + 2 * aRow));
                        c8 = TSimd.MultiplyAdd(x, b0, c8);
                        if (sizeof(TVectors) > 1)
                            d8 = TSimd.MultiplyAdd(x, b1, d8);
                    }

                    if (sizeof(TRows) > 9)
                    {
                        var x = TSimd.Broadcast(*(T*)(a9));
                        c9 = TSimd.MultiplyAdd(x, b0, c9);
                        if (sizeof(TVectors) > 1)
                            d9 = TSimd.MultiplyAdd(x, b1, d9);
                    }

                    if (sizeof(TRows) > 10)
                    {
                        var x = TSimd.Broadcast(*(T*)(a9 + aRow));
                        c10 = TSimd.MultiplyAdd(x, b0, c10);
                        if (sizeof(TVectors) > 1)
                            d10 = TSimd.MultiplyAdd(x, b1, d10);
                    }

                    if (sizeof(TRows) > 11)
                    {
                        var x = TSimd.Broadcast(*(T*)(a9 + 2 * aRow));
                        c11 = TSimd.MultiplyAdd(x, b0, c11);
                        if (sizeof(TVectors) > 1)
                            d11 = TSimd.MultiplyAdd(x, b1, d11);
                    }

                    a0 += aStep;
                    if (sizeof(TRows) > 3)
                        a3 += aStep;
                    if (sizeof(TRows) > 6)
                        a6 += aStep;
                    if (sizeof(TRows) > 9)
                        a9 += aStep;
                }
            }
            while (((sizeof(TUpdate) - 1) & TileUpdate.SegmentedFlag) != 0 && --segments > 0);

            var cRow = c;
            var addendRow = addend;
            StoreRow<TVectors, TUpdate>(in panel, cRow, addendRow, c0, d0, e0);
            if (sizeof(TRows) > 1)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c1, d1, e1);
            if (sizeof(TRows) > 2)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c2, d2, e2);
            if (sizeof(TRows) > 3)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c3, d3, e3);
            if (sizeof(TRows) > 4)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c4, d4, e4);
            if (sizeof(TRows) > 5)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c5, d5, e5);
            if (sizeof(TRows) > 6)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c6, d6, e6);
            if (sizeof(TRows) > 7)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c7, d7, e7);
            if (sizeof(TRows) > 8)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c8, d8, TSimd.Zero);
            if (sizeof(TRows) > 9)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c9, d9, TSimd.Zero);
            if (sizeof(TRows) > 10)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c10, d10, TSimd.Zero);
            if (sizeof(TRows) > 11)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c11, d11, TSimd.Zero);
            a += panel.ATileStride;
            c += sizeof(TRows) * panel.CRowStride;
            addend += sizeof(TRows) * panel.AddendRowStride;
        }
    }

    /// <summary>Asks for the lines of C while the k loop runs, so that updating them does not wait for memory.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchTile<TRows, TVectors>(in TilePanel<T> panel, byte* c)
        where TRows : unmanaged, IConstant
        where TVectors : unmanaged, IConstant
    {
        for (var row = 0; row < sizeof(TRows); row++)
        {
            Prefetch.Line(c);
            if (sizeof(TVectors) > 2)
                Prefetch.Line((T*)c + TSimd.Count);
            if (sizeof(TVectors) > 1)
                Prefetch.Line(c + panel.CLast);
            c += panel.CRowStride;
        }
    }

    /// <summary>Writes one row of a tile. All vectors of the addend are read before one is written: they may overlap.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRow<TVectors, TUpdate>(in TilePanel<T> panel, byte* c, byte* addend, TVector first, TVector second, TVector third)
        where TVectors : unmanaged, IConstant
        where TUpdate : unmanaged, ITileUpdate
    {
        if (((sizeof(TUpdate) - 1) & TileUpdate.ScalesFlag) != 0)
        {
            var alpha = TSimd.Broadcast(panel.Alpha);
            first = TSimd.Multiply(alpha, first);
            if (sizeof(TVectors) > 1)
                second = TSimd.Multiply(alpha, second);
            if (sizeof(TVectors) > 2)
                third = TSimd.Multiply(alpha, third);
        }

        if (((sizeof(TUpdate) - 1) & TileUpdate.AddsFlag) != 0)
        {
            var old0 = ((sizeof(TUpdate) - 1) & TileUpdate.PartialFlag) != 0 ? TSimd.LoadPartial((T*)addend, panel.Width) : TSimd.Load((T*)addend);
            var old1 = sizeof(TVectors) == 2 ? TSimd.Load((T*)(addend + panel.CLast)) : sizeof(TVectors) == 3 ? TSimd.Load((T*)addend + TSimd.Count) : old0;
            var old2 = sizeof(TVectors) > 2 ? TSimd.Load((T*)(addend + panel.CLast)) : old0;
            if (((sizeof(TUpdate) - 1) & TileUpdate.ScalesFlag) != 0)
            {
                var beta = TSimd.Broadcast(panel.Beta);
                old0 = TSimd.Multiply(beta, old0);
                if (sizeof(TVectors) > 1)
                    old1 = TSimd.Multiply(beta, old1);
                if (sizeof(TVectors) > 2)
                    old2 = TSimd.Multiply(beta, old2);
            }

            first = TSimd.Add(old0, first);
            if (sizeof(TVectors) > 1)
                second = TSimd.Add(old1, second);
            if (sizeof(TVectors) > 2)
                third = TSimd.Add(old2, third);
        }

        if (((sizeof(TUpdate) - 1) & TileUpdate.PartialFlag) != 0)
            TSimd.StorePartial((T*)c, first, panel.Width);
        else
            TSimd.Store((T*)c, first);
        if (sizeof(TVectors) == 2)
            TSimd.Store((T*)(c + panel.CLast), second);
        if (sizeof(TVectors) > 2)
        {
            TSimd.Store((T*)c + TSimd.Count, second);
            TSimd.Store((T*)(c + panel.CLast), third);
        }
    }
}
