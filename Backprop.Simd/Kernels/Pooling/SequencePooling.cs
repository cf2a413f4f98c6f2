using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Memory;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Kernels;

/// <summary>Means and maxima over the steps of sequences [T, C] that may be of different lengths, with the loops of the other poolings.</summary>
/// <remarks>Of equal steps the first wins, and of NaNs the first. Steps behind a row's end are not read; their gradient is 0. Rows are
/// independent.</remarks>
internal static unsafe class SequencePooling
{
    /// <summary>Nanoseconds per element.</summary>
    private const double Cost = 0.1;

    /// <summary>The means; or the maxima, and the step of each where <paramref name="winners"/> is not empty.</summary>
    public static void Forward<T>(PooledSteps steps, ReadOnlySpan<int> lengths, ReadOnlySpan<T> x, Span<T> y, Span<int> winners, ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var rows = Rows<T>(steps, lengths, x.Length);
        SpanGuard.SameLength(rows * steps.Channels, y.Length);
        var body = new SimdRange<T, ForwardBody<T>>(new(steps, lengths, x, y, winners), RegisterWidth.OfColumns<T>(steps.Channels));
        PoolingLoops.For(in body, rows, Cost * x.Length, context);
    }

    /// <summary>The gradient by the sequences, or dx += it.</summary>
    public static void Backward<T>(PooledSteps steps, ReadOnlySpan<int> lengths, ReadOnlySpan<T> dy, ReadOnlySpan<int> winners, Destination<T> dx,
        ComputeContext? context)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (!dx.IsWanted)
            return;
        var rows = Rows<T>(steps, lengths, dx.Span.Length);
        SpanGuard.SameLength(rows * steps.Channels, dy.Length);
        var body = new SimdRange<T, BackwardBody<T>>(new(steps, lengths, dy, winners, dx), RegisterWidth.OfColumns<T>(steps.Channels));
        PoolingLoops.For(in body, rows, Cost * dx.Span.Length, context);
    }

    private static int Rows<T>(PooledSteps steps, ReadOnlySpan<int> lengths, int length) where T : unmanaged
    {
        SpanGuard.Supported<T>();
        var rows = length / (steps.Steps * steps.Channels);
        SpanGuard.SameLength(rows * steps.Steps * steps.Channels, length);
        if (!lengths.IsEmpty)
            SpanGuard.SameLength(rows, lengths.Length);
        return rows;
    }

    private readonly ref struct ForwardBody<T>(PooledSteps steps, ReadOnlySpan<int> lengths, ReadOnlySpan<T> x, Span<T> y, Span<int> winners)
        : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<int> _lengths = lengths;
        private readonly ReadOnlySpan<T> _x = x;
        private readonly Span<T> _y = y;
        private readonly Span<int> _winners = winners;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* x = _x, y = _y)
            {
                fixed (int* winners = _winners)
                {
                    for (var row = start; row < limit; row++)
                    {
                        var shape = steps.Of(_lengths, row);
                        var from = x + (nint)row * steps.Steps * steps.Channels;
                        var to = (nint)row * steps.Channels;
                        var isNarrow = steps.Channels < TVector.Count;
                        var cells = winners is null ? null : winners + to;
                        if (steps.IsMaximum && isNarrow)
                            NarrowPooling<T>.MaxRow(in shape, from, 0, y + to, cells);
                        else if (steps.IsMaximum)
                            MaxPoolingLoops<TVector, T>.Row(in shape, from, 0, y + to, cells);
                        else if (isNarrow)
                            NarrowPooling<T>.MeanRow(in shape, false, from, 0, y + to);
                        else
                            AveragePoolingLoops<TVector, T>.Row(in shape, false, from, 0, y + to);
                    }
                }
            }
        }
    }

    private readonly ref struct BackwardBody<T>(PooledSteps steps, ReadOnlySpan<int> lengths, ReadOnlySpan<T> dy, ReadOnlySpan<int> winners, Destination<T> dx)
        : ISimdRangeBody<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<int> _lengths = lengths, _winners = winners;
        private readonly ReadOnlySpan<T> _dy = dy;
        private readonly Destination<T> _dx = dx;

        public void Execute<TVector>(int start, int limit) where TVector : unmanaged, ISimdVector<TVector, T>
        {
            fixed (T* dy = _dy, dx = _dx.Span)
            {
                fixed (int* winners = _winners)
                {
                    for (var row = start; row < limit; row++)
                    {
                        var shape = steps.Of(_lengths, row);
                        var to = dx + (nint)row * steps.Steps * steps.Channels;
                        var from = (nint)row * steps.Channels;
                        if (!_dx.Adds)
                            new Span<T>(to, steps.Steps * steps.Channels).Clear();
                        var isNarrow = steps.Channels < TVector.Count;
                        if (steps.IsMaximum && isNarrow)
                            NarrowPooling<T>.MaxGradient(in shape, dy + from, winners + from, to);
                        else if (steps.IsMaximum)
                            MaxPoolingLoops<TVector, T>.ScatterImage(in shape, dy + from, winners + from, to);
                        else if (isNarrow)
                            NarrowPooling<T>.MeanGradient(in shape, false, dy + from, to);
                        else
                            AveragePoolingLoops<TVector, T>.ScatterImage(in shape, false, dy + from, to);
                    }
                }
            }
        }
    }
}

/// <summary>What is taken of the steps of sequences.</summary>
/// <param name="Steps">The most steps.</param>
/// <param name="Channels">The numbers of a step.</param>
/// <param name="IsMaximum">Whether the largest number is taken, not the mean.</param>
internal readonly record struct PooledSteps(int Steps, int Channels, bool IsMaximum)
{
    /// <summary>One window over the steps of a row.</summary>
    /// <exception cref="ArgumentException">The length is not 1 to the most steps.</exception>
    public PoolingShape Of(ReadOnlySpan<int> lengths, int row)
    {
        var length = lengths.IsEmpty ? Steps : lengths[row];
        return length >= 1 && length <= Steps ? PoolingShape.Bins(length, 1, Channels, 1)
            : throw new ArgumentException($"Lengths lie in 1 to {Steps}; row {row} has {length}.", nameof(lengths));
    }
}
