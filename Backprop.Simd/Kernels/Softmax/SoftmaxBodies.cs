using System.Numerics;
using System.Runtime.CompilerServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

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

/// <summary>(x - maximum) - ln sum exp(x - maximum) along rows.</summary>
internal readonly unsafe ref struct LogSoftmaxBody<T>(ReadOnlySpan<T> logits, nint logitStride, Span<T> result, nint resultStride, int classes)
    : ISoftmaxBody<T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ReadOnlySpan<T> _logits = logits;
    private readonly Span<T> _result = result;

    public int Classes => classes;

    public void ByLanes<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        var tile = stackalloc T[SoftmaxLanes.MostClasses * TVector.Count];
        fixed (T* x = _logits, y = _result)
        {
            for (var row = start; row < limit; row += TVector.Count)
            {
                var rows = Math.Min(TVector.Count, limit - row);
                SoftmaxLanes.Gather<TVector, T>(x + row * logitStride, logitStride, rows, classes, tile);
                SoftmaxLanes.LogSoftmax<TVector, T>(tile, classes);
                SoftmaxLanes.Scatter<TVector, T>(tile, rows, classes, y + row * resultStride, resultStride);
            }
        }
    }

    public void ByRows<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
    {
        fixed (T* x = _logits, y = _result)
        {
            for (var row = start; row < limit; row++)
            {
                T* logits = x + row * logitStride;
                var largest = ReductionLoops.Max<TVector, T, ReductionLoops.Identity<T>>(default, logits, classes);
                var sum = SoftmaxRows.Exponentials<TVector, T>(logits, null, classes, largest);
                MapLoops.Unary<TVector, T, TwoShifts>(new(largest, T.CreateTruncating(Math.Log(sum))), logits, y + row * resultStride, classes);
            }
        }
    }

    /// <summary>(x - a) - b.</summary>
    private readonly struct TwoShifts(T a, T b) : IUnaryOperator<T>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public TVector Invoke<TVector>(TVector x) where TVector : unmanaged, ISimdVector<TVector, T> => x - TVector.Create(a) - TVector.Create(b);
    }
}
