using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Kernels;

/// <summary>
/// The step of an optimizer, lane by lane: a gradient changes a parameter and its state in place. A kernel that has the
/// gradient in a register may apply it there.
/// </summary>
internal interface IUpdate<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Values of state per parameter, 0 to 3; a constant to the compiler.</summary>
    static abstract int States { get; }

    /// <summary>True if a parameter of zero gradient keeps its bits, and its state with it; a constant to the compiler.</summary>
    static virtual bool LeavesZeroGradients => false;

    /// <summary>Replaces the parameter and its state.</summary>
    void Invoke<TVector>(TVector gradient, ref TVector parameter, ref TVector first, ref TVector second, ref TVector third)
        where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>Uses the operator and the state of an optimizer's step in progress.</summary>
internal interface IUpdateVisitor<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Takes the operator, and the state of all parameters; spans beyond <see cref="IUpdate{T}.States"/> are empty.</summary>
    void Visit<TUpdate>(TUpdate update, Span<T> first, Span<T> second, Span<T> third) where TUpdate : struct, IUpdate<T>;
}

/// <summary>Offers a step of an optimizer as an operator.</summary>
internal interface IUpdateSource<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>
    /// Hands over the operator of the step in progress for a range, and the state of all parameters, for kernels that update
    /// parameters in registers.
    /// </summary>
    /// <returns>False where there is no such operator, or not one for the whole range.</returns>
    bool TryVisit<TVisitor>(BlockRange range, scoped ref TVisitor visitor) where TVisitor : struct, IUpdateVisitor<T>, allows ref struct;
}
