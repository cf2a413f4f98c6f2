using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Datasets;

/// <summary>Numbers in memory, row after row.</summary>
internal sealed class ArrayColumn<T>(string name, Shape shape, int count, ReadOnlyMemory<T> values) : ValueColumn<T>(name, shape, count)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    protected override void ReadRows(ReadOnlySpan<int> rows, Span<T> destination)
    {
        int size = Type.Shape.Size;
        ReadOnlySpan<T> source = values.Span;
        for (int i = 0; i < rows.Length; i++)
        {
            source.Slice(rows[i] * size, size).CopyTo(destination[(i * size)..]);
        }
    }
}

/// <summary>One label per example in memory.</summary>
internal sealed class LabelColumn(string name, ReadOnlyMemory<int> labels) : IndexColumn(name, Shape.Scalar, labels.Length)
{
    protected override void ReadRows(ReadOnlySpan<int> rows, Span<int> destination)
    {
        ReadOnlySpan<int> source = labels.Span;
        for (int i = 0; i < rows.Length; i++)
        {
            destination[i] = source[rows[i]];
        }
    }
}
