using System.Diagnostics.CodeAnalysis;

namespace Backprop.Simd.Datasets;

/// <summary>A column of a text file: by its name in the header, or by its place from 0. Strings and integers convert to it.</summary>
public sealed record CsvColumn
{
    /// <summary>The column of a name.</summary>
    /// <param name="name">The name, exactly as in the header.</param>
    public CsvColumn(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        Name = name;
    }

    /// <summary>The column at a place.</summary>
    /// <param name="index">The place, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">The place is negative.</exception>
    public CsvColumn(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        Index = index;
    }

    /// <summary>The name; null for a column given by its place.</summary>
    public string? Name { get; }

    /// <summary>The place; it counts only if there is no name.</summary>
    public int Index { get; }

    /// <summary>The column of a name; null gives null.</summary>
    /// <param name="name">The name, exactly as in the header.</param>
    [return: NotNullIfNotNull(nameof(name))]
    public static implicit operator CsvColumn?(string? name) => name is null ? null : new(name);

    /// <summary>The column at a place.</summary>
    /// <param name="index">The place, from 0.</param>
    public static implicit operator CsvColumn(int index) => new(index);

    /// <inheritdoc/>
    public override string ToString() => Name is null ? $"{Index}" : $"'{Name}'";
}
