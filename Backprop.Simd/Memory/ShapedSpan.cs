using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;

namespace Backprop.Simd.Memory;

/// <summary>Numbers and their shape: row-major, without gaps.</summary>
/// <typeparam name="T">The element type.</typeparam>
public readonly ref struct ShapedSpan<T> where T : unmanaged
{
    private readonly ShapeSizes _sizes;
    private readonly ReadOnlySpan<T> _values;
    private readonly bool _isHidden;

    /// <summary>Puts a shape to numbers.</summary>
    /// <param name="values">The numbers, exactly as many as the shape has.</param>
    /// <param name="shape">The sizes, each 0 or more, at most eight; none for a single number.</param>
    /// <exception cref="ArgumentException">The numbers are more or fewer, a size is negative, or there are too many sizes.</exception>
    public ShapedSpan(ReadOnlySpan<T> values, params scoped ReadOnlySpan<int> shape)
    {
        var elements = ShapeSizes.Elements(shape);
        if (elements != values.Length)
            throw new ArgumentException($"{ShapeSizes.Text(shape)} does not have the {values.Length} elements of 'values'.", nameof(shape));
        _values = values;
        Rank = shape.Length;
        shape.CopyTo(_sizes);
    }

    /// <summary>A shape whose numbers may not be read.</summary>
    internal ShapedSpan(scoped ReadOnlySpan<int> shape)
    {
        _isHidden = true;
        Rank = shape.Length;
        shape.CopyTo(_sizes);
    }

    /// <summary>The numbers.</summary>
    /// <exception cref="InvalidOperationException">A backward pass has this array from an input that its layer did not declare it reads,
    /// or the array is the default value.</exception>
    public ReadOnlySpan<T> Values => _values.Length == Elements ? _values : throw new InvalidOperationException(_isHidden
        ? "The layer reads the numbers of an input, but did not declare ReadsInput in its traits: declare it."
        : "This array is the default value: it holds no number.");

    /// <summary>The number of dimensions, 0 to 8.</summary>
    public int Rank { get; }

    /// <summary>The size of a dimension.</summary>
    /// <param name="dimension">The dimension, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The shape has no such dimension.</exception>
    public int this[int dimension] => (uint)dimension < (uint)Rank ? _sizes[dimension]
        : throw new ArgumentOutOfRangeException(nameof(dimension), dimension, $"The shape is {ToString()}.");

    /// <summary>Writes the sizes, one for each dimension.</summary>
    /// <param name="destination">Takes the sizes, at least as many as the rank.</param>
    /// <returns>The part of the destination that holds them.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public Span<int> CopyShapeTo(Span<int> destination)
    {
        SpanGuard.AtLeast(Rank, destination.Length);
        Sizes.CopyTo(destination);
        return destination[..Rank];
    }

    /// <summary>The number of elements.</summary>
    internal int Elements => (int)ShapeSizes.Elements(Sizes);

    [UnscopedRef]
    internal ReadOnlySpan<int> Sizes => ((ReadOnlySpan<int>)_sizes)[..Rank];

    /// <summary>The shape as messages write it: <c>[2, 3]</c>.</summary>
    /// <returns>The shape.</returns>
    public override string ToString() => ShapeSizes.Text(Sizes);
}

/// <summary>The sizes of a shape.</summary>
[InlineArray(MaxRank)]
internal struct ShapeSizes
{
    public const int MaxRank = 8;

    private int _first;

    /// <summary>The elements of a shape; 2^31 for as many or more.</summary>
    public static long Elements(ReadOnlySpan<int> shape)
    {
        if (shape.Length > MaxRank)
            throw new ArgumentException($"A shape has at most {MaxRank} dimensions; got {shape.Length}.", nameof(shape));
        long elements = 1;
        foreach (var size in shape)
        {
            if (size < 0)
                throw new ArgumentException($"Sizes are 0 or more; got {Text(shape)}.", nameof(shape));
            elements = Math.Min(elements * size, int.MaxValue + 1L);
        }

        return elements;
    }

    /// <summary>A shape as messages write it.</summary>
    public static string Text(ReadOnlySpan<int> shape) =>
        "[" + string.Join(", ", shape.ToArray().Select(size => size.ToString(CultureInfo.InvariantCulture))) + "]";
}
