using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Gated linear units on rows of two halves, [a, b]: one half is the gate of the other.</summary>
/// <remarks>Rows lie one behind the other, without gaps. Threads share the rows; the bits are the same. float and double are supported;
/// any other type throws <see cref="NotSupportedException"/>.</remarks>
public static unsafe class GatedUnits
{
    /// <summary>Nanoseconds per element of a half: one exponential and a quotient.</summary>
    private const double Cost = 0.8;

    /// <summary>y = a sigmoid(b): the second half is the gate.</summary>
    /// <remarks>Dauphin et al., arXiv:1612.08083, section 2, as PyTorch's glu.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">Rows of 2 <paramref name="half"/> elements.</param>
    /// <param name="half">The elements of a half, 1 or more.</param>
    /// <param name="y">Rows of <paramref name="half"/> elements, at least as many; shares no element with <paramref name="x"/>.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="half"/> is below 1.</exception>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not whole rows, or <paramref name="y"/> is too short or overlaps it.</exception>
    public static void Glu<T>(ReadOnlySpan<T> x, int half, Span<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Forward<T, GluUnit<T>>(x, half, y, context);

    /// <summary>The gradient of <see cref="Glu"/>: [dy sigmoid(b), dy a sigmoid(b) sigmoid(-b)], or dx += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The gradient of the output.</param>
    /// <param name="x">The input.</param>
    /// <param name="half">The elements of a half, 1 or more.</param>
    /// <param name="dx">The gradient of the input, at least as long as <paramref name="x"/>; shares no element with the others.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="half"/> is below 1.</exception>
    /// <exception cref="ArgumentException"><paramref name="x"/> is not whole rows, <paramref name="dy"/> has another number of rows, or
    /// <paramref name="dx"/> is too short or overlaps an input.</exception>
    public static void GluBackward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, int half, Destination<T> dx, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Backward<T, GluUnit<T>>(dy, x, half, dx, context);

    /// <summary>y = silu(a) b: the first half is the gate.</summary>
    /// <remarks>Shazeer, arXiv:2002.05202, equation 5, where a = x W and b = x V.</remarks>
    /// <inheritdoc cref="Glu"/>
    public static void SwiGlu<T>(ReadOnlySpan<T> x, int half, Span<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Forward<T, SwiGluUnit<T>>(x, half, y, context);

    /// <summary>The gradient of <see cref="SwiGlu"/>: [dy b silu'(a), dy silu(a)], or dx += it.</summary>
    /// <inheritdoc cref="GluBackward"/>
    public static void SwiGluBackward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, int half, Destination<T> dx, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T> => Backward<T, SwiGluUnit<T>>(dy, x, half, dx, context);

    private static void Forward<T, TUnit>(ReadOnlySpan<T> x, int half, Span<T> y, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TUnit : struct, IGatedUnit<T>
    {
        var rows = Rows(x, half);
        SpanGuard.AtLeast(rows * half, y.Length);
        y = y[..(rows * half)];
        SpanGuard.Disjoint(x, y);
        Run<T, ForwardBody<T, TUnit>>(new(x, half, y), rows, half, context);
    }

    private static void Backward<T, TUnit>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, int half, Destination<T> dx, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TUnit : struct, IGatedUnit<T>
    {
        if (!dx.IsWanted)
            return;
        var rows = Rows(x, half);
        SpanGuard.SameLength(rows * half, dy.Length);
        SpanGuard.AtLeast(x.Length, dx.Span.Length);
        var used = dx.Span[..x.Length];
        SpanGuard.Disjoint(x, used, nameof(dx));
        SpanGuard.Disjoint(dy, used, nameof(dx));
        Run<T, BackwardBody<T, TUnit>>(new(dy, x, half, used, dx.Adds), rows, half, context);
    }

    private static int Rows<T>(ReadOnlySpan<T> x, int half) where T : unmanaged
    {
        SpanGuard.Supported<T>();
        ArgumentOutOfRangeException.ThrowIfLessThan(half, 1);
        if (x.Length % (2L * half) != 0)
            throw new ArgumentException($"'x' must be rows of 2 x {half} elements; it has {x.Length} elements.", nameof(x));
        return (int)(x.Length / (2L * half));
    }

    private static void Run<T, TBody>(TBody body, int rows, int half, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TBody : struct, ISimdRangeBody<T>, allows ref struct
    {
        var range = new SimdRange<T, TBody>(body, RegisterWidth.OfColumns<T>(half, SimdWidth.Widest));
        if (context is not null)
            context.For(rows, RowMajor.Granularity(half), Cost * rows * half, in range);
        else if (rows > 0)
            range.Execute(0, rows);
    }

    private readonly ref struct ForwardBody<T, TUnit>(ReadOnlySpan<T> x, int half, Span<T> y) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TUnit : struct, IGatedUnit<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<T> _y = y;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* px = _x, py = _y)
            {
                for (nint row = start; row < limit; row++)
                {
                    var a = px + 2 * row * half;
                    MapLoops.Binary<TVector, T, Value<T, TUnit>>(default, a, a + half, py + row * half, half);
                }
            }
        }
    }

    private readonly ref struct BackwardBody<T, TUnit>(ReadOnlySpan<T> dy, ReadOnlySpan<T> x, int half, Span<T> dx, bool adds) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TUnit : struct, IGatedUnit<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy, _x = x;
        private readonly Span<T> _dx = dx;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* pdy = _dy, px = _x, pdx = _dx)
            {
                for (nint row = start; row < limit; row++)
                {
                    T* dy = pdy + row * half, a = px + 2 * row * half, b = a + half, da = pdx + 2 * row * half, db = da + half;
                    if (adds)
                    {
                        MapLoops.Quaternary<TVector, T, AddTernary<T, First<T, TUnit>>>(new(default), dy, a, b, da, da, half);
                        MapLoops.Quaternary<TVector, T, AddTernary<T, Second<T, TUnit>>>(new(default), dy, a, b, db, db, half);
                    }
                    else
                    {
                        MapLoops.Ternary<TVector, T, First<T, TUnit>>(default, dy, a, b, da, half);
                        MapLoops.Ternary<TVector, T, Second<T, TUnit>>(default, dy, a, b, db, half);
                    }
                }
            }
        }
    }

    /// <summary>A unit of a and b, and its gradients by both.</summary>
    private interface IGatedUnit<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        static abstract TVector Value<TVector>(TVector a, TVector b) where TVector : unmanaged, ISimdVector<TVector, T>;

        static abstract TVector First<TVector>(TVector dy, TVector a, TVector b) where TVector : unmanaged, ISimdVector<TVector, T>;

        static abstract TVector Second<TVector>(TVector dy, TVector a, TVector b) where TVector : unmanaged, ISimdVector<TVector, T>;
    }

    private readonly struct GluUnit<T> : IGatedUnit<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Value<TVector>(TVector a, TVector b) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Sigmoid(b) * a;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector First<TVector>(TVector dy, TVector a, TVector b) where TVector : unmanaged, ISimdVector<TVector, T> =>
            VectorMath.Sigmoid(b) * dy;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Second<TVector>(TVector dy, TVector a, TVector b) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var slope = VectorMath.Sigmoid(b);
            slope *= VectorMath.Sigmoid(-b);
            return slope * a * dy;
        }
    }

    private readonly struct SwiGluUnit<T> : IGatedUnit<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Value<TVector>(TVector a, TVector b) where TVector : unmanaged, ISimdVector<TVector, T> => VectorMath.Silu(a) * b;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector First<TVector>(TVector dy, TVector a, TVector b) where TVector : unmanaged, ISimdVector<TVector, T> =>
            VectorMath.SiluSlope(a) * b * dy;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Second<TVector>(TVector dy, TVector a, TVector b) where TVector : unmanaged, ISimdVector<TVector, T> =>
            VectorMath.Silu(a) * dy;
    }

    private readonly struct Value<T, TUnit> : IBinaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TUnit : struct, IGatedUnit<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => TUnit.Value(x, y);
    }

    private readonly struct First<T, TUnit> : ITernaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TUnit : struct, IGatedUnit<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => TUnit.First(x, y, z);
    }

    private readonly struct Second<T, TUnit> : ITernaryOperator<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TUnit : struct, IGatedUnit<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z) where TVector : unmanaged, ISimdVector<TVector, T> => TUnit.Second(x, y, z);
    }
}
