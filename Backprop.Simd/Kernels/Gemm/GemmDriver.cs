using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Blocks, packs and partitions a product for one register width, after Goto and van de Geijn, "Anatomy of High-Performance
/// Matrix Multiplication" (2008): k blocks, then blocks of B, then blocks of A, then panels of B, then tiles.
/// </summary>
/// <remarks>
/// B is packed where rows and columns are enough to pay for it, or where it is column-major; A is read in place unless its
/// tiles would step through memory by whole rows. A thread owns a range of panels or of rows and packs for itself.
/// </remarks>
internal static unsafe class GemmDriver<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Nanoseconds per multiply-add and byte of element: what a core with 256-bit registers needs, near enough to choose threads.</summary>
    private const double Cost = 0.005;

    /// <summary>
    /// With this many rows for each thread, rows are shared out even though each thread then packs all of B: the layers of a
    /// batch all cut the same rows, so that a thread finds in its own caches what it wrote before.
    /// </summary>
    private const int SharedRows = 96;

    /// <summary>What an element of C costs to write, in multiply-adds.</summary>
    private const double StoreCost = 1.5;

    /// <summary>Below this many k, a tile is done before its lines of C could arrive.</summary>
    private const int PrefetchDepth = 64;

    /// <summary>Products with this many rows or fewer are one or two rows times a matrix: the transposed product has few columns.</summary>
    public const int FewRows = 2;

    /// <summary>Rows done before their tail is: whole tiles of any height, and C's rows stay in the first-level cache.</summary>
    private const int TailRows = 96;

    /// <summary>With no more k than this, one chain per element does not wait long, and a tile of one row is quicker than a plan.</summary>
    private const int ShortDepth = 16;

    /// <summary>With no more rows than this, making the mask of a partial vector anew for each k costs less than packing B.</summary>
    private const int MaskedRows = 64;

    /// <summary>The height of tiles two vectors wide, to which a packed A is cut.</summary>
    private static int TileRows
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TVector.HasManyRegisters ? 12 : 6;
    }

    /// <summary>The height of tiles three vectors wide.</summary>
    private static int HighestThree
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => TVector.HasManyRegisters ? 8 : 4;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in GemmProblem<T> problem, ComputeContext? context)
    {
        if (LongDriver<TVector, T>.Takes(in problem))
        {
            LongDriver<TVector, T>.Run(in problem, context);
            return;
        }

        if (NarrowDriver<TVector, T>.Takes(in problem))
        {
            NarrowDriver<TVector, T>.Run(in problem, context);
            return;
        }

        var isOnePanel = IsOnePanel(in problem);
        if (isOnePanel && (context is null || context.RunsInline(Nanoseconds(in problem))))
        {
            OnePanel(in problem);
            return;
        }

        // One panel stays one panel where threads share it: an element's sum must not depend on them.
        if (!isOnePanel)
        {
            if (SkinnyDriver<TVector, T>.Takes(in problem))
            {
                SkinnyDriver<TVector, T>.Run(in problem, context);
                return;
            }

            if (problem.M <= FewRows && RunTransposed(in problem, context))
                return;
            if (problem.K == 1 && problem.Form == GemmForm.Overwrite && problem.BColumn == 1)
            {
                RunOuter(in problem, context);
                return;
            }
        }

        if (context is null || context.Threads == 1)
            RunAlone(in problem);
        else
            Share(in problem, context);
    }

    /// <summary>The product by tiles, on the caller alone.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void RunAlone(in GemmProblem<T> problem)
    {
        var blocking = GemmBlocking.For(in problem, TVector.Count, TileRows, TVector.HasMasks);
        var tail = Tail(in problem);
        var panels = Panels(in problem, in blocking, tail);
        Part(in problem, in blocking, in panels, tail, 0, problem.M, 0, Parts(in panels, tail));
    }

    /// <summary>The last columns, where they are too few for a register.</summary>
    private static int Tail(in GemmProblem<T> problem)
    {
        var rest = problem.N & TVector.Count - 1;
        return problem.N > TVector.Count && SkinnyDriver<TVector, T>.TakesTail(rest, problem.K) ? rest : 0;
    }

    /// <summary>Three vectors wide but for a packed A, which is cut to the height of two, and few rows that are one tile of two.</summary>
    private static ColumnPanels Panels(in GemmProblem<T> problem, in GemmBlocking blocking, int tail) =>
        new(problem.N - tail, TVector.Count, blocking.PackA || problem.M <= TileRows && problem.M > HighestThree ? 2 : 3);

    private static int Parts(in ColumnPanels panels, int tail) => tail > 0 ? panels.Total + 1 : panels.Total;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Nanoseconds(in GemmProblem<T> problem) => Cost * sizeof(T) * problem.M * problem.N * problem.K;

    /// <summary>A product so small that it is one k block of one panel, without packing and without a tail: nothing to plan.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsOnePanel(in GemmProblem<T> problem)
    {
        if (problem.K > GemmBlocking.UnpackedColumnDepth || problem.BColumn != 1 || problem.N > MostVectors * TVector.Count)
            return false;
        var isShort = problem.K <= ShortDepth;
        if (problem.M <= FewRows && !isShort)
            return false;
        return problem.N < TVector.Count
            ? TVector.HasMasks && problem.M <= MaskedRows && (isShort || problem.N > SkinnyDriver<TVector, T>.MostColumns)
            : !SkinnyDriver<TVector, T>.TakesTail(problem.N & TVector.Count - 1, problem.K);
    }

    /// <summary>One or two rows times a matrix, if the transposed product has so few columns that <see cref="SkinnyDriver{TVector, T}"/> takes it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool RunTransposed(in GemmProblem<T> problem, ComputeContext? context)
    {
        var turned = problem.Transposed;
        if (!SkinnyDriver<TVector, T>.Takes(in turned))
            return false;
        SkinnyDriver<TVector, T>.Run(in turned, context);
        return true;
    }

    /// <summary>A column times a row: nothing is summed, and C is written from top to bottom.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunOuter(in GemmProblem<T> problem, ComputeContext? context)
    {
        if (context is null || context.RunsInline(Nanoseconds(in problem) * StoreCost))
            new OuterRange { Problem = problem }.Execute(0, problem.M);
        else
            context.For(problem.M, TileRows, Nanoseconds(in problem) * StoreCost, new OuterRange { Problem = problem });
    }

    private struct OuterRange : IRangeBody
    {
        public GemmProblem<T> Problem;

        public readonly void Execute(int start, int limit) => SkinnyKernels<TVector, T>.Outer(
            Problem.A + start * Problem.ARow, Problem.ARow, limit - start, Problem.B, Problem.N, Problem.C + start * Problem.CRow, Problem.CRow);
    }

    /// <summary>Shares the parts, or the rows where those are too few, out over threads.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Share(in GemmProblem<T> problem, ComputeContext context)
    {
        var blocking = GemmBlocking.For(in problem, TVector.Count, TileRows, TVector.HasMasks);
        var tail = Tail(in problem);
        var panels = Panels(in problem, in blocking, tail);
        var parts = Parts(in panels, tail);
        var nanoseconds = Nanoseconds(in problem);
        var tiles = (problem.M - 1) / TileRows + 1;
        var range = new Range { Problem = problem, Blocking = blocking, Panels = panels, Tail = tail };
        if (problem.M < SharedRows * context.Threads && (parts >= tiles || parts >= 4 * context.Threads))
            context.For(parts, 1, nanoseconds, new PartRange { Range = range });
        else
            context.For(problem.M, TileRows, nanoseconds, new RowRange { Range = range, Parts = parts });
    }

    /// <summary>A product and how it is cut, for threads to share.</summary>
    private struct Range
    {
        public GemmProblem<T> Problem;
        public GemmBlocking Blocking;
        public ColumnPanels Panels;
        public int Tail;

        public readonly void Execute(int row0, int row1, int part0, int part1) => Part(in Problem, in Blocking, in Panels, Tail, row0, row1, part0, part1);
    }

    private struct PartRange : IRangeBody
    {
        public Range Range;

        public readonly void Execute(int start, int limit) => Range.Execute(0, Range.Problem.M, start, limit);
    }

    private struct RowRange : IRangeBody
    {
        public Range Range;
        public int Parts;

        public readonly void Execute(int start, int limit) => Range.Execute(start, limit, 0, Parts);
    }

    /// <summary>Rows [row0, row1) of parts [part0, part1): the panels, and as one more part the last columns that are too few for a register.</summary>
    private static void Part(in GemmProblem<T> problem, in GemmBlocking blocking, in ColumnPanels panels, int tail, int row0, int row1, int part0, int part1)
    {
        var panel1 = Math.Min(part1, panels.Total);
        if (part1 == panel1)
        {
            Multiply(in problem, in blocking, in panels, row0, row1, part0, panel1);
            return;
        }

        WithTail(in problem, in blocking, in panels, tail, row0, row1, part0, panel1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void WithTail(in GemmProblem<T> problem, in GemmBlocking blocking, in ColumnPanels panels, int tail, int row0, int row1, int panel0, int panel1)
    {
        var column = problem.N - tail;
        var last = problem with
        {
            N = tail,
            B = problem.B + column * problem.BColumn,
            C = problem.C + column,
            Addend = problem.Addend + column,
        };

        // Some rows at a time, so that the tail finds them in the caches; all at once where that would pack B again and again.
        var step = blocking.PackB ? row1 - row0 : TailRows;
        for (long at = row0; at < row1; at += step)
        {
            var (start, limit) = ((int)at, (int)Math.Min(at + step, row1));
            if (panel0 < panel1)
                Multiply(in problem, in blocking, in panels, start, limit, panel0, panel1);
            SkinnyDriver<TVector, T>.Multiply(in last, start, limit);
        }
    }

    /// <summary>Rows [row0, row1) of panels [panel0, panel1).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(in GemmProblem<T> problem, in GemmBlocking blocking, in ColumnPanels panels, int row0, int row1, int panel0, int panel1)
    {
        var depth = blocking.Depth;
        var oneBlock = row1 - row0 <= blocking.Rows;
        var blockRows = Math.Min(row1 - row0, blocking.Rows);

        // With one block of A, each panel of B is packed into the first-level cache and used at once.
        var chunk = blocking.PackB ? oneBlock ? 1 : Math.Min(blocking.Panels, panel1 - panel0) : panel1 - panel0;
        var panelLength = 2 * depth * TVector.Count;
        var packedB = blocking.PackB ? chunk * panelLength + depth * TVector.Count : 0; // The last panel may have three vectors.
        var packedA = blocking.PackA ? blockRows * depth : blocking.CopyA ? blockRows * blocking.CopyStride : 0;
        var scratch = packedA + packedB == 0 ? [] : KernelScratch.Get<T>(packedA + packedB + 64);
        fixed (T* space = scratch)
        {
            var bSpace = space;
            var aSpace = space + (packedB + 15 & ~15);
            // Loop variables are 64 bits wide: near the largest sizes, one past the end does not fit into 32.
            for (long at = 0; at < problem.K; at += depth)
            {
                var k0 = (int)at;
                var k = Math.Min(depth, problem.K - k0);
                var first = k0 == 0;
                for (var chunk0 = panel0; chunk0 < panel1; chunk0 += chunk)
                {
                    var chunk1 = Math.Min(chunk0 + chunk, panel1);
                    if (blocking.PackB)
                    {
                        for (var panel = chunk0; panel < chunk1; panel++)
                            GemmPacking<TVector, T>.PackB(in problem, panels[panel], k0, k, bSpace + (panel - chunk0) * panelLength);
                    }

                    for (long row = row0; row < row1; row += blocking.Rows)
                    {
                        var block0 = (int)row;
                        var block1 = (int)Math.Min(row + blocking.Rows, row1);
                        if (packedA > 0 && (!oneBlock || chunk0 == panel0))
                        {
                            if (blocking.PackA)
                                GemmPacking<TVector, T>.PackA(in problem, block0, block1, TileRows, k0, k, aSpace);
                            else
                                GemmPacking<TVector, T>.CopyA(in problem, block0, block1, k0, k, aSpace, blocking.CopyStride);
                        }

                        for (var panel = chunk0; panel < chunk1; panel++)
                        {
                            Panel(in problem, panels[panel], block0, block1, k0, k, first,
                                blocking.PackB ? bSpace + (panel - chunk0) * panelLength : null,
                                blocking.PackA ? aSpace : null, blocking.CopyA ? aSpace : null, blocking.CopyStride);
                        }
                    }
                }
            }
        }
    }

    /// <summary>The widest panel, in vectors.</summary>
    private const int MostVectors = 3;

    /// <summary>All of a product that <see cref="IsOnePanel"/>: what is left of the planning where operands are read in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void OnePanel(in GemmProblem<T> problem)
    {
        var vectors = (int)((uint)problem.N + (uint)TVector.Count - 1) / TVector.Count;
        var panel = new TilePanel<T>
        {
            ARowStride = problem.ARow * sizeof(T),
            AStep = problem.AColumn * sizeof(T),
            B = (byte*)problem.B,
            BStep = problem.BRow * sizeof(T),
            BLast = (problem.N - TVector.Count) * sizeof(T),
            CRowStride = problem.CRow * sizeof(T),
            AddendRowStride = problem.AddendRow * sizeof(T),
            CLast = (problem.N - TVector.Count) * sizeof(T),
            Width = problem.N,
            Depth = problem.K,
            PrefetchesC = false,
            Alpha = problem.Alpha,
            Beta = problem.Beta,
        };
        RowTiles(problem.Form, true, vectors, problem.M, HighestTile(vectors), packedA: false, ref panel, (byte*)problem.A, (byte*)problem.C, (byte*)problem.Addend);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int HighestTile(int vectors) => vectors == 1 ? 12 : vectors == 2 ? TileRows : HighestThree;

    /// <summary>One panel over one block of rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel(in GemmProblem<T> problem, ColumnPanel at, int row0, int row1, int k0, int depth, bool first, T* packedB, T* packedA, T* copiedA, nint copyStride)
    {
        var panel = new TilePanel<T>
        {
            ARowStride = problem.ARow * sizeof(T),
            AStep = problem.AColumn * sizeof(T),
            Depth = depth,
            PrefetchesC = depth >= PrefetchDepth,
            CRowStride = problem.CRow * sizeof(T),
            CLast = at.Last * sizeof(T),
            Width = at.Width,
            Alpha = problem.Alpha,
            Beta = first ? problem.Beta : T.One,
        };
        if (packedB is not null)
        {
            panel.B = (byte*)packedB;
            panel.BStep = at.Vectors * TVector.Count * sizeof(T);
            panel.BLast = (at.Vectors - 1) * TVector.Count * sizeof(T);
        }
        else
        {
            panel.B = (byte*)(problem.B + k0 * problem.BRow + at.Column);
            panel.BStep = problem.BRow * sizeof(T);
            panel.BLast = at.Last * sizeof(T);
        }

        var a = (byte*)(problem.A + row0 * problem.ARow + k0 * problem.AColumn);
        if (packedA is not null)
        {
            // Where a row and a step lie depends on the height of the tile.
            a = (byte*)packedA;
            panel.ARowStride = sizeof(T);
        }
        else if (copiedA is not null)
        {
            a = (byte*)copiedA;
            panel.ARowStride = copyStride * sizeof(T);
            panel.AStep = sizeof(T);
        }

        var c = (byte*)(problem.C + row0 * problem.CRow + at.Column);
        var addend = c;
        panel.AddendRowStride = panel.CRowStride;
        if (first && problem.Form == GemmForm.AddRow)
        {
            addend = (byte*)(problem.Addend + at.Column);
            panel.AddendRowStride = 0;
        }

        RowTiles(problem.Form, first, at.Vectors, row1 - row0, packedA is not null ? TileRows : HighestTile(at.Vectors), packedA is not null, ref panel, a, c, addend);
    }

    /// <summary>The rows of a panel: as many tiles of equal height as possible, the rest one row lower.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void RowTiles(GemmForm form, bool first, int vectors, int rows, int highest, bool packedA, ref TilePanel<T> panel, byte* a, byte* c, byte* addend)
    {
        var tiles = 1;
        if (rows > highest)
        {
            tiles = (rows - 1) / highest + 1;
            (var height, var higher) = Math.DivRem(rows, tiles);
            if (higher > 0)
            {
                Cut(height + 1, packedA, ref panel);
                Tiles(form, first, height + 1, vectors, in panel, a, c, addend, higher);
                a += higher * panel.ATileStride;
                c += higher * (height + 1) * panel.CRowStride;
                addend += higher * (height + 1) * panel.AddendRowStride;
                tiles -= higher;
            }

            rows = height;
        }

        Cut(rows, packedA, ref panel);
        Tiles(form, first, rows, vectors, in panel, a, c, addend, tiles);
    }

    /// <summary>The strides of A for tiles of some height.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Cut(int tileRows, bool packedA, ref TilePanel<T> panel)
    {
        if (packedA)
            panel.AStep = tileRows * sizeof(T);
        panel.ATileStride = packedA ? tileRows * panel.Depth * sizeof(T) : tileRows * panel.ARowStride;
    }

    private static void Tiles(GemmForm form, bool first, int rows, int vectors, in TilePanel<T> panel, byte* a, byte* c, byte* addend, nint tiles)
    {
        switch (form)
        {
            case GemmForm.Overwrite when first:
                Tiles<Overwrite>(rows, vectors, in panel, a, c, addend, tiles);
                break;
            case GemmForm.ScaledOverwrite when first:
                Tiles<ScaledOverwrite>(rows, vectors, in panel, a, c, addend, tiles);
                break;
            case GemmForm.ScaledOverwrite or GemmForm.ScaledAccumulate:
                Tiles<ScaledAddTo>(rows, vectors, in panel, a, c, addend, tiles);
                break;
            default:
                Tiles<AddTo>(rows, vectors, in panel, a, c, addend, tiles);
                break;
        }
    }

    private static void Tiles<TUpdate>(int rows, int vectors, in TilePanel<T> panel, byte* a, byte* c, byte* addend, nint tiles)
        where TUpdate : unmanaged, ITileUpdate
    {
        if (vectors == 3)
            Tiles3<TUpdate>(rows, in panel, a, c, addend, tiles);
        else if (vectors == 2)
            Tiles2<TUpdate>(rows, in panel, a, c, addend, tiles);
        else if (panel.Width < TVector.Count)
            Tiles1<Partial<TUpdate>>(rows, in panel, a, c, addend, tiles);
        else
            Tiles1<TUpdate>(rows, in panel, a, c, addend, tiles);
    }

    private static void Tiles1<TUpdate>(int rows, in TilePanel<T> panel, byte* a, byte* c, byte* addend, nint tiles)
        where TUpdate : unmanaged, ITileUpdate
    {
        switch (rows)
        {
            case 1:
                TileKernel<TVector, T>.Run<N1, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 2:
                TileKernel<TVector, T>.Run<N2, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 3:
                TileKernel<TVector, T>.Run<N3, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 4:
                TileKernel<TVector, T>.Run<N4, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 5:
                TileKernel<TVector, T>.Run<N5, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 6:
                TileKernel<TVector, T>.Run<N6, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 7:
                TileKernel<TVector, T>.Run<N7, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 8:
                TileKernel<TVector, T>.Run<N8, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 9:
                TileKernel<TVector, T>.Run<N9, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 10:
                TileKernel<TVector, T>.Run<N10, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 11:
                TileKernel<TVector, T>.Run<N11, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 12:
                TileKernel<TVector, T>.Run<N12, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
        }
    }

    private static void Tiles2<TUpdate>(int rows, in TilePanel<T> panel, byte* a, byte* c, byte* addend, nint tiles)
        where TUpdate : unmanaged, ITileUpdate
    {
        switch (rows)
        {
            case 1:
                TileKernel<TVector, T>.Run<N1, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 2:
                TileKernel<TVector, T>.Run<N2, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 3:
                TileKernel<TVector, T>.Run<N3, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 4:
                TileKernel<TVector, T>.Run<N4, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 5:
                TileKernel<TVector, T>.Run<N5, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 6:
                TileKernel<TVector, T>.Run<N6, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 7:
                TileKernel<TVector, T>.Run<N7, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 8:
                TileKernel<TVector, T>.Run<N8, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 9:
                TileKernel<TVector, T>.Run<N9, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 10:
                TileKernel<TVector, T>.Run<N10, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 11:
                TileKernel<TVector, T>.Run<N11, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 12:
                TileKernel<TVector, T>.Run<N12, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
        }
    }

    private static void Tiles3<TUpdate>(int rows, in TilePanel<T> panel, byte* a, byte* c, byte* addend, nint tiles)
        where TUpdate : unmanaged, ITileUpdate
    {
        switch (rows)
        {
            case 1:
                TileKernel<TVector, T>.Run<N1, N3, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 2:
                TileKernel<TVector, T>.Run<N2, N3, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 3:
                TileKernel<TVector, T>.Run<N3, N3, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 4:
                TileKernel<TVector, T>.Run<N4, N3, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 5:
                TileKernel<TVector, T>.Run<N5, N3, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 6:
                TileKernel<TVector, T>.Run<N6, N3, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 7:
                TileKernel<TVector, T>.Run<N7, N3, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case 8:
                TileKernel<TVector, T>.Run<N8, N3, TUpdate>(in panel, a, c, addend, tiles);
                break;
        }
    }
}
