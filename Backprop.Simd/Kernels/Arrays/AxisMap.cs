using System.Numerics;
using System.Numerics.Tensors;

namespace Backprop.Simd.Kernels;

/// <summary>How a dimension of an array becomes one of a result.</summary>
internal enum AxisKind
{
    Constant,
    Edge,
    Reflect,
    Reverse,
    Tile,
}

/// <summary>Which element of a dimension each place of the result has, and the other way round.</summary>
/// <param name="Kind">The rule.</param>
/// <param name="Length">The elements of the dimension.</param>
/// <param name="Before">The places before it, of a padding.</param>
/// <param name="After">The places behind it; how often it is repeated, of a tiling.</param>
internal readonly record struct AxisMap(AxisKind Kind, int Length, int Before, int After)
{
    /// <summary>Whether nothing is changed.</summary>
    public bool IsSame => Kind == AxisKind.Tile ? After == 1 : Kind == AxisKind.Reverse ? Length < 2 : Before == 0 && After == 0;

    /// <summary>The places of the result; more than an array has may be cut off.</summary>
    public long Places => Kind switch
    {
        AxisKind.Tile => (long)Length * After,
        AxisKind.Reverse => Length,
        _ => (long)Before + Length + After,
    };

    /// <summary>The steps in which a row of places is added to the elements: no step adds twice to one element.</summary>
    public int Steps => Kind switch
    {
        AxisKind.Edge => 1 + Before + After,
        AxisKind.Reflect => 3,
        AxisKind.Tile => After,
        _ => 1,
    };

    /// <summary>The element of a place; -1 where the constant is.</summary>
    public int Element(int place)
    {
        var at = place - Before;
        return Kind switch
        {
            AxisKind.Tile => place % Length,
            AxisKind.Reverse => Length - 1 - place,
            AxisKind.Edge => Math.Clamp(at, 0, Length - 1),
            AxisKind.Reflect => at < 0 ? -at : at < Length ? at : 2 * (Length - 1) - at,
            _ => (uint)at < (uint)Length ? at : -1,
        };
    }

    /// <summary>How many places have an element.</summary>
    public int Count(int element) => Kind switch
    {
        AxisKind.Tile => After,
        AxisKind.Edge => 1 + (element == 0 ? Before : 0) + (element == Length - 1 ? After : 0),
        AxisKind.Reflect => 1 + (IsBefore(element) ? 1 : 0) + (IsBehind(element) ? 1 : 0),
        _ => 1,
    };

    /// <summary>The places that have an element: first the one in the middle, then those before and behind it.</summary>
    public int Place(int element, int number)
    {
        switch (Kind)
        {
            case AxisKind.Tile:
                return element + number * Length;
            case AxisKind.Reverse:
                return Length - 1 - element;
            case AxisKind.Edge when number > 0:
                var first = element == 0 ? Before : 0;
                return number <= first ? Before - number : Before + Length - 1 + number - first;
            case AxisKind.Reflect when number > 0:
                return number == 1 && IsBefore(element) ? Before - element : Before + 2 * (Length - 1) - element;
            default:
                return Before + element;
        }
    }

    private bool IsBefore(int element) => element > 0 && element <= Before;

    private bool IsBehind(int element) => element < Length - 1 && Length - 1 - element <= After;

    /// <summary>A row of places from a row of elements, each of <paramref name="inner"/> numbers.</summary>
    public void Fill<T>(ReadOnlySpan<T> x, Span<T> y, int inner, T value) where T : unmanaged
    {
        if (Kind == AxisKind.Tile)
        {
            for (var i = 0; i < After; i++)
                x.CopyTo(y[(i * x.Length)..]);
            return;
        }

        var end = (Before + Length) * inner;
        x.CopyTo(y[(Before * inner)..]);
        if (Kind == AxisKind.Constant)
        {
            y[..(Before * inner)].Fill(value);
            y[end..].Fill(value);
            return;
        }

        for (var place = 0; place < Before; place++)
            x.Slice(Element(place) * inner, inner).CopyTo(y[(place * inner)..]);
        for (var place = Before + Length; place < Before + Length + After; place++)
            x.Slice(Element(place) * inner, inner).CopyTo(y[(place * inner)..]);
    }

    /// <summary>One step of the sum of a row of places to the elements. The first overwrites, if asked to.</summary>
    public void Add<T>(int step, ReadOnlySpan<T> dy, Span<T> dx, int inner, bool overwrites) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (Kind == AxisKind.Reverse)
        {
            for (var i = 0; i < Length; i++)
                Add(dy.Slice((Length - 1 - i) * inner, inner), dx.Slice(i * inner, inner), overwrites);
        }
        else if (Kind == AxisKind.Tile)
        {
            Add(dy.Slice(step * dx.Length, dx.Length), dx, overwrites);
        }
        else if (step == 0)
        {
            Add(dy.Slice(Before * inner, dx.Length), dx, overwrites);
        }
        else if (Kind == AxisKind.Edge)
        {
            var (place, element) = step <= Before ? (Before - step, 0) : (Length - 1 + step, Length - 1);
            Add(dy.Slice(place * inner, inner), dx.Slice(element * inner, inner), false);
        }
        else
        {
            var (first, count) = step == 1 ? (0, Before) : (Before + Length, After);
            for (var place = first; place < first + count; place++)
                Add(dy.Slice(place * inner, inner), dx.Slice(Element(place) * inner, inner), false);
        }
    }

    private static void Add<T>(ReadOnlySpan<T> x, Span<T> y, bool overwrites) where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (overwrites)
            x.CopyTo(y);
        else if (x.Length == 1)
            y[0] += x[0];
        else
            TensorPrimitives.Add(y, x, y);
    }
}
