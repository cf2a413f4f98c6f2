using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Activations;

/// <summary>Applies an activation to spans. It may be one of the library's or the caller's own.</summary>
/// <remarks>
/// Inputs have equal lengths. The end of a longer destination is not written. A destination must start at the same element as an input
/// or not overlap it. float and double are supported; any other type throws <see cref="NotSupportedException"/>.
/// </remarks>
public static class ActivationKernels
{
    /// <summary>Nanoseconds per element: about the cost of a function with one exponential.</summary>
    private const double Cost = 0.5;

    /// <summary>y[i] = f(x[i]).</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <typeparam name="TActivation">The activation: a struct, so that it is compiled into the loop.</typeparam>
    /// <param name="f">The activation with its parameters.</param>
    /// <param name="x">The input.</param>
    /// <param name="y">The output, at least as long as <paramref name="x"/>.</param>
    /// <param name="context">The threads to use, or null for the calling thread only.</param>
    /// <exception cref="ArgumentException"><paramref name="y"/> is too short, or overlaps <paramref name="x"/> at another start.</exception>
    public static void Forward<T, TActivation>(in TActivation f, ReadOnlySpan<T> x, Span<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        SpanGuard.AtLeast(x.Length, y.Length);
        y = y[..x.Length];
        SpanGuard.SameStartOrDisjoint(x, y);
        Map.Unary(new ForwardOperator<T, TActivation>(f), x, y, Cost, context);
    }

    /// <summary>dx[i] = dy[i] f'(x[i]), or dx[i] += dy[i] f'(x[i]).</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <typeparam name="TActivation">The activation: a struct, so that it is compiled into the loop.</typeparam>
    /// <param name="f">The activation with its parameters.</param>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input; not read, and may be empty, when <see cref="IActivation.BackwardUsesInput"/> is false.</param>
    /// <param name="y">The output.</param>
    /// <param name="dx">The gradient of the input, at least as long as <paramref name="dy"/>; may be the same span as
    /// <paramref name="dy"/>.</param>
    /// <param name="context">The threads to use, or null for the calling thread only.</param>
    /// <exception cref="ArgumentException">Lengths differ, or <paramref name="dx"/> is too short or overlaps an input at another start.</exception>
    public static void Backward<T, TActivation>(
        in TActivation f, ReadOnlySpan<T> dy, ReadOnlySpan<T> x, ReadOnlySpan<T> y, Destination<T> dx, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        if (!dx.IsWanted)
            return;
        SpanGuard.SameLength(dy.Length, y.Length);
        SpanGuard.AtLeast(dy.Length, dx.Span.Length);
        var used = dx.Span[..dy.Length];
        SpanGuard.SameStartOrDisjoint(dy, used, nameof(dx));
        SpanGuard.SameStartOrDisjoint(y, used, nameof(dx));
        if (f.BackwardUsesInput)
        {
            SpanGuard.SameLength(dy.Length, x.Length);
            SpanGuard.SameStartOrDisjoint(x, used, nameof(dx));
            Map.Ternary(new BackwardOperator<T, TActivation>(f), dy, x, y, dx, Cost, context);
        }
        else
        {
            Map.Binary(new OutputBackwardOperator<T, TActivation>(f), dy, y, dx, Cost, context);
        }
    }

    internal readonly struct ForwardOperator<T, TActivation>(TActivation f) : IUnaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        public static bool IsShort => TActivation.IsShort;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => f.Forward(x);
    }

    internal readonly struct BackwardOperator<T, TActivation>(TActivation f) : ITernaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => f.Backward(x, y, z);
    }

    internal readonly struct OutputBackwardOperator<T, TActivation>(TActivation f) : IBinaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TActivation : struct, IActivation
    {
        public static bool IsShort => TActivation.IsShort;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => f.Backward(x, y, y);
    }
}
