using Backprop.Simd.Serialization;

namespace Backprop.Simd.Interchange;

/// <summary>One tensor of a <see cref="PyTorchFile"/>.</summary>
public sealed class PyTorchTensor : INamedTensor
{
    private readonly PyTorchFile _file;
    private readonly PickleTensor _tensor;

    internal PyTorchTensor(PyTorchFile file, string name, PickleTensor tensor)
    {
        (_file, Name, _tensor) = (file, name, tensor);
        Count = 1;
        foreach (var size in tensor.Sizes)
            Count *= size;
    }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public TensorType Type => _tensor.Storage.Type;

    /// <inheritdoc/>
    public ReadOnlySpan<long> Shape => _tensor.Sizes;

    /// <summary>The number of its elements.</summary>
    public long Count { get; }

    internal PickleStorage Storage => _tensor.Storage;

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">There are no tensors of <typeparamref name="T"/>.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public void Read<T>(Span<T> destination, bool allowNarrowing = false)
        where T : unmanaged
    {
        if (destination.Length != Count)
            throw new ArgumentException($"'{Name}' has {Count} elements; the destination has {destination.Length}.", nameof(destination));
        if (!TensorElements.CanRead<T>(Type, allowNarrowing))
            throw new ModelFileException($"{_file.Origin}: '{Texts.Shown(Name)}' is {Type} and cannot be read as {TensorElements.Of<T>()} without loss.");
        if (Count == 0)
            return;

        // The dimensions in the order of the storage; those of stride 0 repeat what the others have.
        long[] sizes = _tensor.Sizes, strides = _tensor.Strides;
        int[] order = [.. Enumerable.Range(0, sizes.Length).Where(d => sizes[d] > 1 && strides[d] > 0).OrderByDescending(d => strides[d])];
        var isPlain = order.Order().SequenceEqual(order) && sizes.Where((size, d) => size > 1 && strides[d] == 0).Any() == false;
        if (isPlain)
        {
            ReadInOrder(order, destination);
            return;
        }

        var steps = new long[sizes.Length];
        var count = 1L;
        foreach (var d in order.Reverse())
        {
            steps[d] = count;
            count *= sizes[d];
        }

        var compact = new T[count];
        ReadInOrder(order, compact);
        var index = new long[sizes.Length];
        var from = 0L;
        for (var i = 0; i < destination.Length; i++)
        {
            destination[i] = compact[from];
            for (var d = sizes.Length - 1; d >= 0; d--)
            {
                from += steps[d];
                if (++index[d] < sizes[d])
                    break;
                from -= steps[d] * sizes[d];
                index[d] = 0;
            }
        }
    }

    /// <summary>Reads the elements, row-major, into a new array.</summary>
    /// <typeparam name="T">float, double, Half, or an integer of 8 to 64 bits.</typeparam>
    /// <param name="allowNarrowing">True to round doubles to the nearest float instead of refusing them.</param>
    /// <returns>The elements.</returns>
    /// <exception cref="ModelFileException">There are more elements than an array holds, they cannot be converted without loss, or the file is
    /// damaged.</exception>
    /// <exception cref="NotSupportedException">There are no tensors of <typeparamref name="T"/>.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public T[] ToArray<T>(bool allowNarrowing = false)
        where T : unmanaged
    {
        if (Count > Array.MaxLength)
            throw new ModelFileException($"{_file.Origin}: '{Texts.Shown(Name)}' has {Count} elements; an array holds at most {Array.MaxLength}.");
        var array = new T[Count];
        Read<T>(array, allowNarrowing);
        return array;
    }

    /// <summary>Reads dimensions from the one with the largest stride to the one with the smallest.</summary>
    private void ReadInOrder<T>(int[] order, Span<T> destination)
        where T : unmanaged
    {
        using var reader = _file.Reader(_tensor.Storage);
        var size = TensorElements.Size(Type);

        // The last dimensions whose elements lie side by side are one run.
        var run = 1L;
        var outer = order.Length;
        while (outer > 0 && _tensor.Strides[order[outer - 1]] == run)
            run *= _tensor.Sizes[order[--outer]];
        var block = new byte[Math.Min(run, 1 << 13) * size];
        var index = new long[outer];
        var place = _tensor.Offset;
        while (true)
        {
            for (var done = 0L; done < run; done += block.Length / size)
            {
                var count = (int)Math.Min(run - done, block.Length / size);
                var bytes = block.AsSpan(0, count * size);
                reader.Read((place + done) * size, bytes);
                if (_file.IsBigEndian)
                    TensorElements.Swap(bytes, size);
                TensorElements.Convert(bytes, Type, destination[..count]);
                destination = destination[count..];
            }

            var d = outer - 1;
            for (; d >= 0; d--)
            {
                place += _tensor.Strides[order[d]];
                if (++index[d] < _tensor.Sizes[order[d]])
                    break;
                place -= _tensor.Strides[order[d]] * _tensor.Sizes[order[d]];
                index[d] = 0;
            }

            if (d < 0)
                break;
        }

        _file.Finish(reader, _tensor.Storage);
    }
}
