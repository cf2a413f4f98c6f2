using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <content>The largest and smallest elements, in order.</content>
public static partial class AxisScans
{
    /// <summary>The largest or smallest elements along a dimension, the first of all in front; with as many as there are, a stable sort. Of equal
    /// elements the one of the lower index comes first; NaN is the largest of all numbers.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The array.</param>
    /// <param name="axis">The dimension, from 0.</param>
    /// <param name="count">How many, from 1 to the size of the dimension.</param>
    /// <param name="largest">True for the largest, in descending order; false for the smallest, in ascending order.</param>
    /// <param name="values">The elements, in x's shape with <paramref name="count"/> along the dimension.</param>
    /// <param name="places">Their indices in the dimension, as numbers.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">x has no such dimension, there are not as many elements, a length is wrong, or spans overlap.</exception>
    public static void TopK<T>(ShapedSpan<T> x, int axis, int count, bool largest, Span<T> values, Span<T> places, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        var shape = ShapeOf(x.Sizes, axis);
        if (count < 1 || count > shape.Length)
            throw new ArgumentOutOfRangeException(nameof(count), count, $"Dimension {axis} of {x.ToString()} has 1 to {shape.Length} elements to take.");
        SpanGuard.SameLength(shape.Reduced * count, values.Length);
        SpanGuard.SameLength(shape.Reduced * count, places.Length);
        SpanGuard.Disjoint<T>(x.Values, values);
        SpanGuard.Disjoint<T>(x.Values, places);
        SpanGuard.Disjoint<T>(values, places);
        var body = new TopKBody<T>(x.Values, shape, count, largest, values, places);
        if (context is null)
            body.Execute(0, shape.Reduced);
        else
            context.For(shape.Reduced, 1, shape.Size * (2 + 2.0 * BitOperations.Log2((uint)count)), in body);
    }

    /// <summary>The gradient of <see cref="TopK"/> by its values: dx = dy where an element was taken, else 0; or dx += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The gradient of the values.</param>
    /// <param name="places">Their indices.</param>
    /// <param name="shape">The shape of x.</param>
    /// <param name="axis">The dimension, from 0.</param>
    /// <param name="dx">The gradient of x.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">x has no such dimension, an index is no integer or outside it, a length is wrong, or spans overlap.</exception>
    public static void TopKGradient<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> places, ReadOnlySpan<int> shape, int axis, Destination<T> dx,
        ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        SpanGuard.Supported<T>();
        var elements = ShapeSizes.Elements(shape);
        var sizes = ShapeOf(shape, axis);
        SpanGuard.SameLength((int)Math.Min(int.MaxValue, elements), dx.Span.Length, nameof(dx));
        SpanGuard.SameLength(dy.Length, places.Length);
        if (sizes.Reduced == 0 ? dy.Length != 0 : dy.Length % sizes.Reduced != 0)
            throw new ArgumentException($"'dy' must have as many numbers for each of {sizes.Reduced} places; it has {dy.Length} in all.", nameof(dy));
        SpanGuard.Disjoint<T>(dy, dx.Span, nameof(dx));
        SpanGuard.Disjoint<T>(places, dx.Span, nameof(dx));
        if (sizes.Reduced == 0)
            return;
        var body = new PutBody<T>(dy, places, sizes, dy.Length / sizes.Reduced, dx);
        if (context is null)
            body.Execute(0, sizes.Outer);
        else
            context.For(sizes.Outer, 1, sizes.Size * 0.2 + dy.Length * 2.0, in body);
    }

    /// <summary>So many are kept in order while the elements go by; more are sorted at the end.</summary>
    private const int ShortList = 64;

    /// <summary>The scratch of each thread, in bytes.</summary>
    internal static long ThreadBytes(int length) => length * (long)Unsafe.SizeOf<UInt128>();

    private readonly ref struct TopKBody<T>(ReadOnlySpan<T> x, AxisShape shape, int count, bool largest, Span<T> values, Span<T> places) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<T> _values = values, _places = places;

        public void Execute(int start, int limit)
        {
            for (var i = start; i < limit; i++)
            {
                var (outer, column) = Math.DivRem(i, shape.Inner);
                int from = outer * shape.Length * shape.Inner + column, to = outer * count * shape.Inner + column;
                if (typeof(T) == typeof(float))
                    Take<ulong>(from, to);
                else
                    Take<UInt128>(from, to);
            }
        }

        private void Take<TKey>(int from, int to) where TKey : unmanaged, IBinaryInteger<TKey>
        {
            var keys = KernelScratch.Get<TKey>(shape.Length);
            var isShort = count <= Math.Min(ShortList, shape.Length / 4);
            var first = isShort ? count : shape.Length;
            for (var j = 0; j < first; j++)
                keys[j] = Key<TKey>(from, j);
            KeySort.Smallest(keys[..first], count);
            if (isShort)
                TakeRest(from, keys[..count]);
            for (var k = 0; k < count; k++)
                Put(from, to + k * shape.Inner, int.CreateTruncating(keys[k]));
        }

        /// <summary>Goes on behind the first elements, whose keys are sorted: what is better than the worst is put where it belongs.</summary>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private void TakeRest<TKey>(int from, Span<TKey> keys) where TKey : unmanaged, IBinaryInteger<TKey>
        {
            var bound = new Vector<T>(_x[from + int.CreateTruncating(keys[^1]) * shape.Inner]);
            for (var j = count; j < shape.Length; j++)
            {
                if (shape.Inner == 1 && shape.Length - j >= Vector<T>.Count)
                {
                    // The next element that may be better. Comparing says nothing of NaN: its key decides.
                    var x = new Vector<T>(_x[(from + j)..]);
                    if (largest ? Vector.LessThanOrEqualAll(x, bound) : Vector.GreaterThanOrEqualAll(x, bound))
                    {
                        j += Vector<T>.Count - 1;
                        continue;
                    }

                    var worse = largest ? Vector.LessThanOrEqual(x, bound) : Vector.GreaterThanOrEqual(x, bound);
                    j += Vector.IndexOfWhereAllBitsSet(Vector.OnesComplement(worse));
                }

                var key = Key<TKey>(from, j);
                if (key >= keys[^1])
                    continue;
                var at = count - 1;
                for (; at > 0 && keys[at - 1] > key; at--)
                    keys[at] = keys[at - 1];
                keys[at] = key;
                bound = new Vector<T>(_x[from + int.CreateTruncating(keys[^1]) * shape.Inner]);
            }
        }

        /// <summary>An integer that sorts as wanted: by the number, then by the index.</summary>
        private TKey Key<TKey>(int from, int j) where TKey : unmanaged, IBinaryInteger<TKey>
        {
            if (typeof(T) == typeof(float))
            {
                var value = float.CreateTruncating(_x[from + j * shape.Inner]);
                var bits = value == 0 ? 0 : BitConverter.SingleToUInt32Bits(value);
                var key = float.IsNaN(value) ? uint.MaxValue : (int)bits < 0 ? ~bits : bits | 1u << 31;
                return Unsafe.BitCast<ulong, TKey>((ulong)(largest ? ~key : key) << 32 | (uint)j);
            }
            else
            {
                var value = double.CreateTruncating(_x[from + j * shape.Inner]);
                var bits = value == 0 ? 0 : BitConverter.DoubleToUInt64Bits(value);
                var key = double.IsNaN(value) ? ulong.MaxValue : (long)bits < 0 ? ~bits : bits | 1ul << 63;
                return Unsafe.BitCast<UInt128, TKey>(new UInt128(largest ? ~key : key, (uint)j));
            }
        }

        private void Put(int from, int to, int place)
        {
            _values[to] = _x[from + place * shape.Inner];
            _places[to] = T.CreateTruncating(place);
        }
    }

    private readonly ref struct PutBody<T>(ReadOnlySpan<T> dy, ReadOnlySpan<T> places, AxisShape shape, int count, Destination<T> dx) : IRangeBody
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy, _places = places;
        private readonly Destination<T> _dx = dx;

        public void Execute(int start, int limit)
        {
            for (var outer = start; outer < limit; outer++)
            {
                var dx = _dx.Span.Slice(outer * shape.Length * shape.Inner, shape.Length * shape.Inner);
                if (!_dx.Adds)
                    dx.Clear();
                var first = outer * count * shape.Inner;
                for (var i = 0; i < count * shape.Inner; i++)
                {
                    var index = _places[first + i];
                    var place = int.CreateSaturating(index);
                    if ((uint)place >= (uint)shape.Length || T.CreateTruncating(place) != index)
                        throw new ArgumentException($"Indices are integers in [0, {shape.Length}); one is {index}.", nameof(places));
                    dx[place * shape.Inner + i % shape.Inner] += _dy[first + i];
                }
            }
        }
    }
}
