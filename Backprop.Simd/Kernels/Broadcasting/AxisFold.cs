using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Makes one number of many: a sum, a maximum, a minimum. The order of operations follows from the shape alone.</summary>
internal unsafe interface IAxisFold<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Of the elements of a row.</summary>
    static abstract T Row(ReadOnlySpan<T> x);

    /// <summary>Of each column: y[j] of x[i, j]. A fold that is a sum adds to y. No element from <paramref name="end"/> on is read.</summary>
    static abstract void Columns<TVector>(T* x, nint rows, nint stride, int columns, T* end, T* y) where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>What does not depend on the element type.</summary>
internal static class AxisFold
{
    /// <summary>The scratch for a fold of so many elements over several levels: at most half of them for a first result, and half of
    /// those for the next. A whole number of elements for each, so that the scratch of a batch is enough for all its rows.</summary>
    public static long Scratch(long elements) => elements;
}

/// <summary>Folds one dimension, or all dimensions along which an operand stays.</summary>
internal static unsafe class AxisFold<T, TFold>
    where T : unmanaged, IFloatingPointIeee754<T>
    where TFold : struct, IAxisFold<T>
{
    private const double Cost = 0.1;

    /// <summary>Folds each element of the destination over the elements of x that are broadcast from it.</summary>
    /// <param name="x">The elements of the result of the broadcast.</param>
    /// <param name="layout">Where the destination lies in them.</param>
    /// <param name="destination">As many elements as the layout moves over.</param>
    /// <param name="scratch">See <see cref="AxisFold.Scratch"/>.</param>
    /// <param name="context">The threads; null for the caller alone.</param>
    public static void Run(ReadOnlySpan<T> x, BroadcastLayout layout, Destination<T> destination, Span<T> scratch, ComputeContext? context)
    {
        if (!destination.IsWanted)
            return;
        if (x.IsEmpty)
        {
            if (!destination.Adds)
                destination.Span.Clear();
            return;
        }

        if (layout.IsWhole)
        {
            Store(x, destination, context);
            return;
        }

        var half = x.Length / 2;
        for (var isFirst = true; ; isFirst = !isFirst)
        {
            layout = layout.Reduced(x.Length, out var axis);
            if (layout.IsWhole)
            {
                Run(x, axis, destination, context);
                return;
            }

            var part = isFirst ? scratch[..axis.Reduced] : scratch.Slice(half, axis.Reduced);
            Run(x, axis, part, context);
            x = part;
        }
    }

    /// <summary>Folds the middle dimension.</summary>
    public static void Run(ReadOnlySpan<T> x, AxisShape shape, Destination<T> destination, ComputeContext? context)
    {
        var y = destination.Span[..shape.Reduced];
        if (shape.Inner > 1 && !destination.Adds)
            y.Clear();
        var body = new SimdRange<T, Body>(new(x, shape, y, destination.Adds), SimdWidth.Widest);
        if (context is null)
            body.Execute(0, y.Length);
        else
            context.For(y.Length, shape.Inner == 1 ? RowMajor.Granularity(shape.Length) : 4 * Vector<T>.Count, Cost * shape.Size, in body);
    }

    private static void Store(ReadOnlySpan<T> x, Destination<T> destination, ComputeContext? context)
    {
        if (destination.Adds)
            Elementwise.Add(x, destination.Span, destination.Span, context);
        else
            x.CopyTo(destination.Span);
    }

    private readonly ref struct Body(ReadOnlySpan<T> x, AxisShape shape, Span<T> y, bool adds) : ISimdRangeBody<T>
    {
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<T> _y = y;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            if (shape.Inner == 1)
            {
                for (var row = start; row < limit; row++)
                {
                    var value = TFold.Row(_x.Slice(row * shape.Length, shape.Length));
                    _y[row] = adds ? _y[row] + value : value;
                }

                return;
            }

            fixed (T* x = _x, y = _y)
            {
                while (start < limit)
                {
                    var (outer, column) = Math.DivRem(start, shape.Inner);
                    var columns = Math.Min(shape.Inner - column, limit - start);
                    var first = x + (nint)outer * shape.Length * shape.Inner + column;
                    TFold.Columns<TVector>(first, shape.Length, shape.Inner, columns, x + _x.Length, y + start);
                    start += columns;
                }
            }
        }
    }
}

/// <summary>A sum: along a row as <see cref="Reductions.Sum"/>, down columns in the order of <see cref="BlockSums"/>.</summary>
internal readonly unsafe struct SumFold<T> : IAxisFold<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Row(ReadOnlySpan<T> x) => Reductions.Sum(x);

    public static void Columns<TVector>(T* x, nint rows, nint stride, int columns, T* end, T* y) where TVector : unmanaged, ISimdVector<TVector, T> =>
        ColumnLoops.Add<TVector, T>(x, rows, stride, columns, end, y);
}

/// <summary>The largest element; NaN if any is NaN.</summary>
internal readonly unsafe struct MaxFold<T> : IAxisFold<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Row(ReadOnlySpan<T> x) => Reductions.Max(x);

    public static void Columns<TVector>(T* x, nint rows, nint stride, int columns, T* end, T* y) where TVector : unmanaged, ISimdVector<TVector, T> =>
        ExtremeLoops.Columns<TVector, T, Larger>(x, rows, stride, columns, y);

    private readonly struct Larger : ExtremeLoops.IOrder<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Precedes<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => x > y;
    }
}

/// <summary>The smallest element; NaN if any is NaN.</summary>
internal readonly unsafe struct MinFold<T> : IAxisFold<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    public static T Row(ReadOnlySpan<T> x) => -ReductionLoops.Max(default(ReductionLoops.Negative<T>), x);

    public static void Columns<TVector>(T* x, nint rows, nint stride, int columns, T* end, T* y) where TVector : unmanaged, ISimdVector<TVector, T> =>
        ExtremeLoops.Columns<TVector, T, Smaller>(x, rows, stride, columns, y);

    private readonly struct Smaller : ExtremeLoops.IOrder<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static TVector Precedes<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T> => x < y;
    }
}

/// <summary>The extreme of each column.</summary>
internal static unsafe class ExtremeLoops
{
    /// <summary>Which of two elements is more extreme.</summary>
    internal interface IOrder<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        static abstract TVector Precedes<TVector>(TVector x, TVector y) where TVector : unmanaged, ISimdVector<TVector, T>;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    public static void Columns<TVector, T, TOrder>(T* x, nint rows, nint stride, int columns, T* y)
        where TVector : unmanaged, ISimdVector<TVector, T>
        where T : unmanaged, IFloatingPointIeee754<T>
        where TOrder : struct, IOrder<T>
    {
        var isNarrow = columns < TVector.Count;
        for (var column = 0; column < columns; column += TVector.Count)
        {
            // The last register overlaps the one before. Fewer columns than a register go through padded ones.
            var at = isNarrow ? 0 : Math.Min(column, columns - TVector.Count);
            var from = x + at;
            var extreme = isNarrow ? MapLoops.LoadPadded<TVector, T>(from, columns) : TVector.Load(from);
            for (nint row = 1; row < rows; row++)
            {
                from += stride;
                var value = isNarrow ? MapLoops.LoadPadded<TVector, T>(from, columns) : TVector.Load(from);
                extreme = TVector.Select(TOrder.Precedes(value, extreme) | TVector.IsNaN(value), value, extreme);
            }

            if (isNarrow)
                new ReadOnlySpan<T>(&extreme, columns).CopyTo(new Span<T>(y, columns));
            else
                TVector.Store(y + at, extreme);
        }
    }
}
