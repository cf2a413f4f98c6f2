using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <content>The place of the largest number.</content>
public static partial class AxisReductions
{
    /// <summary>y[o, i] = the index j of the largest x[o, j, i], as a number. Of equal numbers the first counts; the first NaN counts as
    /// the largest.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The numbers, [outer, length, inner].</param>
    /// <param name="outer">The size before the dimension that is searched.</param>
    /// <param name="length">The size of that dimension, 1 or more.</param>
    /// <param name="inner">The size behind it.</param>
    /// <param name="y">The indices, [outer, inner].</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">A size is negative, x or y has another length, or they overlap.</exception>
    public static void ArgMax<T>(ReadOnlySpan<T> x, int outer, int length, int inner, Span<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        ArgumentOutOfRangeException.ThrowIfNegative(outer);
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(inner);
        if (ShapeSizes.Elements([outer, length, inner]) != x.Length)
            throw new ArgumentException($"'x' must hold [{outer}, {length}, {inner}] elements; it has {x.Length}.", nameof(x));
        SpanGuard.SameLength(outer * inner, y.Length);
        SpanGuard.Disjoint<T>(x, y);
        var body = new ArgMaxBody<T>(x, length, inner, y);
        if (context is null)
            body.Execute(0, y.Length);
        else
            context.For(y.Length, RowMajor.Granularity(length), x.Length, in body);
    }

    private readonly ref struct ArgMaxBody<T>(ReadOnlySpan<T> x, int length, int inner, Span<T> y) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<T> _y = y;

        public void Execute(int start, int limit)
        {
            for (var i = start; i < limit; i++)
            {
                var at = i / inner * length * inner + i % inner;
                var (largest, place) = (_x[at], 0);
                for (var j = 1; j < length && !T.IsNaN(largest); j++)
                {
                    var value = _x[at + j * inner];
                    if (!(value <= largest))
                        (largest, place) = (value, j);
                }

                _y[i] = T.CreateTruncating(place);
            }
        }
    }
}
