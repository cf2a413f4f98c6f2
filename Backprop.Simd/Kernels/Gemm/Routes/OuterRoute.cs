using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>A column times a row (k = 1): nothing is summed, and C is written from top to bottom.</summary>
internal static unsafe class OuterRoute<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Nanoseconds per product and byte of element: half again as much as in <see cref="TiledRoute{TVector, T}"/>, to write an element of C.</summary>
    private const double Cost = 0.0075;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Takes(in GemmProblem<T> problem) => problem.K == 1 && problem.Form == GemmForm.Overwrite && problem.BColumn == 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(in GemmProblem<T> problem, ComputeContext? context)
    {
        var nanoseconds = problem.Nanoseconds(Cost);
        if (context is null || context.RunsInline(nanoseconds))
            new RowRange { Problem = problem }.Execute(0, problem.M);
        else
            context.For(problem.M, RowTiles<TVector, T>.HighestTwo, nanoseconds, new RowRange { Problem = problem });
    }

    private struct RowRange : IRangeBody
    {
        public GemmProblem<T> Problem;

        public readonly void Execute(int start, int limit) => Rows(
            Problem.A + start * Problem.ARow, Problem.ARow, limit - start, Problem.B, Problem.N, Problem.C + start * Problem.CRow, Problem.CRow);
    }

    /// <summary>c[i, j] = a[i] b[j].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows(T* a, nint aRow, nint rows, T* b, nint columns, T* c, nint cRow)
    {
        for (; rows > 0; rows--)
        {
            var x = TVector.Create(*a);
            nint j = 0;
            for (; j <= columns - TVector.Count; j += TVector.Count)
                TVector.Store(c + j, TVector.MultiplyAdd(x, TVector.Load(b + j), TVector.Zero));
            if (j < columns)
            {
                var rest = (int)(columns - j);
                TVector.StorePartial(c + j, TVector.MultiplyAdd(x, TVector.LoadPartial(b + j, rest), TVector.Zero), rest);
            }

            a += aRow;
            c += cRow;
        }
    }
}
