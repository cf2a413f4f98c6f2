using Backprop.Simd.Layers;

namespace Backprop.Simd.Data;

/// <summary>One named part of every example of a set, such as the images, the labels or the targets.</summary>
/// <remarks>
/// A column feeds the network's input of the same name: <c>x</c>, <c>labels</c>, <c>targets</c>. It is immutable, and many threads may read it
/// at once. There are two kinds: <see cref="ValueColumn{T}"/> and <see cref="IndexColumn"/>.
/// </remarks>
public abstract class DataColumn
{
    /// <summary>Makes a column. Derive from <see cref="ValueColumn{T}"/> or <see cref="IndexColumn"/>, not from this class.</summary>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="type">The kind, and the shape of one example.</param>
    /// <param name="count">The number of examples, 0 or more.</param>
    protected DataColumn(string name, EdgeType type, int count)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Name = name;
        Type = type;
        Count = count;
    }

    /// <summary>The name, which is also the name of the network's input.</summary>
    public string Name { get; }

    /// <summary>The kind, and the shape of one example.</summary>
    public EdgeType Type { get; }

    /// <summary>The number of examples.</summary>
    public int Count { get; }

    /// <summary>Announces that valid rows will be read in some microseconds. Does nothing unless overridden.</summary>
    internal virtual void Announce(ReadOnlySpan<int> rows)
    {
    }

    /// <summary>Checks that the rows exist and fit the destination.</summary>
    private protected void Check(ReadOnlySpan<int> rows, int length)
    {
        foreach (var row in rows)
        {
            if ((uint)row >= (uint)Count)
                throw new ArgumentOutOfRangeException(nameof(rows), row, $"Column '{Name}' has the rows 0 to {Count - 1}.");
        }

        if (length < (long)rows.Length * Type.Shape.Size)
        {
            throw new ArgumentException($"{rows.Length} rows of '{Name}' {Type.Shape} take {(long)rows.Length * Type.Shape.Size} elements; "
                + $"the destination has {length}.", "destination");
        }
    }
}
