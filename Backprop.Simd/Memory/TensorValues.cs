using System.Buffers;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace Backprop.Simd.Memory;

/// <summary>Tensors as spans.</summary>
internal static class TensorValues
{
    /// <summary>The elements, row-major: of a dense tensor its own memory, of any other a copy.</summary>
    public static ReadOnlySpan<T> Dense<T>(ReadOnlyTensorSpan<T> tensor)
    {
        if (tensor.IsEmpty)
            return [];
        if (tensor.IsDense)
            return Span(tensor);
        var copy = new T[tensor.FlattenedLength];
        tensor.FlattenTo(copy);
        return copy;
    }

    /// <summary>All memory that a tensor spans, with its gaps: of a dense tensor its elements. GetSpan refuses the whole of a tensor with a size
    /// of 1 inside.</summary>
    public static ReadOnlySpan<T> Span<T>(ReadOnlyTensorSpan<T> tensor) =>
        tensor.IsEmpty ? [] : MemoryMarshal.CreateReadOnlySpan(in tensor.GetPinnableReference(), Extent(tensor.Lengths, tensor.Strides));

    /// <summary>All memory that a tensor spans, to be written.</summary>
    public static Span<T> Span<T>(TensorSpan<T> tensor) =>
        tensor.IsEmpty ? [] : MemoryMarshal.CreateSpan(ref tensor.GetPinnableReference(), Extent(tensor.Lengths, tensor.Strides));

    // The last element and one more. A tensor checks when it is made that its memory holds it.
    private static int Extent(ReadOnlySpan<nint> lengths, ReadOnlySpan<nint> strides)
    {
        nint last = 0;
        for (var i = 0; i < lengths.Length; i++)
            last += (lengths[i] - 1) * strides[i];
        return checked((int)(last + 1));
    }
}

/// <summary>A dense tensor as memory. It keeps the tensor alive.</summary>
internal sealed class TensorMemory<T>(Tensor<T> tensor) : MemoryManager<T> where T : unmanaged
{
    public override Span<T> GetSpan() => TensorValues.Span<T>(tensor.AsTensorSpan());

    public override unsafe MemoryHandle Pin(int elementIndex = 0)
    {
        if (elementIndex < 0 || elementIndex > tensor.FlattenedLength)
            throw new ArgumentOutOfRangeException(nameof(elementIndex), elementIndex, $"The tensor has {tensor.FlattenedLength} elements.");
        var all = tensor.GetPinnedHandle();
        return new MemoryHandle((T*)all.Pointer + elementIndex, pinnable: new Pinned(all));
    }

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
    }

    private sealed class Pinned(MemoryHandle handle) : IPinnable
    {
        private MemoryHandle _handle = handle;

        public MemoryHandle Pin(int elementIndex) => throw new NotSupportedException();

        public void Unpin() => _handle.Dispose();
    }
}
