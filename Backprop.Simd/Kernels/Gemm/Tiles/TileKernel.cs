using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using static Backprop.Simd.Kernels.TileUpdate;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The micro-kernel: C[R x V vectors] = update(A[R x k] B[k x V vectors]), for every row tile of one column panel.
/// </summary>
/// <remarks>
/// <para>One source for every tile up to 12 x 2 and 8 x 3 vectors, every register width and both element types: rows, vectors
/// and the update are type parameters, so each compiled form keeps only its own accumulators. The accumulators, V registers of
/// B and one of A must fit the register file: 12 + V + 1 of 16 (12 x 1, 6 x 2, 4 x 3), 24 + V + 1 of 32 (12 x 2, 8 x 3).</para>
/// <para>A is addressed by a row and a k stride, so that a row-major, a column-major and a packed A are the same code. The
/// last of several vectors of B and C sits at a free offset: where a panel is narrower than whole vectors, this vector overlaps its
/// neighbour. The shared columns are computed twice, and the same bits stored twice. A panel narrower than one vector has a partial
/// update, which touches its columns only: by masks, or in B by a packed copy filled up with zeros.</para>
/// <para>A segmented A is read in several runs of k, all of one length, each at its own offset, while B goes on: the patches of a
/// convolution, read where they lie.</para>
/// <para>Every element is one chain over k, first to last, whatever the tile: its bits do not depend on tile or width.</para>
/// </remarks>
internal static unsafe class TileKernel<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Loop 1 of the five (see <see cref="GotoLoops{TVector, T}"/>): all row tiles of a panel. Strides are in bytes.</summary>
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
            TVector c0 = default, d0 = default;
            TVector c1 = default, d1 = default;
            TVector c2 = default, d2 = default;
            TVector c3 = default, d3 = default;
            TVector c4 = default, d4 = default;
            TVector c5 = default, d5 = default;
            TVector c6 = default, d6 = default;
            TVector c7 = default, d7 = default;
            TVector c8 = default, d8 = default;
            TVector c9 = default, d9 = default;
            TVector c10 = default, d10 = default;
            TVector c11 = default, d11 = default;
            TVector e0 = default, e1 = default, e2 = default, e3 = default;
            TVector e4 = default, e5 = default, e6 = default, e7 = default;
            if (panel.PrefetchesC)
                PrefetchTile<TRows, TVectors>(in panel, c);
            var b = panel.B;
            var offsets = panel.SegmentOffsets;
            var segments = panel.Segments;
            do
            {
                byte* a0 = (sizeof(TUpdate) & IsSegmented) != 0 ? a + *offsets++ : a;
                byte* a3 = a0 + 3 * aRow, a6 = a0 + 6 * aRow, a9 = a0 + 9 * aRow;
                for (var p = panel.Depth; p > 0; p--) // The micro-kernel.
                {
                    var b0 = (sizeof(TUpdate) & IsPartial) != 0 && TVector.HasMasks ? TVector.LoadPartial((T*)b, width) : TVector.Load((T*)b);
                    var b1 = sizeof(TVectors) == 2 ? TVector.Load((T*)(b + bLast)) : sizeof(TVectors) == 3 ? TVector.Load((T*)(b + sizeof(TVector))) : b0;
                    var b2 = sizeof(TVectors) > 2 ? TVector.Load((T*)(b + bLast)) : b0;
                    b += bStep;
                    AddRow<TVectors>((T*)a0, b0, b1, b2, ref c0, ref d0, ref e0);
                    if (sizeof(TRows) > 1)
                        AddRow<TVectors>((T*)(a0 + aRow), b0, b1, b2, ref c1, ref d1, ref e1);
                    if (sizeof(TRows) > 2)
                        AddRow<TVectors>((T*)(a0 + 2 * aRow), b0, b1, b2, ref c2, ref d2, ref e2);
                    if (sizeof(TRows) > 3)
                        AddRow<TVectors>((T*)a3, b0, b1, b2, ref c3, ref d3, ref e3);
                    if (sizeof(TRows) > 4)
                        AddRow<TVectors>((T*)(a3 + aRow), b0, b1, b2, ref c4, ref d4, ref e4);
                    if (sizeof(TRows) > 5)
                        AddRow<TVectors>((T*)(a3 + 2 * aRow), b0, b1, b2, ref c5, ref d5, ref e5);
                    if (sizeof(TRows) > 6)
                        AddRow<TVectors>((T*)a6, b0, b1, b2, ref c6, ref d6, ref e6);
                    if (sizeof(TRows) > 7)
                        AddRow<TVectors>((T*)(a6 + aRow), b0, b1, b2, ref c7, ref d7, ref e7);
                    if (sizeof(TRows) > 8)
                        AddRow<TVectors>((T*)(a6 + 2 * aRow), b0, b1, b2, ref c8, ref d8, ref e0);
                    if (sizeof(TRows) > 9)
                        AddRow<TVectors>((T*)a9, b0, b1, b2, ref c9, ref d9, ref e0);
                    if (sizeof(TRows) > 10)
                        AddRow<TVectors>((T*)(a9 + aRow), b0, b1, b2, ref c10, ref d10, ref e0);
                    if (sizeof(TRows) > 11)
                        AddRow<TVectors>((T*)(a9 + 2 * aRow), b0, b1, b2, ref c11, ref d11, ref e0);
                    a0 += aStep;
                    if (sizeof(TRows) > 3)
                        a3 += aStep;
                    if (sizeof(TRows) > 6)
                        a6 += aStep;
                    if (sizeof(TRows) > 9)
                        a9 += aStep;
                }
            }
            while ((sizeof(TUpdate) & IsSegmented) != 0 && --segments > 0);

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
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c8, d8, default);
            if (sizeof(TRows) > 9)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c9, d9, default);
            if (sizeof(TRows) > 10)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c10, d10, default);
            if (sizeof(TRows) > 11)
                StoreRow<TVectors, TUpdate>(in panel, cRow += panel.CRowStride, addendRow += panel.AddendRowStride, c11, d11, default);
            a += panel.ATileStride;
            c += sizeof(TRows) * panel.CRowStride;
            addend += sizeof(TRows) * panel.AddendRowStride;
        }
    }

    /// <summary>One element of A times the vectors of B, added to a row of the tile.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddRow<TVectors>(T* a, TVector b0, TVector b1, TVector b2, ref TVector c, ref TVector d, ref TVector e)
        where TVectors : unmanaged, IConstant
    {
        if (sizeof(TVectors) == 1)
            TVector.AddProduct(ref c, *a, b0);
        else if (sizeof(TVectors) == 2)
            TVector.AddProducts(ref c, ref d, *a, b0, b1);
        else
            TVector.AddProducts(ref c, ref d, ref e, *a, b0, b1, b2);
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
                Prefetch.Line((T*)(c + sizeof(TVector)));
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
        if ((sizeof(TUpdate) & Scales) != 0)
        {
            var alpha = TVector.Create(panel.Alpha);
            first = alpha * first;
            if (sizeof(TVectors) > 1)
                second = alpha * second;
            if (sizeof(TVectors) > 2)
                third = alpha * third;
        }

        if ((sizeof(TUpdate) & Adds) != 0)
        {
            if ((sizeof(TUpdate) & IsPartial) != 0)
                AddOld<TUpdate>(TVector.LoadPartial((T*)addend, panel.Width), in panel, ref first);
            else
                AddOld<TUpdate>((T*)addend, in panel, ref first);
            if (sizeof(TVectors) == 2)
                AddOld<TUpdate>((T*)(addend + panel.CLast), in panel, ref second);
            if (sizeof(TVectors) > 2)
            {
                AddOld<TUpdate>((T*)(addend + sizeof(TVector)), in panel, ref second);
                AddOld<TUpdate>((T*)(addend + panel.CLast), in panel, ref third);
            }
        }

        if ((sizeof(TUpdate) & IsPartial) != 0)
            TVector.StorePartial((T*)c, first, panel.Width);
        else
            TVector.Store((T*)c, first);
        if (sizeof(TVectors) == 2)
            TVector.Store((T*)(c + panel.CLast), second);
        if (sizeof(TVectors) > 2)
        {
            TVector.Store((T*)(c + sizeof(TVector)), second);
            TVector.Store((T*)(c + panel.CLast), third);
        }
    }

    /// <summary>value = addend + value, or beta addend + value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddOld<TUpdate>(T* addend, in TilePanel<T> panel, ref TVector value)
        where TUpdate : unmanaged, ITileUpdate
    {
        if ((sizeof(TUpdate) & Scales) != 0)
            AddOld<TUpdate>(TVector.Load(addend), in panel, ref value);
        else
            TVector.Add(ref value, addend);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddOld<TUpdate>(TVector addend, in TilePanel<T> panel, ref TVector value)
        where TUpdate : unmanaged, ITileUpdate
    {
        if ((sizeof(TUpdate) & Scales) != 0)
            addend = TVector.Create(panel.Beta) * addend;
        value = addend + value;
    }
}
