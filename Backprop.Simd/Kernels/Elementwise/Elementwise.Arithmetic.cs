using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Elementwise kernels over spans, and a bias over the rows of a matrix.</summary>
/// <remarks>
/// <para>Inputs have equal lengths. A destination may be longer: its tail keeps its values. A destination may start at the same
/// element as an input or share none with it; a shifted overlap throws.</para>
/// <para>A context shares large work out over its threads; null runs on the caller. The bits are the same either way.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static partial class Elementwise
{
    // Nanoseconds per element on one thread, for the choice of how many threads take part: the least time, from L1.
    private const double ArithmeticCost = 0.1, FunctionCost = 0.7, PowerCost = 2;

    /// <summary>destination[i] = x[i] + y[i].</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The first operand.</param>
    /// <param name="y">The second operand, as long as <paramref name="x"/>.</param>
    /// <param name="destination">The result, at least as long as <paramref name="x"/>.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">Lengths differ, or the destination is too short or overlaps an input shifted.</exception>
    public static void Add<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Spans(default(AddSpans<T>), x, y, destination, ArithmeticCost, context);

    /// <summary>destination[i] = x[i] - y[i].</summary>
    /// <inheritdoc cref="Add"/>
    public static void Subtract<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Spans(default(SubtractSpans<T>), x, y, destination, ArithmeticCost, context);

    /// <summary>destination[i] = x[i] y[i].</summary>
    /// <inheritdoc cref="Add"/>
    public static void Multiply<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Map.Spans(default(MultiplySpans<T>), x, y, destination, ArithmeticCost, context);

    /// <summary>destination[i] += x[i] y[i], fused where the hardware fuses.</summary>
    /// <inheritdoc cref="Add"/>
    public static void MultiplyAccumulate<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        // The destination is the third input: checked as an input, its tail is cut first.
        var used = destination.Length > x.Length ? destination[..x.Length] : destination;
        Memory.SpanGuard.AtLeast(x.Length, used.Length, nameof(destination));
        Map.Ternary(default(MultiplyAddOperator<T>), x, y, used, used, ArithmeticCost, context);
    }

    // One rounding per element: TensorPrimitives gives the same bits, on the widest registers.
    private readonly struct AddSpans<T> : ISpanOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Invoke(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination) => TensorPrimitives.Add(x, y, destination);
    }

    private readonly struct SubtractSpans<T> : ISpanOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Invoke(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination) => TensorPrimitives.Subtract(x, y, destination);
    }

    private readonly struct MultiplySpans<T> : ISpanOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public void Invoke(ReadOnlySpan<T> x, ReadOnlySpan<T> y, Span<T> destination) => TensorPrimitives.Multiply(x, y, destination);
    }

    internal readonly struct AddOperator<T> : IBinaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        public static bool IsShort => true;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => x + y;
    }

    internal readonly struct MultiplyAddOperator<T> : ITernaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => TVector.MultiplyAdd(x, y, z);
    }
}
