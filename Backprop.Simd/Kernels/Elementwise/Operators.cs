using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>One output from one input, lane by lane: what <see cref="Map"/> runs over spans.</summary>
internal interface IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>One or two instructions: the loop around it is unrolled.</summary>
    static virtual bool IsShort => false;

    /// <summary>f(x).</summary>
    TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>One output from two inputs, lane by lane.</summary>
internal interface IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>One or two instructions: the loop around it is unrolled.</summary>
    static virtual bool IsShort => false;

    /// <summary>f(x, y).</summary>
    TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>One output from three inputs, lane by lane.</summary>
internal interface ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>f(x, y, z).</summary>
    TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>One output from four inputs, lane by lane: a ternary operator that adds to its destination.</summary>
internal interface IQuaternaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>f(x, y, z, w).</summary>
    TVector Invoke<TVector>(TVector x, TVector y, TVector z, TVector w) where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>min(bound, max(-bound, x)); NaN stays.</summary>
internal readonly struct ClampOperator<T>(T bound) : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static bool IsShort => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> =>
        TVector.Min(TVector.Create(bound), TVector.Max(TVector.Create(-bound), x));
}

/// <summary>d + f(x) for the destination d.</summary>
internal readonly struct AddUnary<T, TOperator>(TOperator f) : IBinaryOperator<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TOperator : struct, IUnaryOperator<T>
{
    public static bool IsShort => TOperator.IsShort;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector destination) where TVector : unmanaged, ISimdVector<TVector, T> => f.Invoke(x) + destination;
}

/// <summary>d + f(x, y) for the destination d.</summary>
internal readonly struct AddBinary<T, TOperator>(TOperator f) : ITernaryOperator<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TOperator : struct, IBinaryOperator<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y, TVector destination) where TVector : unmanaged, ISimdVector<TVector, T> =>
        f.Invoke(x, y) + destination;
}

/// <summary>d + f(x, y, z) for the destination d.</summary>
internal readonly struct AddTernary<T, TOperator>(TOperator f) : IQuaternaryOperator<T>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TOperator : struct, ITernaryOperator<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public TVector Invoke<TVector>(TVector x, TVector y, TVector z, TVector destination) where TVector : unmanaged, ISimdVector<TVector, T> =>
        f.Invoke(x, y, z) + destination;
}

/// <summary>A loop of two inputs over spans of one length.</summary>
internal interface ISpanOperator<T> where T : unmanaged
{
    void Invoke(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination);
}
