using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.InteropServices;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Elements of a dimension by their indices, and sums of elements into places by their indices: each the gradient of the other.</summary>
/// <remarks>
/// <para>An array is [groups, outer, length, inner]: the dimension is the third. Indices are [batch, count]. There are as many groups as
/// rows of the batch, or one group, which all rows share.</para>
/// <para>What meets in one place is added in the order of the batch: up to 128 terms one after the other, more in such blocks, whose sums
/// meet pairwise. A context shares large work out over its threads; null runs on the caller. The bits are the same either way.</para>
/// <para>An index outside the dimension throws, naming row and value, before anything is written.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static partial class Indexing
{
    /// <summary>Nanoseconds per element, and per index.</summary>
    private const double Cost = 0.3, IndexCost = 5;

    /// <summary>y[b, o, k, i] = x[b, o, indices[b, k], i], or y += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The array, [groups, outer, length, inner].</param>
    /// <param name="indices">The indices, [batch, count].</param>
    /// <param name="count">The indices of a row, 1 or more.</param>
    /// <param name="y">The result, [batch, outer, count, inner].</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">An index is outside the dimension, a size does not suit the others, or y overlaps x.</exception>
    public static void Gather<T>(ShapedSpan<T> x, ReadOnlySpan<int> indices, int count, Destination<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!y.IsWanted)
            return;
        SpanGuard.Supported<T>();
        var shape = new IndexedShape(x.Sizes, indices.Length, count, isByElement: false, nameof(x));
        SpanGuard.SameLength(shape.Results, y.Span.Length, nameof(y));
        SpanGuard.Disjoint<T>(x.Values, y.Span, nameof(y));
        SpanGuard.Apart<int, T>(indices, y.Span, nameof(y));
        Embeddings.Check(indices, count, shape.Length);
        var body = new GatherBody<T>(x.Values, indices, shape, y);
        Run(shape.Batch * shape.Outer, shape.Count * (shape.Inner * Cost + IndexCost), in body, context);
    }

    /// <summary>x[b, o, indices[b, k], i] = the sum of dy[b, o, k, i] over all k, or x += it; 0 where there is no such index.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The terms, [batch, outer, count, inner].</param>
    /// <param name="indices">The indices, [batch, count].</param>
    /// <param name="shape">The shape of x, [groups, outer, length, inner].</param>
    /// <param name="x">The sums.</param>
    /// <param name="order">Room for two integers per index; it may be empty where no group has more than 128 indices.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">An index is outside the dimension, a size does not suit the others, or spans overlap.</exception>
    public static void ScatterAdd<T>(ShapedSpan<T> dy, ReadOnlySpan<int> indices, ReadOnlySpan<int> shape, Destination<T> x, Span<int> order,
        ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!x.IsWanted)
            return;
        SpanGuard.Supported<T>();
        if (dy.Rank != 4)
            throw new ArgumentException($"'dy' must be [batch, outer, count, inner]; it is {dy.ToString()}.", nameof(dy));
        var sizes = new IndexedShape(shape, indices.Length, Math.Max(1, dy[2]), isByElement: false, nameof(shape));
        if (dy[2] == 0 || dy[0] != sizes.Batch || dy[1] != sizes.Outer || dy[3] != sizes.Inner)
        {
            throw new ArgumentException(
                $"'dy' of {indices.Length} indices into {ShapeSizes.Text(shape)} must be [batch, outer, count, inner]; it is {dy.ToString()}.", nameof(dy));
        }

        SpanGuard.SameLength(sizes.Elements, x.Span.Length, nameof(x));
        SpanGuard.Disjoint<T>(dy.Values, x.Span, nameof(x));
        SpanGuard.Apart<int, T>(indices, x.Span, nameof(x));
        Embeddings.Check(indices, dy[2], sizes.Length);
        var keys = Span<ulong>.Empty;
        if (sizes.IndicesOfGroup > BlockSums.Rows)
        {
            SpanGuard.AtLeast((int)Math.Min(int.MaxValue, 2L * indices.Length), order.Length, nameof(order));
            SpanGuard.Apart<int, int>(indices, order, nameof(order));
            SpanGuard.Apart<T, int>(x.Span, order, nameof(order));
            SpanGuard.Apart<T, int>(dy.Values, order, nameof(order));
            keys = MemoryMarshal.Cast<int, ulong>(order)[..indices.Length];
            var sort = new OrderBody(indices, keys, sizes.IndicesOfGroup);
            Run(sizes.Groups, sizes.IndicesOfGroup * 4 * IndexCost, in sort, context);
        }

        var body = new SimdRange<T, ScatterBody<T>>(new(dy.Values, indices, sizes, x, keys), SimdWidth.Widest);
        if (context is null)
            body.Execute(0, sizes.Groups * sizes.Outer * sizes.Inner);
        else
            context.For(sizes.Groups * sizes.Outer * sizes.Inner, 16, dy.Elements * Cost + indices.Length * sizes.Outer * IndexCost, in body);
    }

    /// <summary>y[b, o, k, i] = x[b, o, indices[b, o, k, i], i], or y += it: PyTorch's <c>gather</c>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The array, [groups, outer, length, inner].</param>
    /// <param name="indices">The indices, [batch, outer, count, inner].</param>
    /// <param name="count">Their size along the dimension, 1 or more.</param>
    /// <param name="y">The result, as many numbers as indices.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">An index is outside the dimension, a size does not suit the others, or y overlaps x.</exception>
    public static void GatherElements<T>(ShapedSpan<T> x, ReadOnlySpan<int> indices, int count, Destination<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!y.IsWanted)
            return;
        SpanGuard.Supported<T>();
        var shape = new IndexedShape(x.Sizes, indices.Length, count, isByElement: true, nameof(x));
        SpanGuard.SameLength(indices.Length, y.Span.Length, nameof(y));
        SpanGuard.Disjoint<T>(x.Values, y.Span, nameof(y));
        SpanGuard.Apart<int, T>(indices, y.Span, nameof(y));
        Embeddings.Check(indices, shape.IndicesOfRow, shape.Length);
        var body = new ElementsBody<T>(x.Values, indices, shape, y);
        Run(shape.Batch * shape.Outer * shape.Count, shape.Inner * IndexCost, in body, context);
    }

    /// <summary>x[b, o, indices[b, o, k, i], i] = the sum of dy[b, o, k, i] over all k, or x += it; 0 where there is no such index.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The terms, as many as indices.</param>
    /// <param name="indices">The indices, [batch, outer, count, inner].</param>
    /// <param name="count">Their size along the dimension, 1 or more.</param>
    /// <param name="shape">The shape of x, [groups, outer, length, inner].</param>
    /// <param name="x">The sums.</param>
    /// <param name="order">Room for three integers per index.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">An index is outside the dimension, a size does not suit the others, or spans overlap.</exception>
    public static void ScatterAddElements<T>(ReadOnlySpan<T> dy, ReadOnlySpan<int> indices, int count, ReadOnlySpan<int> shape, Destination<T> x,
        Span<int> order, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!x.IsWanted)
            return;
        SpanGuard.Supported<T>();
        var sizes = new IndexedShape(shape, indices.Length, count, isByElement: true, nameof(shape));
        SpanGuard.SameLength(indices.Length, dy.Length);
        SpanGuard.SameLength(sizes.Elements, x.Span.Length, nameof(x));
        SpanGuard.AtLeast((int)Math.Min(int.MaxValue, 3L * indices.Length), order.Length, nameof(order));
        SpanGuard.Apart<int, int>(indices, order, nameof(order));
        SpanGuard.Apart<T, int>(x.Span, order, nameof(order));
        SpanGuard.Apart<T, int>(dy, order, nameof(order));
        Embeddings.Check(indices, sizes.IndicesOfRow, sizes.Length);
        if (indices.IsEmpty)
        {
            if (!x.Adds)
                x.Span.Clear();
            return;
        }

        // The place of each element in its group: an index into an array of one dimension.
        var places = order.Slice(2 * indices.Length, indices.Length);
        for (var n = 0; n < indices.Length; n++)
        {
            var index = Below(indices[n], sizes.Length);
            places[n] = (n / (sizes.Count * sizes.Inner) % sizes.Outer * sizes.Length + index) * sizes.Inner + n % sizes.Inner;
        }

        ScatterAdd(new ShapedSpan<T>(dy, sizes.Batch, 1, sizes.IndicesOfRow, 1), places, [sizes.Groups, 1, sizes.Outer * sizes.Length * sizes.Inner, 1], x,
            order[..(2 * indices.Length)], context);
    }

    /// <summary>The scratch of each thread, in bytes.</summary>
    internal static long ThreadBytes(int inner) => RowsUpdate<double>.ThreadBytes(inner);

    private static void Run<TBody>(int items, double nanoseconds, in TBody body, ComputeContext? context)
        where TBody : struct, IRangeBody, allows ref struct
    {
        if (context is null)
            body.Execute(0, items);
        else
            context.For(items, 1, items * nanoseconds, in body);
    }

    /// <summary>A number that becomes an offset: the caller's memory may change while it is read.</summary>
    private static int Below(int index, int count)
    {
        if ((uint)index >= (uint)count)
            ThrowChanged(index, count);
        return index;
    }

    [DoesNotReturn]
    private static void ThrowChanged(int index, int count) =>
        throw new ArgumentException($"An index changed to {index} while it was read; it must stay in [0, {count}).", "indices");
}

/// <summary>The sizes of an array and of the indices into it.</summary>
internal readonly struct IndexedShape
{
    public IndexedShape(ReadOnlySpan<int> x, int indices, int count, bool isByElement, string name)
    {
        if (x.Length != 4 || ShapeSizes.Elements(x) > int.MaxValue)
            throw new ArgumentException($"'{name}' must be [groups, outer, length, inner] of an array; it is {ShapeSizes.Text(x)}.", name);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        (Groups, Outer, Length, Inner, Count) = (x[0], x[1], x[2], x[3], count);
        var ofRow = isByElement ? (long)count * Outer * Inner : count;
        Batch = ofRow == 0 ? 0 : (int)(indices / ofRow);
        IndicesOfRow = (int)Math.Min(ofRow, int.MaxValue);
        if (Batch * ofRow != indices || Groups != 1 && Groups != Batch || (long)Batch * Outer * count * Inner > int.MaxValue)
        {
            throw new ArgumentException($"{indices} indices, {ofRow} in a row, are not those of the groups of {ShapeSizes.Text(x)}: as many rows as groups, "
                + "or one group.", nameof(indices));
        }
    }

    public int Groups { get; }

    public int Outer { get; }

    public int Length { get; }

    public int Inner { get; }

    public int Batch { get; }

    public int Count { get; }

    public int IndicesOfRow { get; }

    public int IndicesOfGroup => Groups == 1 ? Batch * IndicesOfRow : IndicesOfRow;

    public int Elements => Groups * Outer * Length * Inner;

    public int Results => Batch * Outer * Count * Inner;

    /// <summary>The group of a row of the batch.</summary>
    public int Group(int row) => Groups == 1 ? 0 : row;
}
