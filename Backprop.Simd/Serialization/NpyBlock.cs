using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Backprop.Simd.Data;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Serialization;

/// <summary>An array that is to be written: its header and its elements.</summary>
internal readonly ref struct NpyBlock<T> where T : unmanaged
{
    private const int BlockElements = 1 << 17;

    private readonly ReadOnlySpan<T> _values;
    private readonly byte[] _header;

    public NpyBlock(ReadOnlySpan<T> values, ReadOnlySpan<int> shape)
    {
        var sizes = new long[shape.Length];
        for (var i = 0; i < sizes.Length; i++)
            sizes[i] = shape[i];
        _values = values;
        _header = Header(sizes, values.Length, nameof(shape));
    }

    public NpyBlock(in ReadOnlyTensorSpan<T> tensor)
    {
        if (tensor.Rank == 0)
            throw new ArgumentException("The tensor is the default value: it has no sizes.", nameof(tensor));
        var sizes = new long[tensor.Rank];
        for (var i = 0; i < sizes.Length; i++)
            sizes[i] = tensor.Lengths[i];
        _header = Header(sizes, tensor.FlattenedLength, nameof(tensor));
        _values = TensorValues.Dense(tensor);
    }

    public void Write(Stream stream)
    {
        stream.Write(_header);
        for (var rest = _values; !rest.IsEmpty; rest = rest[Math.Min(BlockElements, rest.Length)..])
            stream.Write(MemoryMarshal.AsBytes(rest[..Math.Min(BlockElements, rest.Length)]));
    }

    private static byte[] Header(ReadOnlySpan<long> sizes, long length, string name)
    {
        var element = ArrayElements.Of<T>();
        if (sizes.Length > NpyHeader.MostSizes)
            throw new ArgumentException($"A NumPy array has at most {NpyHeader.MostSizes} sizes; got {sizes.Length}.", name);
        var elements = (Int128)1;
        foreach (var size in sizes)
        {
            if (size < 0)
                throw new ArgumentException($"Sizes are 0 or more; got {ArrayHeader.Text(sizes)}.", name);
            elements = Int128.Min(elements * size, long.MaxValue);
        }

        return elements == length ? NpyHeader.Write(element, sizes)
            : throw new ArgumentException($"{ArrayHeader.Text(sizes)} does not have the {length} elements of 'values'.", name);
    }
}
