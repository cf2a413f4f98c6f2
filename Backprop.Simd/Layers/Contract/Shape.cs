using System.Globalization;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Layers;

/// <summary>The shape of a value, without the batch dimension: rank 0 (a scalar) to 6.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    /// <summary>The largest rank.</summary>
    public const int MaxRank = 6;

    private readonly int _d0, _d1, _d2, _d3, _d4, _d5;

    /// <summary>Makes a shape.</summary>
    /// <param name="dimensions">Up to six sizes, each 1 or more; none for a scalar.</param>
    /// <exception cref="ArgumentException">There are more than six sizes, one is below 1, or their product exceeds 2^31 - 1.</exception>
    public Shape(params ReadOnlySpan<int> dimensions)
    {
        if (dimensions.Length > MaxRank)
            throw new ArgumentException($"A shape has at most {MaxRank} dimensions; got {dimensions.Length}.", nameof(dimensions));
        long size = 1;
        foreach (var dimension in dimensions)
        {
            if (dimension < 1)
                throw new ArgumentException($"Dimensions are 1 or more; got [{string.Join(", ", dimensions.ToArray())}].", nameof(dimensions));
            size *= dimension;
            if (size > int.MaxValue)
                throw new ArgumentException($"A shape holds at most 2^31 - 1 elements; got [{string.Join(", ", dimensions.ToArray())}].", nameof(dimensions));
        }

        Rank = dimensions.Length;
        _d0 = Rank > 0 ? dimensions[0] : 0;
        _d1 = Rank > 1 ? dimensions[1] : 0;
        _d2 = Rank > 2 ? dimensions[2] : 0;
        _d3 = Rank > 3 ? dimensions[3] : 0;
        _d4 = Rank > 4 ? dimensions[4] : 0;
        _d5 = Rank > 5 ? dimensions[5] : 0;
    }

    /// <summary>The shape of a single number: rank 0, size 1.</summary>
    public static Shape Scalar => default;

    /// <summary>The number of dimensions, 0 to 6.</summary>
    public int Rank { get; }

    /// <summary>The number of elements; 1 for a scalar.</summary>
    public int Size
    {
        get
        {
            var size = Rank > 0 ? _d0 : 1;
            if (Rank > 1)
                size *= _d1;
            if (Rank > 2)
                size *= _d2;
            if (Rank > 3)
                size *= _d3;
            if (Rank > 4)
                size *= _d4;
            if (Rank > 5)
                size *= _d5;
            return size;
        }
    }

    /// <summary>The size of the last dimension, features or channels; 1 for a scalar.</summary>
    public int Last => Rank == 0 ? 1 : this[Rank - 1];

    /// <summary>The size of one dimension.</summary>
    /// <param name="dimension">The dimension, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The shape has no such dimension.</exception>
    public int this[int dimension]
    {
        get
        {
            if ((uint)dimension >= (uint)Rank)
                throw new ArgumentOutOfRangeException(nameof(dimension), dimension, $"The shape is {this}.");
            return dimension switch { 0 => _d0, 1 => _d1, 2 => _d2, 3 => _d3, 4 => _d4, _ => _d5 };
        }
    }

    /// <summary>Writes the sizes, one for each dimension.</summary>
    /// <param name="destination">Takes the sizes, at least as many as the rank.</param>
    /// <returns>The part of the destination that holds them.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public Span<int> CopyTo(Span<int> destination)
    {
        SpanGuard.AtLeast(Rank, destination.Length);
        for (var i = 0; i < Rank; i++)
            destination[i] = this[i];
        return destination[..Rank];
    }

    /// <summary>The shape with another last dimension; of a scalar, that dimension alone.</summary>
    /// <param name="size">The size, 1 or more.</param>
    /// <returns>The shape.</returns>
    /// <exception cref="ArgumentException">The size is below 1, or the shape would hold more than 2^31 - 1 elements.</exception>
    public Shape WithLast(int size) => Rank switch
    {
        0 or 1 => new(size),
        2 => new(_d0, size),
        3 => new(_d0, _d1, size),
        4 => new(_d0, _d1, _d2, size),
        5 => new(_d0, _d1, _d2, _d3, size),
        _ => new(_d0, _d1, _d2, _d3, _d4, size),
    };

    /// <summary>The shape without its last dimension; a scalar of a scalar.</summary>
    /// <returns>The shape.</returns>
    public Shape WithoutLast() => Rank switch
    {
        0 or 1 => Scalar,
        2 => new(_d0),
        3 => new(_d0, _d1),
        4 => new(_d0, _d1, _d2),
        5 => new(_d0, _d1, _d2, _d3),
        _ => new(_d0, _d1, _d2, _d3, _d4),
    };

    /// <summary>Compares two shapes.</summary>
    /// <param name="left">A shape.</param>
    /// <param name="right">A shape.</param>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Compares two shapes.</summary>
    /// <param name="left">A shape.</param>
    /// <param name="right">A shape.</param>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(Shape other) => Rank == other.Rank && _d0 == other._d0 && _d1 == other._d1 && _d2 == other._d2 && _d3 == other._d3
        && _d4 == other._d4 && _d5 == other._d5;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Rank, _d0, _d1, _d2, _d3, _d4, _d5);

    /// <summary>The shape as messages write it: <c>[784]</c>, <c>[2, 3]</c>, <c>[]</c> for a scalar.</summary>
    /// <returns>The shape.</returns>
    public override string ToString()
    {
        var shape = this;
        return "[" + string.Join(", ", Enumerable.Range(0, Rank).Select(i => shape[i].ToString(CultureInfo.InvariantCulture))) + "]";
    }
}
