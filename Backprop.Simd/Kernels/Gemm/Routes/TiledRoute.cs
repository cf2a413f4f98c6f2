using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Every other product: cut by a plan on the full shape, which threads share as panels or as rows, and made by <see cref="GotoLoops{TVector, T}"/>.
/// </summary>
/// <remarks>A last group of columns too few for a register is left to <see cref="SkinnyRoute{TVector, T}"/>.</remarks>
internal static unsafe class TiledRoute<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Nanoseconds per multiply-add and byte of element: what a core with 256-bit registers needs, near enough to choose threads.</summary>
    public const double Cost = 0.005;

    /// <summary>
    /// With this many rows for each thread, rows are shared out even though each thread then packs all of B: the layers of a
    /// batch all cut the same rows, so that a thread finds in its own caches what it wrote before.
    /// </summary>
    private const int SharedRows = 96;

    /// <summary>Rows done before their tail is: whole tiles of any height, and C's rows stay in the first-level cache.</summary>
    private const int TailRows = 96;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(in GemmProblem<T> problem, ComputeContext? context)
    {
        if (context is null || context.Threads == 1)
            RunAlone(in problem);
        else
            Share(in problem, context);
    }

    /// <summary>The product on the caller alone.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void RunAlone(in GemmProblem<T> problem)
    {
        var plan = new Plan(in problem);
        plan.Run(0, problem.M, 0, plan.Parts);
    }

    /// <summary>Shares the parts, or the rows where those are too few, out over threads.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Share(in GemmProblem<T> problem, ComputeContext context)
    {
        var plan = new Plan(in problem);
        var nanoseconds = problem.Nanoseconds(Cost);
        var tileRows = RowTiles<TVector, T>.HighestTwo;
        var tiles = (problem.M - 1) / tileRows + 1;
        if (problem.M < SharedRows * context.Threads && (plan.Parts >= tiles || plan.Parts >= 4 * context.Threads))
            context.For(plan.Parts, 1, nanoseconds, new PartRange { Plan = plan });
        else
            context.For(problem.M, tileRows, nanoseconds, new RowRange { Plan = plan });
    }

    private struct PartRange : IRangeBody
    {
        public Plan Plan;

        public readonly void Execute(int start, int limit) => Plan.Run(0, Plan.Problem.M, start, limit);
    }

    private struct RowRange : IRangeBody
    {
        public Plan Plan;

        public readonly void Execute(int start, int limit) => Plan.Run(start, limit, 0, Plan.Parts);
    }

    /// <summary>A product and how it is cut.</summary>
    private struct Plan
    {
        public GemmProblem<T> Problem;
        private readonly GemmBlocking _blocking;
        private readonly ColumnPanels _panels;
        private readonly int _tail;

        public Plan(in GemmProblem<T> problem)
        {
            Problem = problem;
            var tileRows = RowTiles<TVector, T>.HighestTwo;
            _blocking = GemmBlocking.For(in problem, TVector.Count, tileRows, TVector.HasMasks);

            // The last columns, where they are too few for a register.
            var rest = problem.N & TVector.Count - 1;
            _tail = problem.N > TVector.Count && SkinnyRoute<TVector, T>.TakesTail(rest, problem.K) ? rest : 0;

            // Three vectors wide but for a packed A, which is cut to the height of two, and few rows that are one tile of two.
            var isOneTile = problem.M <= tileRows && problem.M > RowTiles<TVector, T>.HighestThree;
            _panels = new ColumnPanels(problem.N - _tail, TVector.Count, _blocking.PackA || isOneTile ? 2 : 3);
        }

        /// <summary>The panels, and as one more part the tail.</summary>
        public readonly int Parts => _tail > 0 ? _panels.Total + 1 : _panels.Total;

        /// <summary>Rows [row0, row1) of parts [part0, part1).</summary>
        public readonly void Run(int row0, int row1, int part0, int part1)
        {
            var panel1 = Math.Min(part1, _panels.Total);
            var block = new GemmBlock(row0, row1, part0, panel1);
            if (part1 == panel1)
                GotoLoops<TVector, T>.Run(in Problem, in _blocking, in _panels, block);
            else
                WithTail(block);
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        private readonly void WithTail(GemmBlock block)
        {
            var column = Problem.N - _tail;
            var last = Problem with
            {
                N = _tail,
                B = Problem.B + column * Problem.BColumn,
                C = Problem.C + column,
                Addend = Problem.Addend + column,
            };

            // Some rows at a time, so that the tail finds them in the caches; all at once where that would pack B again and again.
            var step = _blocking.PackB ? block.Row1 - block.Row0 : TailRows;
            for (long at = block.Row0; at < block.Row1; at += step)
            {
                var (start, limit) = ((int)at, (int)Math.Min(at + step, block.Row1));
                if (block.Panel0 < block.Panel1)
                    GotoLoops<TVector, T>.Run(in Problem, in _blocking, in _panels, block with { Row0 = start, Row1 = limit });
                SkinnyRoute<TVector, T>.Multiply(in last, start, limit);
            }
        }
    }
}
