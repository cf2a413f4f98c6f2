using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>One or two rows times a matrix: the transposed product has few columns, and <see cref="SkinnyRoute{TVector, T}"/> makes it.</summary>
internal static class FewRowsRoute<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>The most rows that are few.</summary>
    public const int MostRows = 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool Takes(in GemmProblem<T> problem) => problem.M <= MostRows && TakesTransposed(in problem);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TakesTransposed(in GemmProblem<T> problem) => SkinnyRoute<TVector, T>.Takes(problem.Transposed);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static void Run(in GemmProblem<T> problem, ComputeContext? context) => SkinnyRoute<TVector, T>.Run(problem.Transposed, context);
}
