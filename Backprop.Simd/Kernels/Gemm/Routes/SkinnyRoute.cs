using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Products with so few columns that a register of them would be mostly empty: each column is a matrix times a vector. Where A
/// is row-major its rows are summed along k; where it is column-major its columns are added up.
/// </summary>
/// <remarks>One row times a matrix is the same product transposed. Only reads A once per column, so memory bounds the speed.</remarks>
internal static unsafe class SkinnyRoute<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Nanoseconds per multiply-add and byte of element: A comes from a cache, each element used once.</summary>
    private const double Cost = 0.01;

    /// <summary>
    /// Rows summed at a time: y, and with several columns the eight columns of A that each of them reads again, stay in the
    /// first-level cache.
    /// </summary>
    private const int BlockRows = 1024;

    /// <summary>The same for one column: nothing is read again, and long runs suit the memory.</summary>
    private const int LongBlockRows = 16384;

    /// <summary>Groups of A's columns that are added up before the next column of B reads them again, from the first-level cache.</summary>
    private const int GroupsAtATime = 8;

    /// <summary>The longest chain of a lane where A's rows are summed along k: bounds the rounding.</summary>
    private const int LaneDepth = 512;

    /// <summary>The longest k block where A's columns are added up, eight at a time: a chain of 128 additions.</summary>
    private const int ColumnDepth = 1024;

    /// <summary>The longest k block along A's rows; it bounds the scratch too where B's column is copied.</summary>
    private static int Depth
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => LaneDepth * TVector.Count;
    }

    /// <summary>Below this many k, whole registers that overlap cost less than summing one up per element.</summary>
    private const int LeastTailDepth = 32;

    /// <summary>Registers that a row must fill before it is summed along k for several columns: below, adding up lanes is what takes the time.</summary>
    private const int LeastDotRegisters = 4;

    /// <summary>The most columns that are worth no register.</summary>
    public static int MostColumns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Math.Max(TVector.Count / 4, 1);
    }

    /// <summary>Whether the columns behind the last whole register are left to this driver.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TakesTail(int rest, int depth) => rest > 0 && rest <= TVector.Count / 4 && depth >= LeastTailDepth;

    /// <summary>Whether all of a product is left to this driver.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Takes(in GemmProblem<T> problem) =>
        problem.N <= MostColumns && (problem.ARow == 1 || problem.N == 1 || problem.K >= LeastDotRegisters * TVector.Count);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(in GemmProblem<T> problem, ComputeContext? context)
    {
        if (context is null || context.Threads == 1)
            Multiply(in problem, 0, problem.M);
        else
            context.For(problem.M, 64, problem.Nanoseconds(Cost), new RowRange { Problem = problem });
    }

    private struct RowRange : IRangeBody
    {
        public GemmProblem<T> Problem;

        public readonly void Execute(int start, int limit) => Multiply(in Problem, start, limit);
    }

    /// <summary>Rows [row0, row1). Blocks of k meet pairwise.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(in GemmProblem<T> problem, int row0, int row1)
    {
        var columnMajor = problem.ARow == 1;
        var copies = !columnMajor && problem.BRow != 1 && problem.K > 1;
        var depth = Math.Min(problem.K, columnMajor ? ColumnDepth : Depth);
        if (problem.N == 1 && problem.Form == GemmForm.Overwrite && problem.CRow == 1 && !copies && depth == problem.K)
        {
            // Made where they belong.
            Block(in problem, row0, row1 - row0, null, problem.C + row0, 0);
            return;
        }

        var block = problem.N == 1 ? LongBlockRows : BlockRows;
        var rows = Math.Min(row1 - row0, block);
        var stride = rows + 15 & ~15;
        var blocks = (problem.K - 1) / depth + 1;
        var (slots, length) = (BlockSums.Slots(blocks), problem.N * stride);
        fixed (T* y = KernelScratch.Get<T>(slots * length + (copies ? problem.N * depth : 0)))
        {
            var copy = copies ? y + slots * length : null;
            for (long at = row0; at < row1; at += block)
            {
                var start = (int)at;
                var count = (int)Math.Min(block, row1 - at);
                if (blocks == 1)
                    Block(in problem, start, count, copy, y, stride);
                else
                    Blocks(in problem, start, count, depth, copy, y, stride);
                Finish(in problem, start, count, y, stride);
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Blocks(in GemmProblem<T> problem, int row, int rows, int depth, T* copy, T* y, int yNext)
    {
        var part = problem with { K = depth };
        var (length, blocks) = (problem.N * yNext, (problem.K - 1) / depth + 1);
        for (var block = 0; block < blocks; block++)
        {
            part.A = problem.A + block * depth * problem.AColumn;
            part.B = problem.B + block * depth * problem.BRow;
            part.K = Math.Min(depth, problem.K - block * depth);
            Block(in part, row, rows, copy, BlockSums.Slot(y, block, length), yNext);
            BlockSums.Join(y, block, length, length);
        }

        BlockSums.Finish(y, blocks, length, length);
    }

    private static void Block(in GemmProblem<T> problem, int row, int rows, T* copy, T* y, nint yNext)
    {
        if (problem.ARow == 1)
            Columns(in problem, row, rows, y, yNext);
        else
            Rows(in problem, row, rows, copy, y, yNext);
    }

    /// <summary>Adds up A's columns, some at a time for each column of B.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns(in GemmProblem<T> problem, int row, nint rows, T* y, nint yNext)
    {
        const int Group = SkinnyKernels<TVector, T>.Columns;
        var a = problem.A + row;
        var groups = problem.K / Group;
        var most = problem.N == 1 ? groups : GroupsAtATime;
        for (var group = 0; group < groups; group += most)
        {
            var from = a + group * Group * problem.AColumn;
            for (nint j = 0; j < problem.N; j++)
            {
                SkinnyKernels<TVector, T>.AddColumns(
                    from, problem.AColumn, problem.B + j * problem.BColumn + group * Group * problem.BRow, problem.BRow,
                    y + j * yNext, rows, Math.Min(most, groups - group), group == 0);
            }
        }

        for (nint k = groups * Group; k < problem.K; k++)
        {
            for (nint j = 0; j < problem.N; j++)
            {
                var b = problem.B[j * problem.BColumn + k * problem.BRow];
                SkinnyKernels<TVector, T>.AddColumn(a + k * problem.AColumn, b, y + j * yNext, rows, k == 0);
            }
        }
    }

    /// <summary>Sums A's rows along k, for two columns at a time.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows(in GemmProblem<T> problem, int row, int rows, T* copy, T* y, nint yNext)
    {
        var k = problem.K;
        var a = problem.A + row * problem.ARow;
        var b = problem.B;
        var bNext = problem.BColumn;
        if (copy is not null)
        {
            SkinnyKernels<TVector, T>.CopyColumns(b, problem.BRow, problem.BColumn, problem.N, k, copy, k);
            b = copy;
            bNext = k;
        }

        var column = 0;
        for (; column <= problem.N - 2; column += 2)
        {
            var whole = rows & ~3;
            var x = b + column * bNext;
            var sums = y + column * yNext;
            SkinnyKernels<TVector, T>.DotPairs(a, problem.ARow, x, bNext, k, sums, yNext, whole / 4);
            if (whole < rows)
            {
                SkinnyKernels<TVector, T>.Dots<N1>(a + whole * problem.ARow, problem.ARow, x, k, sums + whole, rows - whole);
                SkinnyKernels<TVector, T>.Dots<N1>(a + whole * problem.ARow, problem.ARow, x + bNext, k, sums + yNext + whole, rows - whole);
            }
        }

        if (column < problem.N)
        {
            var whole = rows & ~7;
            var x = b + column * bNext;
            var sums = y + column * yNext;
            SkinnyKernels<TVector, T>.Dots<N8>(a, problem.ARow, x, k, sums, whole / 8);
            if (whole < rows)
                SkinnyKernels<TVector, T>.Dots<N1>(a + whole * problem.ARow, problem.ARow, x, k, sums + whole, rows - whole);
        }
    }

    /// <summary>Rows of C from their sums, as the form has it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Finish(in GemmProblem<T> problem, int row, int rows, T* y, nint yNext)
    {
        var c = problem.C + row * problem.CRow;
        if (problem.Form == GemmForm.Overwrite)
        {
            SkinnyKernels<TVector, T>.Spread(y, yNext, rows, problem.N, c, problem.CRow, problem.CColumn);
            return;
        }

        var addend = problem.Addend + row * problem.AddendRow;
        for (nint j = 0; j < problem.N; j++, y += yNext)
        {
            T* column = c + j * problem.CColumn, old = addend + j * problem.AddendColumn;
            nint cRow = problem.CRow, oldRow = problem.AddendRow;
            switch (problem.Form)
            {
                case GemmForm.ScaledOverwrite:
                    for (nint i = 0; i < rows; i++, column += cRow)
                        *column = problem.Alpha * y[i];
                    break;
                case GemmForm.ScaledAccumulate:
                    for (nint i = 0; i < rows; i++, column += cRow, old += oldRow)
                        *column = problem.Beta * *old + problem.Alpha * y[i];
                    break;
                default:
                    for (nint i = 0; i < rows; i++, column += cRow, old += oldRow)
                        *column = *old + y[i];
                    break;
            }
        }
    }
}
