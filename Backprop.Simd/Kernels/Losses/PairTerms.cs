using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>y t: its sum is a dot product.</summary>
internal readonly struct ProductTerm : IElementLoss
{
    public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => y * t;

    public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => t;

    public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => y;
}

/// <summary>(y - t + e)^2 / 2, whose slope is the difference.</summary>
/// <param name="epsilon">e.</param>
internal readonly struct DifferenceTerm(double epsilon) : IElementLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>
    {
        var d = y - t + epsilon;
        return d * d * 0.5;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => y - t + epsilon;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => t - y - epsilon;
}

/// <summary>A form whose slope is a y + b t.</summary>
/// <param name="a">The factor of y.</param>
/// <param name="b">The factor of t.</param>
internal readonly struct CombinationTerm(double a, double b) : IElementLoss
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => y * y * (0.5 * a) + y * t * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => y * a + t * b;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => y * b;
}
