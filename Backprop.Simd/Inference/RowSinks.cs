using System.Numerics;
using System.Numerics.Tensors;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Inference;

/// <summary>Takes the outputs of a piece of a batch.</summary>
internal interface IRowSink<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Takes the outputs of rows [first, first + rows).</summary>
    void Take(WorkspacePool<T> pool, ReadOnlySpan<T> values, int first, int rows);
}

/// <summary>Copies the outputs.</summary>
internal readonly ref struct CopySink<T>(Span<T> outputs) : IRowSink<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Span<T> _outputs = outputs;

    public void Take(WorkspacePool<T> pool, ReadOnlySpan<T> values, int first, int rows) =>
        values.CopyTo(_outputs[(first * pool.Form.OutputSize)..]);
}

/// <summary>p = softmax(outputs) over the last dimension.</summary>
internal readonly ref struct SoftmaxSink<T>(Span<T> probabilities) : IRowSink<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Span<T> _probabilities = probabilities;

    public void Take(WorkspacePool<T> pool, ReadOnlySpan<T> values, int first, int rows)
    {
        var (form, count) = (pool.Form, rows * pool.Form.Positions);
        var destination = _probabilities.Slice(first * form.OutputSize, values.Length);
        if (form.GivesProbabilities)
            values.CopyTo(destination);
        else
        {
            SoftmaxKernels.Softmax(
                new ReadOnlyMatrix<T>(values, count, form.Classes), new Matrix<T>(destination, count, form.Classes), pool.Compute);
        }
    }
}

/// <summary>The index of the largest output along the last dimension. Of equal outputs the first counts; the first NaN counts as the largest.</summary>
internal readonly ref struct ClassSink<T>(Span<int> classes) : IRowSink<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly Span<int> _classes = classes;

    public void Take(WorkspacePool<T> pool, ReadOnlySpan<T> values, int first, int rows)
    {
        var (count, start) = (pool.Form.Classes, first * pool.Form.Positions);
        for (var i = 0; i < rows * pool.Form.Positions; i++)
            _classes[start + i] = TensorPrimitives.IndexOfMax(values.Slice(i * count, count));
    }
}
