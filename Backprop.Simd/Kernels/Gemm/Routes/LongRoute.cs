using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Products of few rows or columns and a very long k, such as the gradient of a narrow layer's weights over a large batch: blocks
/// of k are products of their own, which meet pairwise.
/// </summary>
/// <remarks>Blocks and pieces of C follow from the shape alone. <see cref="SkinnyRoute{TVector, T}"/> has blocks of its own.</remarks>
internal static unsafe class LongRoute<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The longest k block: bounds the blocks that C is written once for, and is work enough to share out.</summary>
    private const int Depth = 4096;

    /// <summary>Rows or columns that are few.</summary>
    private const int Few = 12;

    /// <summary>The other dimension of a piece of C: bounds the space on the stack.</summary>
    private const int Long = 128;

    /// <summary>Nanoseconds per multiply-add and byte of element.</summary>
    private const double Cost = 0.006;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Takes(in GemmProblem<T> problem) => problem.K > Depth && Math.Min(problem.M, problem.N) <= Few && !IsSkinny(in problem);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool IsSkinny(in GemmProblem<T> problem) =>
        SkinnyRoute<TVector, T>.Takes(in problem) || FewRowsRoute<TVector, T>.Takes(in problem);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(in GemmProblem<T> problem, ComputeContext? context)
    {
        var pieces = (Math.Max(problem.M, problem.N) - 1) / Long + 1;
        var body = new PieceRange(problem, context);
        if (context is null || context.Threads == 1 || pieces == 1)
            body.Execute(0, pieces);
        else
            context.For(pieces, 1, problem.Nanoseconds(Cost), in body);
    }

    private readonly struct PieceRange(GemmProblem<T> problem, ComputeContext? context) : IRangeBody
    {
        public void Execute(int start, int limit)
        {
            for (var piece = start; piece < limit; piece++)
            {
                var at = piece * Long;
                Piece(problem.M >= problem.N
                    ? problem with
                    {
                        M = Math.Min(Long, problem.M - at),
                        A = problem.A + at * problem.ARow,
                        C = problem.C + at * problem.CRow,
                        Addend = problem.Addend + at * problem.AddendRow,
                    }
                    : problem with
                    {
                        N = Math.Min(Long, problem.N - at),
                        B = problem.B + at * problem.BColumn,
                        C = problem.C + at * problem.CColumn,
                        Addend = problem.Addend + at * problem.AddendColumn,
                    }, context);
            }
        }
    }

    private static void Piece(in GemmProblem<T> problem, ComputeContext? context)
    {
        var (length, blocks) = (problem.M * problem.N, (problem.K - 1) / Depth + 1);
        var slots = stackalloc T[BlockSums.Slots(blocks) * length];
        var part = problem with { Form = GemmForm.Overwrite, CRow = problem.N, CColumn = 1 };
        for (var block = 0; block < blocks; block++)
        {
            part.A = problem.A + block * Depth * problem.AColumn;
            part.B = problem.B + block * Depth * problem.BRow;
            part.C = BlockSums.Slot(slots, block, length);
            part.K = Math.Min(Depth, problem.K - block * Depth);
            GemmRoutes<TVector, T>.Run(in part, context);
            BlockSums.Join(slots, block, length, length);
        }

        BlockSums.Finish(slots, blocks, length, length);
        SkinnyRoute<TVector, T>.Finish(problem.Transposed, 0, problem.N, slots, problem.N);
    }
}
