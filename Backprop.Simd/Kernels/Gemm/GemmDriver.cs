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
internal static unsafe class GemmDriver<TSimd, TVector, T>
    where TSimd : struct, ISimd<TVector, T>
    where TVector : struct
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Nanoseconds per multiply-add and byte of element: what a core with 256-bit registers needs, near enough to choose threads.</summary>
    private const double Cost = 0.005;

    /// <summary>Below this many k, a tile is done before its lines of C could arrive.</summary>
    private const int PrefetchDepth = 64;

    private static int TileRows => TSimd.HasManyRegisters ? 12 : 6;

    /// <summary>Tiles one vector wide have registers for twice the rows.</summary>
    private static int NarrowTileRows => 12;

    public static void Run(in GemmProblem<T> problem, ComputeContext? context)
    {
        var blocking = GemmBlocking.For(in problem, TSimd.Count, TileRows);
        var panels = new ColumnPanels(problem.N, TSimd.Count);
        if (context is null || context.Threads == 1)
        {
            Multiply(in problem, in blocking, in panels, 0, problem.M, 0, panels.Total);
            return;
        }

        var nanoseconds = Cost * sizeof(T) * problem.M * problem.N * problem.K;
        var tiles = (problem.M - 1) / TileRows + 1;
        if (panels.Total >= tiles || panels.Total >= 4 * context.Threads)
            context.For(panels.Total, 1, nanoseconds, new PanelRange { Problem = problem, Blocking = blocking, Panels = panels });
        else
            context.For(problem.M, TileRows, nanoseconds, new RowRange { Problem = problem, Blocking = blocking, Panels = panels });
    }

    private struct PanelRange : IRangeBody
    {
        public GemmProblem<T> Problem;
        public GemmBlocking Blocking;
        public ColumnPanels Panels;

        public readonly void Execute(int start, int limit) => Multiply(in Problem, in Blocking, in Panels, 0, Problem.M, start, limit);
    }

    private struct RowRange : IRangeBody
    {
        public GemmProblem<T> Problem;
        public GemmBlocking Blocking;
        public ColumnPanels Panels;

        public readonly void Execute(int start, int limit) => Multiply(in Problem, in Blocking, in Panels, start, limit, 0, Panels.Total);
    }

    /// <summary>Rows [row0, row1) of panels [panel0, panel1).</summary>
    private static void Multiply(in GemmProblem<T> problem, in GemmBlocking blocking, in ColumnPanels panels, int row0, int row1, int panel0, int panel1)
    {
        var depth = blocking.Depth;
        var oneBlock = row1 - row0 <= blocking.Rows;
        var blockRows = Math.Min(row1 - row0, blocking.Rows);

        // With one block of A, each panel of B is packed into the first-level cache and used at once.
        var chunk = blocking.PackB ? oneBlock ? 1 : Math.Min(blocking.Panels, panel1 - panel0) : panel1 - panel0;
        var panelLength = depth * 2 * TSimd.Count;
        var packedB = blocking.PackB ? chunk * panelLength : 0;
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
                            GemmPacking<TSimd, TVector, T>.PackB(in problem, panels[panel], k0, k, bSpace + (panel - chunk0) * panelLength);
                    }

                    for (long row = row0; row < row1; row += blocking.Rows)
                    {
                        var block0 = (int)row;
                        var block1 = (int)Math.Min(row + blocking.Rows, row1);
                        if (packedA > 0 && (!oneBlock || chunk0 == panel0))
                        {
                            if (blocking.PackA)
                                GemmPacking<TSimd, TVector, T>.PackA(in problem, block0, block1, TileRows, k0, k, aSpace);
                            else
                                GemmPacking<TSimd, TVector, T>.CopyA(in problem, block0, block1, k0, k, aSpace, blocking.CopyStride);
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

    /// <summary>One panel over one block of rows: as many tiles of equal height as possible, the rest one row lower.</summary>
    private static void Panel(in GemmProblem<T> problem, (int Column, int Vectors, int Second) at, int row0, int row1, int k0, int depth, bool first, T* packedB, T* packedA, T* copiedA, nint copyStride)
    {
        var panel = new TilePanel<T>
        {
            Depth = depth,
            PrefetchesC = depth >= PrefetchDepth,
            CRowStride = problem.CRow * sizeof(T),
            CSecond = at.Second * sizeof(T),
            Alpha = problem.Alpha,
            Beta = first ? problem.Beta : T.One,
        };
        if (packedB is not null)
        {
            panel.B = (byte*)packedB;
            panel.BStep = at.Vectors * TSimd.Count * sizeof(T);
            panel.BSecond = TSimd.Count * sizeof(T);
        }
        else
        {
            panel.B = (byte*)(problem.B + k0 * problem.BRow + at.Column);
            panel.BStep = problem.BRow * sizeof(T);
            panel.BSecond = at.Second * sizeof(T);
        }

        var c = (byte*)(problem.C + row0 * problem.CRow + at.Column);
        var addend = c;
        panel.AddendRowStride = panel.CRowStride;
        if (first && problem.Form == GemmForm.AddRow)
        {
            addend = (byte*)(problem.Addend + at.Column);
            panel.AddendRowStride = 0;
        }

        var rows = row1 - row0;
        var highest = packedA is null && at.Vectors == 1 ? NarrowTileRows : TileRows;
        int tiles = 1, height = rows, higher = 0;
        if (rows > highest)
        {
            tiles = (rows - 1) / highest + 1;
            (height, higher) = Math.DivRem(rows, tiles);
        }

        var a = packedA is not null ? (byte*)packedA : copiedA is not null ? (byte*)copiedA : (byte*)(problem.A + row0 * problem.ARow + k0 * problem.AColumn);
        for (var part = 0; part < 2; part++)
        {
            var tileRows = part == 0 ? height + 1 : height;
            var count = part == 0 ? higher : tiles - higher;
            if (count == 0)
                continue;
            if (packedA is null)
            {
                panel.ARowStride = (copiedA is not null ? copyStride : problem.ARow) * sizeof(T);
                panel.AStep = (copiedA is not null ? 1 : problem.AColumn) * sizeof(T);
                panel.ATileStride = tileRows * panel.ARowStride;
            }
            else
            {
                panel.ARowStride = sizeof(T);
                panel.AStep = tileRows * sizeof(T);
                panel.ATileStride = (nint)tileRows * depth * sizeof(T);
            }

            switch (problem.Form)
            {
                case GemmForm.Overwrite when first:
                    Tiles<Overwrite>(tileRows, at.Vectors, in panel, a, c, addend, count);
                    break;
                case GemmForm.ScaledOverwrite when first:
                    Tiles<ScaledOverwrite>(tileRows, at.Vectors, in panel, a, c, addend, count);
                    break;
                case GemmForm.ScaledOverwrite or GemmForm.ScaledAccumulate:
                    Tiles<ScaledAddTo>(tileRows, at.Vectors, in panel, a, c, addend, count);
                    break;
                default:
                    Tiles<AddTo>(tileRows, at.Vectors, in panel, a, c, addend, count);
                    break;
            }

            a += count * panel.ATileStride;
            c += count * tileRows * panel.CRowStride;
            addend += count * tileRows * panel.AddendRowStride;
        }
    }

    private static void Tiles<TUpdate>(int rows, int vectors, in TilePanel<T> panel, byte* a, byte* c, byte* addend, nint tiles)
        where TUpdate : struct, ITileUpdate
    {
        switch ((rows, vectors))
        {
            case (1, 1):
                TileKernel<TSimd, TVector, T>.Run<N1, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (2, 1):
                TileKernel<TSimd, TVector, T>.Run<N2, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (3, 1):
                TileKernel<TSimd, TVector, T>.Run<N3, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (4, 1):
                TileKernel<TSimd, TVector, T>.Run<N4, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (5, 1):
                TileKernel<TSimd, TVector, T>.Run<N5, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (6, 1):
                TileKernel<TSimd, TVector, T>.Run<N6, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (7, 1):
                TileKernel<TSimd, TVector, T>.Run<N7, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (8, 1):
                TileKernel<TSimd, TVector, T>.Run<N8, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (9, 1):
                TileKernel<TSimd, TVector, T>.Run<N9, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (10, 1):
                TileKernel<TSimd, TVector, T>.Run<N10, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (11, 1):
                TileKernel<TSimd, TVector, T>.Run<N11, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (12, 1):
                TileKernel<TSimd, TVector, T>.Run<N12, N1, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (1, 2):
                TileKernel<TSimd, TVector, T>.Run<N1, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (2, 2):
                TileKernel<TSimd, TVector, T>.Run<N2, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (3, 2):
                TileKernel<TSimd, TVector, T>.Run<N3, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (4, 2):
                TileKernel<TSimd, TVector, T>.Run<N4, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (5, 2):
                TileKernel<TSimd, TVector, T>.Run<N5, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (6, 2):
                TileKernel<TSimd, TVector, T>.Run<N6, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (7, 2):
                TileKernel<TSimd, TVector, T>.Run<N7, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (8, 2):
                TileKernel<TSimd, TVector, T>.Run<N8, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (9, 2):
                TileKernel<TSimd, TVector, T>.Run<N9, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (10, 2):
                TileKernel<TSimd, TVector, T>.Run<N10, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (11, 2):
                TileKernel<TSimd, TVector, T>.Run<N11, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
            case (12, 2):
                TileKernel<TSimd, TVector, T>.Run<N12, N2, TUpdate>(in panel, a, c, addend, tiles);
                break;
        }
    }
}
