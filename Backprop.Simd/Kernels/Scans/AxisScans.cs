using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Prefix sums and the largest elements along a dimension of an array, with their gradients.</summary>
/// <remarks>
/// <para>A context shares large work out over its threads; null runs on the caller. The bits are the same either way.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static partial class AxisScans
{
    /// <summary>Nanoseconds per element.</summary>
    private const double SumCost = 0.5;

    /// <summary>Terms after which what was rounded off is put into the sum: this bounds the rounding of the rest itself.</summary>
    private const int Renewal = 16;

    /// <summary>y[j] = the sum of x up to and with element j of a dimension, or y += it: NumPy's <c>cumsum</c>. The gradient is the sum the
    /// other way round.</summary>
    /// <remarks>What each addition rounds off is summed beside the sum, so that up to 2^20 terms
    /// have an error of about one rounding of the sum of their sizes.</remarks>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The array.</param>
    /// <param name="axis">The dimension, from 0.</param>
    /// <param name="exclusive">True to leave element j itself out.</param>
    /// <param name="reverse">True to sum from the last element on.</param>
    /// <param name="y">The sums, as long as x.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">x has no such dimension, or y has another length or overlaps x. It may be x where it is
    /// overwritten.</exception>
    public static void CumulativeSum<T>(ShapedSpan<T> x, int axis, bool exclusive, bool reverse, Destination<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!y.IsWanted)
            return;
        SpanGuard.Supported<T>();
        var shape = ShapeOf(x.Sizes, axis);
        SpanGuard.SameLength(x.Elements, y.Span.Length, nameof(y));
        if (y.Adds)
            SpanGuard.Disjoint<T>(x.Values, y.Span, nameof(y));
        else
            SpanGuard.SameStartOrDisjoint<T>(x.Values, y.Span, nameof(y));
        if (x.Elements == 0)
            return;
        var body = new SimdRange<T, SumBody<T>>(new(x.Values, shape, exclusive, reverse, y), SimdWidth.Widest);
        if (context is null)
            body.Execute(0, shape.Reduced);
        else
            context.For(shape.Reduced, 4 * Vector<T>.Count, shape.Size * SumCost, in body);
    }

    private static AxisShape ShapeOf(ReadOnlySpan<int> sizes, int axis)
    {
        if ((uint)axis >= (uint)sizes.Length)
            throw new ArgumentOutOfRangeException(nameof(axis), axis, $"The dimensions of {ShapeSizes.Text(sizes)} are 0 to {sizes.Length - 1}.");
        int outer = 1, inner = 1;
        for (var d = 0; d < sizes.Length; d++)
        {
            outer *= d < axis ? sizes[d] : 1;
            inner *= d > axis ? sizes[d] : 1;
        }

        return new(outer, sizes[axis], inner);
    }

    private readonly unsafe ref struct SumBody<T>(ReadOnlySpan<T> x, AxisShape shape, bool exclusive, bool reverse, Destination<T> y) : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Destination<T> _y = y;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            var step = reverse ? -(nint)shape.Inner : shape.Inner;
            var tile = stackalloc T[Renewal * Vector512<byte>.Count / sizeof(T)];
            fixed (T* x = _x, y = _y.Span)
            {
                while (start < limit)
                {
                    var (outer, column) = Math.DivRem(start, shape.Inner);
                    var first = (nint)outer * shape.Length * shape.Inner + column + (reverse ? (nint)(shape.Length - 1) * shape.Inner : 0);
                    if (shape.Inner - column >= TVector.Count && limit - start >= TVector.Count)
                    {
                        Run<TVector>(x + first, y + first, step);
                        start += TVector.Count;
                        continue;
                    }

                    if (shape.Inner == 1 && limit - start >= TVector.Count)
                    {
                        RunRows<TVector>(x + (nint)start * shape.Length, y + (nint)start * shape.Length, tile);
                        start += TVector.Count;
                        continue;
                    }

                    Run(x + first, y + first, step);
                    start++;
                }
            }
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void Run<TVector>(T* x, T* y, nint step) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            TVector sum = TVector.Zero, rest = TVector.Zero;
            for (var j = 0; j < shape.Length; j += Renewal)
            {
                var terms = Math.Min(Renewal, shape.Length - j);
                Sum(x, y, step, terms, ref sum, ref rest, _y.Adds);
                x += terms * step;
                y += terms * step;
            }
        }

        /// <summary>As many rows as a vector has elements: pieces of them are transposed, summed side by side, and transposed back.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void RunRows<TVector>(T* x, T* y, T* tile) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            TVector sum = TVector.Zero, rest = TVector.Zero;
            var rows = TVector.Count;
            for (var j = 0; j < shape.Length; j += Renewal)
            {
                var terms = Math.Min(Renewal, shape.Length - j);
                nint from = reverse ? shape.Length - j - terms : j, first = reverse ? (terms - 1) * rows : 0;
                Transposition.Run(x + from, shape.Length, rows, terms, tile, rows);
                Sum(tile + first, tile + first, reverse ? -rows : rows, terms, ref sum, ref rest, adds: false);
                if (!_y.Adds)
                {
                    Transposition.Run(tile, rows, terms, rows, y + from, shape.Length);
                    continue;
                }

                for (var row = 0; row < rows; row++)
                {
                    for (var term = 0; term < terms; term++)
                        y[row * (nint)shape.Length + from + term] += tile[term * rows + row];
                }
            }
        }

        /// <summary>The sums of some terms; behind the last of a full piece the rest is put into the sum.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private void Sum<TVector>(T* x, T* y, nint step, int terms, ref TVector sum, ref TVector rest, bool adds)
            where TVector : unmanaged, ISimdVector<TVector, T>
        {
            for (var j = 0; j < terms; j++, x += step, y += step)
            {
                var value = TVector.Load(x);
                if (exclusive)
                    Store(y, sum, rest, adds);
                var next = sum + value;
                var added = next - sum;
                rest += sum - (next - added) + (value - added);
                sum = next;
                if (!exclusive)
                    Store(y, sum, rest, adds);
            }

            if (terms < Renewal)
                return;
            var total = sum + rest;
            total = TVector.Select(TVector.IsNaN(total), sum, total);
            rest -= total - sum;
            sum = total;
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private static void Store<TVector>(T* y, TVector sum, TVector rest, bool adds) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            // Of infinite sums the rest is NaN.
            var both = sum + rest;
            both = TVector.Select(TVector.IsNaN(both), sum, both);
            TVector.Store(y, adds ? TVector.Load(y) + both : both);
        }

        /// <summary>The same for one column.</summary>
        private void Run(T* x, T* y, nint step)
        {
            T sum = T.Zero, rest = T.Zero;
            for (var j = 0; j < shape.Length; j++, x += step, y += step)
            {
                var value = *x;
                var total = sum + value;
                var added = total - sum;
                var next = rest + (sum - (total - added) + (value - added));
                var both = exclusive ? sum + rest : total + next;
                both = T.IsNaN(both) ? exclusive ? sum : total : both;
                *y = _y.Adds ? *y + both : both;
                (sum, rest) = (total, next);
                if (j % Renewal == Renewal - 1)
                {
                    total = sum + rest;
                    total = T.IsNaN(total) ? sum : total;
                    rest -= total - sum;
                    sum = total;
                }
            }
        }
    }
}
