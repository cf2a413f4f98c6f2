using Backprop.Simd.Layers;

namespace Backprop.Simd.Data;

/// <summary>One named part of every example of a set: the images, the labels, the targets.</summary>
/// <remarks>
/// The name is that of the network's input that it feeds: <c>x</c>, <c>labels</c>, <c>targets</c>. A column is immutable and may be
/// read from many threads at once. Two kinds exist: <see cref="ValueColumn{T}"/> and <see cref="IndexColumn"/>.
/// </remarks>
public abstract class DataColumn
{
    /// <summary>Makes a column; derive from <see cref="ValueColumn{T}"/> or <see cref="IndexColumn"/> instead.</summary>
    /// <param name="name">The name of the network's input.</param>
    /// <param name="type">The kind, and the shape of one example.</param>
    /// <param name="count">The number of examples, zero or more.</param>
    protected DataColumn(string name, EdgeType type, int count)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        Name = name;
        Type = type;
        Count = count;
    }

    /// <summary>The name: that of the network's input.</summary>
    public string Name { get; }

    /// <summary>The kind, and the shape of one example.</summary>
    public EdgeType Type { get; }

    /// <summary>The number of examples.</summary>
    public int Count { get; }

    /// <summary>Says that valid rows are read in some microseconds. Nothing unless overridden.</summary>
    internal virtual void Announce(ReadOnlySpan<int> rows)
    {
    }

    /// <summary>Checks that rows name examples and that they fit a destination.</summary>
    private protected void Check(ReadOnlySpan<int> rows, int length)
    {
        foreach (var row in rows)
        {
            if ((uint)row >= (uint)Count)
                throw new ArgumentOutOfRangeException(nameof(rows), row, $"Column '{Name}' has the rows 0 to {Count - 1}.");
        }

        if (length < (long)rows.Length * Type.Shape.Size)
            throw new ArgumentException($"{rows.Length} rows of '{Name}' {Type.Shape} take {(long)rows.Length * Type.Shape.Size} elements; the destination has {length}.", "destination");
    }
}
