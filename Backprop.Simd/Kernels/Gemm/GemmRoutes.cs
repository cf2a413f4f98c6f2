using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>The ways to a product at one register width: the first that takes it has it. docs/gemm.md shows which shapes that is.</summary>
internal static class GemmRoutes<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in GemmProblem<T> problem, ComputeContext? context)
    {
        if (LongRoute<TVector, T>.Takes(in problem))
            LongRoute<TVector, T>.Run(in problem, context);
        else if (NarrowRoute<TVector, T>.Takes(in problem))
            NarrowRoute<TVector, T>.Run(in problem, context);
        else if (OnePanelRoute<TVector, T>.Takes(in problem))
            OnePanelRoute<TVector, T>.Run(in problem, context);
        else if (SkinnyRoute<TVector, T>.Takes(in problem))
            SkinnyRoute<TVector, T>.Run(in problem, context);
        else if (FewRowsRoute<TVector, T>.Takes(in problem))
            FewRowsRoute<TVector, T>.Run(in problem, context);
        else if (OuterRoute<TVector, T>.Takes(in problem))
            OuterRoute<TVector, T>.Run(in problem, context);
        else
            TiledRoute<TVector, T>.Run(in problem, context);
    }
}
