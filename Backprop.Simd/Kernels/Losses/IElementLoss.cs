using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>A loss of one prediction y and one target t, with its derivatives, lane by lane. Implement it as a readonly struct: it is
/// compiled into the kernels' loops.</summary>
/// <remarks>Each lane of a result must depend on the same lane of the arguments alone. <see cref="VectorMath"/> has the elementary
/// functions. Values are computed in double, derivatives in the type of the network. Mark the methods <c>AggressiveInlining</c> when
/// they are long.</remarks>
public interface IElementLoss
{
    /// <summary>l(y, t).</summary>
    /// <typeparam name="TVector">The register type. The formula is compiled for float, double and every register width.</typeparam>
    /// <param name="y">The predictions.</param>
    /// <param name="t">The targets.</param>
    /// <returns>The losses.</returns>
    TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>;

    /// <summary>The derivative by y.</summary>
    /// <typeparam name="TVector">The register type. The formula is compiled for float, double and every register width.</typeparam>
    /// <param name="y">The predictions.</param>
    /// <param name="t">The targets.</param>
    /// <returns>dl / dy.</returns>
    TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>;

    /// <summary>The derivative by t.</summary>
    /// <typeparam name="TVector">The register type. The formula is compiled for float, double and every register width.</typeparam>
    /// <param name="y">The predictions.</param>
    /// <param name="t">The targets.</param>
    /// <returns>dl / dt.</returns>
    TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector>;
}

/// <summary>A loss seen from its target.</summary>
internal readonly struct TargetSide<TLoss>(TLoss loss) : IElementLoss
    where TLoss : struct, IElementLoss
{
    public TVector Value<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => loss.Value(y, t);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Slope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => loss.TargetSlope(y, t);

    public TVector TargetSlope<TVector>(TVector y, TVector t) where TVector : struct, ISimdVector<TVector> => loss.Slope(y, t);
}
