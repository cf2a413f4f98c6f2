using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Data;

/// <summary>Numbers that lie in a store, one row behind the other.</summary>
internal sealed class StoredValues<TStored, T, TConversion>(string name, Shape shape, int count, ArrayStore store, long offset, TConversion conversion)
    : ValueColumn<T>(name, shape, count)
    where TStored : unmanaged
    where T : unmanaged, IFloatingPointIeee754<T>
    where TConversion : struct, IElementConversion<TStored, T>
{
    private readonly StoredRows<TStored, T, TConversion> _rows = new(store, offset, shape.Size, conversion);

    internal override void Announce(ReadOnlySpan<int> rows) => _rows.Announce(rows);

    protected override void ReadRows(ReadOnlySpan<int> rows, Span<T> destination) => _rows.Read(rows, destination);
}

/// <summary>Integers that lie in a store, one row behind the other.</summary>
internal sealed class StoredIndices<TStored, TConversion>(string name, Shape shape, int count, ArrayStore store, long offset, TConversion conversion)
    : IndexColumn(name, shape, count)
    where TStored : unmanaged
    where TConversion : struct, IElementConversion<TStored, int>
{
    private readonly StoredRows<TStored, int, TConversion> _rows = new(store, offset, shape.Size, conversion);

    protected override void ReadRows(ReadOnlySpan<int> rows, Span<int> destination)
    {
        var row = _rows.Read(rows, destination);
        if (row >= 0)
            throw new InvalidDataException($"Column '{Name}' holds an integer outside 32 bits, at row {row} or in a neighbour.");
    }
}
