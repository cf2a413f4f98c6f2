using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>What is computed from rows of logits, in both forms.</summary>
internal interface ISoftmaxBody<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    int Classes { get; }

    /// <summary>Rows [start, limit), a row to a lane.</summary>
    void ByLanes<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>;

    /// <summary>Rows [start, limit), one after the other; a row fills at least a register.</summary>
    void ByRows<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>;
}

/// <summary>
/// Picks the form by the number of classes alone, so that a row has the same bits in any batch and on any thread, and the
/// register width: lanes give the same bits at any width, so few rows take a narrow one; sums along a row do not.
/// </summary>
internal readonly ref struct SoftmaxRange<T, TBody>(TBody body) : IRangeBody
    where T : unmanaged, IFloatingPointIeee754<T>
    where TBody : struct, ISoftmaxBody<T>, allows ref struct
{
    /// <summary>Nanoseconds per logit: an exp, and the way in and out of registers.</summary>
    private const double Cost = 0.5;

    private readonly TBody _body = body;

    public void Run(int rows, ComputeContext? context)
    {
        if (context is null)
        {
            Execute(0, rows);
            return;
        }

        var granularity = RowMajor.Granularity(4 * _body.Classes);
        if (_body.Classes <= SoftmaxLanes.MostClasses)
            granularity = Math.Max(granularity, RegisterWidth.Lanes<T>(SimdWidth.Bits512)); // Whole groups of the widest register.
        context.For(rows, granularity, Cost * rows * _body.Classes, in this);
    }

    // One width for what is left after whole groups too: another form would have to be compiled first.
    public void Execute(int start, int limit)
    {
        if (_body.Classes <= SoftmaxLanes.MostClasses)
            new SimdRange<T, LanesBody>(new(_body), SimdWidth.Widest).Execute(start, limit);
        else
            RegisterWidth.Run<T, RowsBody>(new(_body, start, limit), RegisterWidth.Machine);
    }

    private readonly ref struct LanesBody(TBody body) : ISimdRangeBody<T>
    {
        private readonly TBody _body = body;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T> => _body.ByLanes<TVector>(start, limit);
    }

    private readonly ref struct RowsBody(TBody body, int start, int limit) : ISimdBody<T>
    {
        private readonly TBody _body = body;

        public void Execute<TVector>() where TVector : unmanaged, ISimdVector<TVector, T> => _body.ByRows<TVector>(start, limit);
    }
}

/// <summary>Probabilities, and the parts of the log-sum-exp where asked for.</summary>
internal readonly unsafe ref struct SoftmaxBody<T>(
    ReadOnlySpan<T> logits, nint logitStride, Span<T> probabilities, nint probabilityStride, int classes, Span<T> maximum, Span<T> logSum) : ISoftmaxBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlySpan<T> _logits = logits;
    private readonly Span<T> _probabilities = probabilities, _maximum = maximum, _logSum = logSum;

    public int Classes => classes;

    public void ByLanes<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var tile = stackalloc T[SoftmaxLanes.MostClasses * TVector.Count];
        var maxima = stackalloc T[TVector.Count];
        var logSums = stackalloc T[TVector.Count];
        fixed (T* x = _logits, p = _probabilities)
        {
            for (var row = start; row < limit; row += TVector.Count)
            {
                var rows = Math.Min(TVector.Count, limit - row);
                SoftmaxLanes.Gather<TVector, T>(x + row * logitStride, logitStride, rows, classes, tile);
                SoftmaxLanes.Softmax<TVector, T>(tile, classes, maxima, logSums);
                SoftmaxLanes.Scatter<TVector, T>(tile, rows, classes, p + row * probabilityStride, probabilityStride);
                if (_maximum.IsEmpty)
                    continue;
                new Span<T>(maxima, rows).CopyTo(_maximum[row..]);
                new Span<T>(logSums, rows).CopyTo(_logSum[row..]);
            }
        }
    }

    public void ByRows<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        fixed (T* x = _logits, p = _probabilities)
        {
            for (var row = start; row < limit; row++)
            {
                T* logits = x + row * logitStride, probabilities = p + row * probabilityStride;
                var largest = ReductionLoops.Max<TVector, T, ReductionLoops.Identity<T>>(default, logits, classes);
                var sum = SoftmaxRows.Exponentials<TVector, T>(logits, probabilities, classes, largest);
                SoftmaxRows.Scale<TVector, T>(probabilities, classes, T.CreateTruncating(sum), divides: true);
                if (_maximum.IsEmpty)
                    continue;
                _maximum[row] = largest;
                _logSum[row] = T.IsInfinity(largest) ? T.Zero : T.CreateTruncating(Math.Log(sum));
            }
        }
    }
}

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
