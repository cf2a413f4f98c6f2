using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Small products: one k block of one panel, up to three vectors wide, without packing and without a tail. There is nothing to plan, and
/// operands are read in place.
/// </summary>
internal static unsafe class OnePanelRoute<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The widest panel, in vectors.</summary>
    private const int MostVectors = 3;

    /// <summary>With no more k than this, one chain per element does not wait long, and a tile of one row is quicker than a plan.</summary>
    private const int ShortDepth = 16;

    /// <summary>With no more rows than this, making the mask of a partial vector anew for each k costs less than packing B.</summary>
    private const int MaskedRows = 64;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Takes(in GemmProblem<T> problem)
    {
        if (problem.K > GemmBlocking.UnpackedColumnDepth || problem.BColumn != 1 || problem.N > MostVectors * TVector.Count)
            return false;
        var isShort = problem.K <= ShortDepth;
        if (problem.M <= FewRowsRoute<TVector, T>.MostRows && !isShort)
            return false;
        return problem.N < TVector.Count
            ? TVector.HasMasks && problem.M <= MaskedRows && (isShort || problem.N > SkinnyRoute<TVector, T>.MostColumns)
            : !SkinnyRoute<TVector, T>.TakesTail(problem.N & TVector.Count - 1, problem.K);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Run(in GemmProblem<T> problem, ComputeContext? context)
    {
        // One panel stays one panel where threads share it: an element's sum must not depend on them.
        if (context is null || context.RunsInline(problem.Nanoseconds(TiledRoute<TVector, T>.Cost)))
            RunAlone(in problem);
        else
            TiledRoute<TVector, T>.Run(in problem, context);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RunAlone(in GemmProblem<T> problem)
    {
        var vectors = (int)((uint)problem.N + (uint)TVector.Count - 1) / TVector.Count;
        var at = new ColumnPanel(0, vectors, problem.N - TVector.Count, problem.N);
        var b = PanelOfB<T>.InPlace(problem.B, problem.BRow, at);
        var panel = new TilePanel<T>(at, b, new(problem.ARow, problem.AColumn, problem.CRow, problem.AddendRow), problem.K)
        {
            Alpha = problem.Alpha,
            Beta = problem.Beta,
        };
        RowTiles<TVector, T>.Run(problem.FormOfBlock(isFirst: true), ref panel, new(problem.A, problem.C, problem.Addend), problem.M);
    }
}
