using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Arrays of any number of dimensions padded, reversed, repeated, with their gradients.</summary>
/// <remarks>
/// <para>An element that comes to several places has the sum of their gradients, in an order that follows from the shapes alone: up to 128
/// one after the other, more in such blocks. A context shares large work out over its threads; null runs on the caller. The bits are the
/// same either way.</para>
/// <para>float and double are supported; any other type throws <see cref="NotSupportedException"/>.</para>
/// </remarks>
public static partial class Arrays
{
    /// <summary>y = x with numbers around it, as NumPy's <c>pad</c>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The array.</param>
    /// <param name="before">For each dimension, how many places are put before it.</param>
    /// <param name="after">For each dimension, how many places are put behind it.</param>
    /// <param name="mode">What lies there. A mirror takes fewer places than the dimension has; an edge needs an element.</param>
    /// <param name="value">The number, of a constant padding.</param>
    /// <param name="y">The result: as many numbers as the sizes with their padding have.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The amounts do not suit the dimensions, or y has another length or overlaps x.</exception>
    public static void Pad<T>(ShapedSpan<T> x, ReadOnlySpan<int> before, ReadOnlySpan<int> after, PaddingMode mode, T value, Span<T> y,
        ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        var map = Padding(x.Sizes, before, after, mode);
        Check<T>(map, x.Values, y, nameof(y));
        map.Fill(x.Values, y, value, context);
    }

    /// <summary>The gradient of <see cref="Pad"/>: dx = the sum of dy over the places that have an element, or dx += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The gradient of y.</param>
    /// <param name="shape">The shape of x.</param>
    /// <param name="before">For each dimension, how many places were put before it.</param>
    /// <param name="after">For each dimension, how many places were put behind it.</param>
    /// <param name="mode">What lies there.</param>
    /// <param name="dx">The gradient of x.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The amounts do not suit the dimensions, a length is wrong, or dx overlaps dy.</exception>
    public static void PadGradient<T>(ReadOnlySpan<T> dy, ReadOnlySpan<int> shape, ReadOnlySpan<int> before, ReadOnlySpan<int> after,
        PaddingMode mode, Destination<T> dx, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        SpanGuard.Supported<T>();
        var map = Padding(shape, before, after, mode);
        Check(map, dx.Span, dy, nameof(dy));
        map.Sum(dy, dx, context);
    }

    /// <summary>y = x with some dimensions in the reverse order, or y += it: NumPy's <c>flip</c>. Its own gradient.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The array.</param>
    /// <param name="axes">The dimensions, each once, from 0.</param>
    /// <param name="y">The result, as long as x.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">x has no such dimension, one is named twice, or y has another length or overlaps x.</exception>
    public static void Reverse<T>(ShapedSpan<T> x, ReadOnlySpan<int> axes, Destination<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!y.IsWanted)
            return;
        SpanGuard.Supported<T>();
        var seen = 0;
        foreach (var axis in axes)
        {
            if ((uint)axis >= (uint)x.Rank || (seen & 1 << axis) != 0)
                throw new ArgumentException($"'axes' must be dimensions of {x.ToString()}, each once; they are {ShapeSizes.Text(axes)}.", nameof(axes));
            seen |= 1 << axis;
        }

        var map = new ArrayMap();
        for (var d = x.Rank - 1; d >= 0; d--)
            map.Prepend(new((seen & 1 << d) != 0 ? AxisKind.Reverse : AxisKind.Constant, x[d], 0, 0));
        map.Complete();
        Check<T>(map, x.Values, y.Span, nameof(y));
        map.Sum(x.Values, y, context);
    }

    /// <summary>y = x repeated along each dimension, as NumPy's <c>tile</c>.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="x">The array.</param>
    /// <param name="repeats">For each dimension how often it is repeated, 1 or more.</param>
    /// <param name="y">The result: as many numbers as the repeated sizes have.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The repeats are not one number from 1 on for each dimension, or y has another length or overlaps
    /// x.</exception>
    public static void Tile<T>(ShapedSpan<T> x, ReadOnlySpan<int> repeats, Span<T> y, ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        SpanGuard.Supported<T>();
        var map = Tiling(x.Sizes, repeats);
        Check<T>(map, x.Values, y, nameof(y));
        map.Fill(x.Values, y, default, context);
    }

    /// <summary>The gradient of <see cref="Tile"/>: dx = the sum of dy over the repetitions, or dx += it.</summary>
    /// <typeparam name="T">float or double.</typeparam>
    /// <param name="dy">The gradient of y.</param>
    /// <param name="shape">The shape of x.</param>
    /// <param name="repeats">For each dimension how often it was repeated.</param>
    /// <param name="dx">The gradient of x.</param>
    /// <param name="context">The threads to use, or null for the caller alone.</param>
    /// <exception cref="ArgumentException">The repeats are not one number from 1 on for each dimension, a length is wrong, or dx overlaps
    /// dy.</exception>
    public static void TileGradient<T>(ReadOnlySpan<T> dy, ReadOnlySpan<int> shape, ReadOnlySpan<int> repeats, Destination<T> dx,
        ComputeContext? context = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        SpanGuard.Supported<T>();
        var map = Tiling(shape, repeats);
        Check(map, dx.Span, dy, nameof(dy));
        map.Sum(dy, dx, context);
    }

    /// <summary>A padding of each dimension; throws where the amounts do not suit it.</summary>
    internal static ArrayMap Padding(ReadOnlySpan<int> shape, ReadOnlySpan<int> before, ReadOnlySpan<int> after, PaddingMode mode)
    {
        if (!Enum.IsDefined(mode))
            throw new ArgumentOutOfRangeException(nameof(mode), mode, "The mode is Constant, Edge or Reflect.");
        _ = ShapeSizes.Elements(shape);
        var map = new ArrayMap();
        for (var d = shape.Length - 1; d >= 0 && before.Length == shape.Length && after.Length == shape.Length; d--)
        {
            var most = mode == PaddingMode.Constant || mode == PaddingMode.Edge && shape[d] > 0 ? int.MaxValue : Math.Max(0, shape[d] - 1);
            if (before[d] < 0 || after[d] < 0 || before[d] > most || after[d] > most)
            {
                throw new ArgumentException($"Padding of dimension {d} of {ShapeSizes.Text(shape)} in the mode {mode} is 0 to {most}; "
                    + $"it is {before[d]} before and {after[d]} behind.", before[d] < 0 || before[d] > most ? nameof(before) : nameof(after));
            }

            map.Prepend(new((AxisKind)mode, shape[d], before[d], after[d]));
        }

        SpanGuard.SameLength(shape.Length, before.Length);
        SpanGuard.SameLength(shape.Length, after.Length);
        map.Complete();
        return map;
    }

    /// <summary>A tiling of each dimension.</summary>
    internal static ArrayMap Tiling(ReadOnlySpan<int> shape, ReadOnlySpan<int> repeats)
    {
        SpanGuard.SameLength(shape.Length, repeats.Length);
        _ = ShapeSizes.Elements(shape);
        var map = new ArrayMap();
        for (var d = shape.Length - 1; d >= 0; d--)
        {
            if (repeats[d] < 1)
                throw new ArgumentException($"Each dimension is repeated once or more; 'repeats' is {ShapeSizes.Text(repeats)}.", nameof(repeats));
            map.Prepend(new(AxisKind.Tile, shape[d], 0, repeats[d]));
        }

        map.Complete();
        return map;
    }

    private static void Check<T>(ArrayMap map, ReadOnlySpan<T> elements, ReadOnlySpan<T> places, string name) where T : unmanaged
    {
        SpanGuard.SameLength(map.Elements, elements.Length);
        if (places.Length != map.Places)
            throw new ArgumentException($"'{name}' must have length {map.Places}; it has {places.Length}.", name);
        SpanGuard.Disjoint(elements, places, name);
    }
}
