using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Products with a column-major A and few columns, which would leave lanes of their registers empty: C^T = B^T A^T has few rows
/// and, in a row, whole registers, and reads both operands in place. It is made in scratch and copied to C transposed.
/// </summary>
/// <remarks>The gradient of a narrow layer's weights, X^T dY, is such a product.</remarks>
internal static unsafe class NarrowRoute<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Columns of C that are one row of tiles, turned.</summary>
    private const int MostColumns = 12;

    /// <summary>Below this many k, copying C costs more than full registers gain.</summary>
    private const int LeastDepth = 16;

    /// <summary>Rows of C made at a time: bounds the scratch. Cut by the shape alone, so that bits do not depend on threads.</summary>
    private const int ChunkRows = 128;

    /// <summary>Nanoseconds per multiply-add and byte of element.</summary>
    private const double Cost = 0.006;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Takes(in GemmProblem<T> problem) =>
        problem.ARow == 1 && problem.N <= MostColumns && (problem.N & TVector.Count - 1) != 0 && problem.N > SkinnyRoute<TVector, T>.MostColumns
        && problem.M >= 2 * TVector.Count && problem.K >= LeastDepth && problem.Form == GemmForm.Overwrite;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(in GemmProblem<T> problem, ComputeContext? context)
    {
        var chunks = (problem.M - 1) / ChunkRows + 1;
        if (context is null || context.Threads == 1 || chunks == 1)
            Multiply(in problem, 0, chunks);
        else
            context.For(chunks, 1, problem.Nanoseconds(Cost), new ChunkRange { Problem = problem });
    }

    private struct ChunkRange : IRangeBody
    {
        public GemmProblem<T> Problem;

        public readonly void Execute(int start, int limit) => Multiply(in Problem, start, limit);
    }

    private static void Multiply(in GemmProblem<T> problem, int chunk0, int chunk1)
    {
        const int lineBytes = 64;
        var space = stackalloc T[MostColumns * ChunkRows + lineBytes / sizeof(T)];
        var scratch = (T*)((nint)space + lineBytes - 1 & ~(lineBytes - 1));
        var all = problem.Transposed with { CColumn = 1 };
        for (var chunk = chunk0; chunk < chunk1; chunk++)
        {
            var row = chunk * ChunkRows;
            var rows = Math.Min(ChunkRows, problem.M - row);
            var turned = all with { N = rows, B = all.B + row, C = scratch, CRow = ChunkRows };
            TiledRoute<TVector, T>.RunAlone(in turned);
            Transposition.Run(scratch, ChunkRows, problem.N, rows, problem.C + row * problem.CRow, problem.CRow);
        }
    }
}
