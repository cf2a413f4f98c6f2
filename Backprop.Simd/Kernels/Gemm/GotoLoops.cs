using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>Rows [Row0, Row1) of the panels [Panel0, Panel1) of C: what one thread makes.</summary>
internal readonly record struct GemmBlock(int Row0, int Row1, int Panel0, int Panel1);

/// <summary>
/// The five loops of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008), around the micro-kernel: blocks of k,
/// groups of B's panels, blocks of A's rows, panels, row tiles.
/// </summary>
/// <remarks>
/// <para>Loops 5 and 4 are exchanged: an element of C meets its blocks of k in their order either way, and a thread that owns few panels
/// packs A once for each block of k.</para>
/// <para>B is packed where rows and columns are enough to pay for it, or where it is column-major; A is read in place unless its tiles would
/// step through memory by whole rows. A thread packs for itself.</para>
/// </remarks>
internal static unsafe class GotoLoops<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Below this many k, a tile is done before its lines of C could arrive.</summary>
    private const int PrefetchDepth = 64;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in GemmProblem<T> problem, in GemmBlocking blocking, in ColumnPanels panels, GemmBlock block)
    {
        var (row0, row1, panel0, panel1) = block;
        var depth = blocking.Depth;
        var oneBlock = row1 - row0 <= blocking.Rows;
        var blockRows = Math.Min(row1 - row0, blocking.Rows);

        // With one block of A, each panel of B is packed into the first-level cache and used at once.
        var group = blocking.PackB ? oneBlock ? 1 : Math.Min(blocking.Panels, panel1 - panel0) : panel1 - panel0;
        var panelLength = 2 * depth * TVector.Count;
        var packedB = blocking.PackB ? group * panelLength + depth * TVector.Count : 0; // The last panel may have three vectors.
        var packedA = blocking.PackA ? blockRows * depth : blocking.CopyA ? blockRows * blocking.CopyStride : 0;
        var scratch = packedA + packedB == 0 ? [] : KernelScratch.Get<T>(packedA + packedB + 64);
        fixed (T* space = scratch)
        {
            var bSpace = space;
            var aSpace = space + (packedB + 15 & ~15);

            // Loop variables are 64 bits wide: near the largest sizes, one past the end does not fit into 32.
            // Loop 5: blocks of k. C is read and written once for each.
            for (long at = 0; at < problem.K; at += depth)
            {
                var run = new DepthRun((int)at, Math.Min(depth, problem.K - (int)at));

                // Loop 4: groups of panels of B, packed where that pays.
                for (var first = panel0; first < panel1; first += group)
                {
                    var limit = Math.Min(first + group, panel1);
                    if (blocking.PackB)
                    {
                        for (var panel = first; panel < limit; panel++)
                            GemmPacking<TVector, T>.PackB(in problem, panels[panel], run.Start, run.Length, bSpace + (panel - first) * panelLength);
                    }

                    // Loop 3: blocks of A's rows, which stay in the second-level cache; packed where that pays.
                    for (long row = row0; row < row1; row += blocking.Rows)
                    {
                        var rows = new RowRun((int)row, (int)Math.Min(row + blocking.Rows, row1));
                        if (packedA > 0 && (!oneBlock || first == panel0))
                            PackA(in problem, in blocking, rows, run, aSpace);

                        // Loop 2: the panels of the group, each of which stays in the first-level cache.
                        for (var panel = first; panel < limit; panel++)
                        {
                            var b = blocking.PackB ? bSpace + (panel - first) * panelLength : null;
                            Panel(in problem, in blocking, panels[panel], rows, run, packedA > 0 ? aSpace : null, b);
                        }
                    }
                }
            }
        }
    }

    private static void PackA(in GemmProblem<T> problem, in GemmBlocking blocking, RowRun rows, DepthRun run, T* space)
    {
        if (blocking.PackA)
            GemmPacking<TVector, T>.PackA(in problem, rows.Start, rows.Limit, RowTiles<TVector, T>.HighestTwo, run.Start, run.Length, space);
        else
            GemmPacking<TVector, T>.CopyA(in problem, rows.Start, rows.Limit, run.Start, run.Length, space, blocking.CopyStride);
    }

    /// <summary>Loop 1: the row tiles of one panel. What is null is read in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Panel(in GemmProblem<T> problem, in GemmBlocking blocking, ColumnPanel at, RowRun rows, DepthRun run, T* packedA, T* packedB)
    {
        var isFirst = run.Start == 0;
        var a = packedA is not null ? packedA : problem.A + rows.Start * problem.ARow + run.Start * problem.AColumn;
        var c = problem.C + rows.Start * problem.CRow + at.Column;
        var addsRow = isFirst && problem.Form == GemmForm.AddRow;
        var strides = new TileStrides(problem.ARow, problem.AColumn, problem.CRow, addsRow ? 0 : problem.CRow);
        if (blocking.PackA)
            strides = strides with { ARow = 1 }; // Its step depends on the height of a tile.
        else if (packedA is not null)
            strides = strides with { ARow = blocking.CopyStride, AStep = 1 };

        var b = packedB is not null ? PanelOfB<T>.Packed(packedB, at, TVector.Count)
            : PanelOfB<T>.InPlace(problem.B + run.Start * problem.BRow + at.Column, problem.BRow, at);
        var panel = new TilePanel<T>(at, b, strides, run.Length)
        {
            PacksA = blocking.PackA,
            PrefetchesC = run.Length >= PrefetchDepth,
            Alpha = problem.Alpha,
            Beta = isFirst ? problem.Beta : T.One,
        };

        // The loop itself and the micro-kernel in it, the loop over k, are TileKernel.Run: a panel is one call.
        RowTiles<TVector, T>.Run(problem.FormOfBlock(isFirst), ref panel, new(a, c, addsRow ? problem.Addend + at.Column : c), rows.Limit - rows.Start);
    }

    /// <summary>A block of k.</summary>
    private readonly record struct DepthRun(int Start, int Length);

    /// <summary>Rows of a block of A.</summary>
    private readonly record struct RowRun(int Start, int Limit);
}
