using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Layers;

namespace Backprop.Simd.Datasets;

/// <summary>Images in the bytes of their source; a row is converted when it is read.</summary>
internal sealed class PixelColumn<T>(string name, Shape shape, ReadOnlyMemory<byte> pixels, byte maximum)
    : ValueColumn<T>(name, shape, pixels.Length / shape.Size)
    where T : unmanaged, IFloatingPointIeee754<T>
{
    protected override void ReadRows(ReadOnlySpan<int> rows, Span<T> destination)
    {
        int size = Type.Shape.Size;
        ReadOnlySpan<byte> source = pixels.Span;
        for (int i = 0; i < rows.Length; i++)
        {
            Pixels.Scale(source.Slice(rows[i] * size, size), maximum, destination.Slice(i * size, size));
        }
    }
}
