using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

public static partial class Elementwise
{
    /// <summary>destination[i] = x[i] a.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The operand.</param>
    /// <param name="a">The factor.</param>
    /// <param name="destination">The result, at least as long as <paramref name="x"/>.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The destination is too short or overlaps the input shifted.</exception>
    public static void Scale<T>(ReadOnlySpan<T> x, T a, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(new ScaleOperator<T>(a), x, destination, ArithmeticCost, context);

    /// <summary>destination[i] = x[i] + a.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The operand.</param>
    /// <param name="a">The term to add.</param>
    /// <param name="destination">The result, at least as long as <paramref name="x"/>.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The destination is too short or overlaps the input shifted.</exception>
    public static void Shift<T>(ReadOnlySpan<T> x, T a, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Unary(new ShiftOperator<T>(a), x, destination, ArithmeticCost, context);

    /// <summary>y[i] += a x[i], fused where the hardware fuses.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="a">The factor.</param>
    /// <param name="x">The operand.</param>
    /// <param name="y">What is added to, at least as long as <paramref name="x"/>.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException"><paramref name="y"/> is too short or overlaps <paramref name="x"/> shifted.</exception>
    public static void Axpy<T>(T a, ReadOnlySpan<T> x, Span<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Memory.SpanGuard.AtLeast(x.Length, y.Length);
        y = y[..x.Length];
        Memory.SpanGuard.SameStartOrDisjoint(x, y);
        Map.Binary(new AxpyOperator<T>(a), x, y, y, ArithmeticCost, context);
    }

    internal readonly struct ScaleOperator<T>(T a) : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => x * TVector.Create(a);
    }

    internal readonly struct ShiftOperator<T>(T a) : IUnaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => x + TVector.Create(a);
    }

    internal readonly struct AxpyOperator<T>(T a) : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => TVector.MultiplyAdd(TVector.Create(a), x, y);
    }
}
