using System.Diagnostics.CodeAnalysis;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Optimizers;

namespace Backprop.Simd.Networks;

/// <summary>One named range of a block.</summary>
/// <param name="Name">The name: <c>affine1.weight</c>, or the name of a parameter of the graph.</param>
/// <param name="Shape">The shape.</param>
/// <param name="Range">Where it lies.</param>
public sealed record ParameterInfo(string Name, Shape Shape, BlockRange Range);

/// <summary>
/// Where each entry lies in a flat block. Entries are in execution order, start on 64-byte boundaries, and have zeros between them. The
/// offsets are the same for float and double.
/// </summary>
public sealed class ParameterLayout
{
    /// <summary>Elements between possible starts: 64 bytes of float, 128 of double.</summary>
    private const int Alignment = 16;

    private readonly List<ParameterInfo> _entries = [];
    private readonly Dictionary<string, ParameterInfo> _byName = [];

    internal ParameterLayout()
    {
    }

    /// <summary>The entries, in order.</summary>
    public IReadOnlyList<ParameterInfo> Entries => _entries;

    /// <summary>The elements of the block, padding included.</summary>
    public int Length { get; private set; }

    /// <summary>The elements of all entries, padding excluded.</summary>
    public int Count => _entries.Sum(e => e.Range.Length);

    /// <summary>Finds an entry.</summary>
    /// <param name="name">Its name.</param>
    /// <exception cref="ArgumentException">There is no entry with this name.</exception>
    public ParameterInfo this[string name]
    {
        get
        {
            ArgumentNullException.ThrowIfNull(name);
            return _byName.TryGetValue(name, out var info) ? info : throw Unknown(name);
        }
    }

    /// <summary>Finds an entry, if there is one.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="info">The entry.</param>
    /// <returns>True if there is one.</returns>
    public bool TryFind(string name, [NotNullWhen(true)] out ParameterInfo? info)
    {
        ArgumentNullException.ThrowIfNull(name);
        return _byName.TryGetValue(name, out info);
    }

    /// <summary>The ranges of some entries, each with the padding after it. Adjacent ranges are joined.</summary>
    /// <param name="predicate">Which entries.</param>
    /// <returns>The ranges, ascending and disjoint.</returns>
    public BlockRange[] Ranges(Func<ParameterInfo, bool> predicate)
    {
        ArgumentNullException.ThrowIfNull(predicate);
        var ranges = new List<BlockRange>();
        for (var i = 0; i < _entries.Count; i++)
        {
            if (!predicate(_entries[i]))
                continue;
            var start = _entries[i].Range.Start;
            var end = i + 1 < _entries.Count ? _entries[i + 1].Range.Start : Length;
            if (ranges.Count > 0 && ranges[^1].End == start)
                ranges[^1] = new BlockRange(ranges[^1].Start, end - ranges[^1].Start);
            else if (end > start)
                ranges.Add(new BlockRange(start, end - start));
        }

        return [.. ranges];
    }

    /// <summary>A group of some entries, for <see cref="Optimizer{T}.SetGroups"/>.</summary>
    /// <param name="name">A name, for the reader.</param>
    /// <param name="predicate">Which entries: <c>p => p.Name.StartsWith("affine1.", StringComparison.Ordinal)</c>.</param>
    /// <returns>The group. It has the optimizer's settings until they are changed.</returns>
    public ParameterGroup Group(string name, Func<ParameterInfo, bool> predicate) => new(name, Ranges(predicate));

    /// <summary>A group without weight decay: all entries of rank 0 and 1, which are biases and the scales and shifts of
    /// normalizations.</summary>
    /// <returns>The group. With it, the optimizer's weight decay acts on weights only.</returns>
    public ParameterGroup WithoutDecay() => new("without decay", Ranges(static e => e.Shape.Rank < 2)) { WeightDecay = 0 };

    /// <summary>Entries as matrices, the last dimension in columns: for <see cref="Optimizer{T}.Constrain"/>.</summary>
    /// <param name="predicate">Which entries; null for all.</param>
    /// <returns>The matrices, ascending.</returns>
    public IReadOnlyList<ParameterMatrix> Matrices(Func<ParameterInfo, bool>? predicate = null) =>
        [.. _entries.Where(predicate ?? (static _ => true)).Select(static e =>
    {
        var columns = e.Shape.Rank == 0 ? 1 : e.Shape[e.Shape.Rank - 1];
        return new ParameterMatrix(e.Name, e.Range, columns == 0 ? 0 : e.Range.Length / columns, columns);
    })];

    internal ParameterInfo Add(string name, Shape shape)
    {
        var info = new ParameterInfo(name, shape, new BlockRange(Length, shape.Size));
        if (!_byName.TryAdd(name, info))
            throw new ArgumentException($"Two entries are named '{name}'.", nameof(name));
        _entries.Add(info);
        var length = (long)Length + ((long)shape.Size + Alignment - 1) / Alignment * Alignment;
        if (length > Array.MaxLength - Alignment)
            throw new ArgumentException($"With '{name}' {shape} the block would hold {length} elements; a block holds at most 2^31.", nameof(shape));
        Length = (int)length;
        return info;
    }

    private ArgumentException Unknown(string name) =>
        new($"There is no '{name}'; there are: {string.Join(", ", _entries.Select(e => e.Name))}.", nameof(name));
}
