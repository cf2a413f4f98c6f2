using System.Numerics;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>The losses of rows by their labels, and the gradient where asked for. The labels have been checked.</summary>
internal readonly unsafe ref struct CrossEntropyBody<T>(
    ReadOnlySpan<T> logits, nint logitStride, Span<T> gradient, nint gradientStride, int classes,
    ReadOnlySpan<int> labels, int ignoreIndex, T scale, Span<T> losses) : ISoftmaxBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Rows whose logarithms are taken together.</summary>
    private const int RowBlock = 64;

    private readonly ReadOnlySpan<T> _logits = logits;
    private readonly ReadOnlySpan<int> _labels = labels;
    private readonly Span<T> _gradient = gradient, _losses = losses;

    public int Classes => classes;

    public void ByLanes<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var tile = stackalloc T[SoftmaxLanes.MostClasses * TVector.Count];
        var lanes = stackalloc T[2 * TVector.Count];
        var laneLosses = lanes + TVector.Count;
        fixed (T* x = _logits, g = _gradient, losses = _losses)
        fixed (int* labels = _labels)
        {
            for (var row = start; row < limit; row += TVector.Count)
            {
                var rows = Math.Min(TVector.Count, limit - row);
                SoftmaxLanes.Labels<TVector, T>(labels + row, rows, ignoreIndex, lanes);
                SoftmaxLanes.Gather<TVector, T>(x + row * logitStride, logitStride, rows, classes, tile);
                SoftmaxLanes.CrossEntropy<TVector, T>(tile, classes, lanes, scale, g != null, rows == TVector.Count ? losses + row : laneLosses);
                if (g != null)
                    SoftmaxLanes.Scatter<TVector, T>(tile, rows, classes, g + row * gradientStride, gradientStride);
                if (rows < TVector.Count)
                    new Span<T>(laneLosses, rows).CopyTo(_losses[row..]);
            }
        }
    }

    public void ByRows<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var sums = stackalloc T[RowBlock];
        fixed (T* x = _logits, g = _gradient)
        {
            for (var block = start; block < limit; block += RowBlock)
            {
                var rows = Math.Min(RowBlock, limit - block);
                new Span<T>(sums, RowBlock).Fill(T.One);
                for (var i = 0; i < rows; i++)
                {
                    var row = block + i;
                    sums[i] = Row<TVector>(x + row * logitStride, g == null ? null : g + row * gradientStride, _labels[row], out _losses[row]);
                }

                SoftmaxRows.Logarithms<TVector, T>(sums, RowBlock / TVector.Count);
                for (var i = 0; i < rows; i++)
                    _losses[block + i] += sums[i];
            }
        }
    }

    /// <summary>Returns the sum of exponentials, and the label's distance from the maximum; 1 and 0 for an ignored row.</summary>
    private T Row<TVector>(T* x, T* gradient, int label, out T distance) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        if (label == ignoreIndex)
        {
            if (gradient != null)
                new Span<T>(gradient, classes).Clear();
            distance = T.Zero;
            return T.One;
        }

        // They may have been written since they were checked.
        if ((uint)label >= (uint)classes)
            ClassLabels.ThrowChanged(label, classes);
        var largest = ReductionLoops.Max<TVector, T, ReductionLoops.Identity<T>>(default, x, classes);
        distance = largest - x[label];
        var sum = T.CreateTruncating(SoftmaxRows.Exponentials<TVector, T>(x, gradient, classes, largest));
        if (gradient != null)
        {
            SoftmaxRows.Scale<TVector, T>(gradient, classes, scale / sum, divides: false);
            gradient[label] -= scale;
        }

        return sum;
    }
}
