using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Affine functions of elements with numbers of a pattern: element i takes number j = i mod the length of the pattern.</summary>
/// <remarks>Patterns have one length of 1 or more, and lie apart from what is written, which may lie over what is read.</remarks>
internal static unsafe class RowScaling
{
    /// <summary>Nanoseconds per element.</summary>
    private const double Cost = 0.15;

    /// <summary>y[i] = (x[i] - offset[j]) factor[j] + shift[j].</summary>
    public static void Normalize<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> offset, ReadOnlySpan<T> factor, ReadOnlySpan<T> shift, Span<T> y,
        ComputeContext? context = null, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Run<T, Normalizing<T>>(x, offset, factor, shift, y, context, width);

    /// <summary>y[i] = x[i] factor[j] + rest[j] + offset[j]: the sum with the small rest is rounded first.</summary>
    public static void Restore<T>(ReadOnlySpan<T> x, ReadOnlySpan<T> factor, ReadOnlySpan<T> rest, ReadOnlySpan<T> offset, Span<T> y,
        ComputeContext? context = null, SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T> =>
        Run<T, Restoring<T>>(x, factor, rest, offset, y, context, width);

    /// <summary>dx[i] = dy[i] factor[j], or dx[i] += it, or nothing.</summary>
    public static void Gradient<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> factor, Destination<T> dx, ComputeContext? context = null,
        SimdWidth width = SimdWidth.Widest)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        if (dx.Adds)
            Run<T, Adding<T>>(dy, factor, factor, dx.Span, dx.Span, context, width);
        else
            Run<T, Multiplying<T>>(dy, factor, factor, factor, dx.Span, context, width);
    }

    /// <summary>y = f(x, a, b, c); c is a pattern too, or y itself.</summary>
    private static void Run<T, TOperator>(ReadOnlySpan<T> x, ReadOnlySpan<T> a, ReadOnlySpan<T> b, ReadOnlySpan<T> c, Span<T> y,
        ComputeContext? context, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IQuaternaryOperator<T>
    {
        SpanGuard.Supported<T>();
        SpanGuard.SameLength(a.Length, b.Length);
        if (!(c == y))
            SpanGuard.SameLength(a.Length, c.Length);
        SpanGuard.SameLength(x.Length, y.Length);
        SpanGuard.SameStartOrDisjoint(x, y);
        if (x.IsEmpty)
            return;
        var rows = (x.Length - 1) / a.Length + 1;
        var body = new SimdRange<T, Body<T, TOperator>>(new(x, a, b, c, y), RegisterWidth.OfColumns<T>(a.Length, width));
        (context ?? ComputeContext.SingleThreaded).For(rows, 1, Cost * x.Length, in body);
    }

    private readonly ref struct Body<T, TOperator>(ReadOnlySpan<T> x, ReadOnlySpan<T> a, ReadOnlySpan<T> b, ReadOnlySpan<T> c, Span<T> y) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOperator : struct, IQuaternaryOperator<T>
    {
        private readonly ReadOnlySpan<T> _x = x, _a = a, _b = b, _c = c;
        private readonly Span<T> _y = y;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var moves = _c == _y;
            fixed (T* x = _x, a = _a, b = _b, c = _c, y = _y)
            {
                for (var row = start; row < limit; row++)
                {
                    var first = (nint)row * _a.Length;
                    var n = Math.Min(_a.Length, _x.Length - first);
                    MapLoops.Quaternary<TVector, T, TOperator>(default, x + first, a, b, moves ? c + first : c, y + first, n);
                }
            }
        }
    }

    private readonly struct Normalizing<T> : IQuaternaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z, TVector w) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.MultiplyAdd(x - y, z, w);
    }

    private readonly struct Restoring<T> : IQuaternaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z, TVector w) where TVector : unmanaged, ISimdVector<TVector, T> =>
            TVector.MultiplyAdd(x, y, z) + w;
    }

    private readonly struct Multiplying<T> : IQuaternaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z, TVector w) where TVector : unmanaged, ISimdVector<TVector, T> => x * y;
    }

    private readonly struct Adding<T> : IQuaternaryOperator<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x, TVector y, TVector z, TVector w) where TVector : unmanaged, ISimdVector<TVector, T> => x * y + w;
    }
}
