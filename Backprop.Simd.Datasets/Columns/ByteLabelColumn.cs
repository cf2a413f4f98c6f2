using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Datasets;

/// <summary>One label per example in the bytes of its source.</summary>
internal sealed class ByteLabelColumn(string name, ReadOnlyMemory<byte> labels) : IndexColumn(name, Shape.Scalar, labels.Length)
{
    protected override void ReadRows(ReadOnlySpan<int> rows, Span<int> destination)
    {
        ReadOnlySpan<byte> source = labels.Span;
        for (int i = 0; i < rows.Length; i++)
        {
            destination[i] = source[rows[i]];
        }
    }
}
