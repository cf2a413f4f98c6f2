using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Backprop.Simd.Intrinsics;

namespace Backprop.Simd.Kernels;

/// <summary>The cells of one output along a dimension, and the weights of both.</summary>
internal readonly record struct ResizeTap<T>(int First, int Second, T FirstWeight, T SecondWeight) where T : unmanaged;

/// <summary>The outputs that read one cell, and where their weights begin.</summary>
internal readonly record struct ResizeReach(int Start, int Limit, int Weights);

/// <summary>The tables of a line.</summary>
internal static class ResizeTables
{
    /// <summary>The cells of each output.</summary>
    public static Span<ResizeTap<T>> Taps<T>(ResizeAxis axis, Span<byte> room) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var taps = MemoryMarshal.Cast<byte, ResizeTap<T>>(room)[..axis.Outputs];
        for (var o = 0; o < taps.Length; o++)
        {
            var (first, second, weight) = axis.Tap(o);
            taps[o] = new(first, second, T.CreateTruncating(1 - weight), T.CreateTruncating(weight));
        }

        return taps;
    }

    /// <summary>The outputs of each cell, and their weights, behind which is room for <paramref name="more"/> others.</summary>
    public static Span<ResizeReach> Reaches<T>(ResizeAxis axis, int more, Span<byte> room, out Span<T> weights)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        weights = MemoryMarshal.Cast<byte, T>(room)[..(2 * axis.Outputs + more)];
        var reaches = MemoryMarshal.Cast<byte, ResizeReach>(room[(weights.Length * Unsafe.SizeOf<T>())..])[..axis.Size];
        int start = 0, limit = 0, count = 0;
        for (var cell = 0; cell < reaches.Length; cell++)
        {
            while (start < axis.Outputs && axis.Tap(start).Second < cell)
                start++;
            limit = Math.Max(limit, start);
            while (limit < axis.Outputs && axis.Tap(limit).First <= cell)
                limit++;
            reaches[cell] = new(start, limit, count);
            for (var o = start; o < limit; o++)
                weights[count++] = Weight<T>(axis, o, cell);
        }

        return reaches;
    }

    /// <summary>The weight of a cell in an output.</summary>
    public static T Weight<T>(ResizeAxis axis, int output, int cell) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (first, second, weight) = axis.Tap(output);
        return T.CreateTruncating((first == cell ? 1 - weight : 0) + (second == cell ? weight : 0));
    }
}

/// <summary>What the sums of one row of a gradient read.</summary>
internal readonly unsafe struct ResizeSums<T> where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>Finds the outputs of a row, and writes their weights.</summary>
    public ResizeSums(ResizeAxis axis, int row, T* dy, nint outputLine, T* columnWeights, T* rowWeights, int channels)
    {
        OutputLine = outputLine;
        ColumnWeights = columnWeights;
        RowWeights = rowWeights;
        Channels = channels;
        var start = FirstOutput(axis, row, second: true);
        Rows = FirstOutput(axis, row + 1, second: false) - start;
        Dy = dy + start * outputLine;
        for (var i = 0; i < Rows; i++)
            rowWeights[i] = ResizeTables.Weight<T>(axis, start + i, row);
    }

    /// <summary>The outputs of the row.</summary>
    public int Rows { get; }

    /// <summary>The first of them.</summary>
    public T* Dy { get; }

    public nint OutputLine { get; }

    public T* ColumnWeights { get; }

    public T* RowWeights { get; }

    public int Channels { get; }

    /// <summary>The first output whose second (first) cell is this one or a later one.</summary>
    private static int FirstOutput(ResizeAxis axis, int cell, bool second)
    {
        int low = 0, high = axis.Outputs;
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            var tap = axis.Tap(middle);
            if ((second ? tap.Second : tap.First) < cell)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}

/// <summary>The loops of <see cref="Resize"/>. Channels are the lanes; those that fill no register go one by one.</summary>
internal static unsafe class ResizeLoops<TVector, T>
    where TVector : unmanaged, ISimdVector<TVector, T>
    where T : unmanaged, IFloatingPointIeee754<T>
{
    /// <summary>One row of nearest cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Copy(ResizeTap<T>* taps, int outputs, T* x, T* y, nint channels)
    {
        var last = channels - TVector.Count;
        for (var o = 0; o < outputs; o++, y += channels)
        {
            var from = x + taps[o].First * channels;
            if (last < 0)
            {
                for (nint c = 0; c < channels; c++)
                    y[c] = from[c];
                continue;
            }

            for (nint c = 0; c < last; c += TVector.Count)
                TVector.Store(y + c, TVector.Load(from + c));
            TVector.Store(y + last, TVector.Load(from + last));
        }
    }

    /// <summary>One row between two rows of cells.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Blend(ResizeTap<T>* taps, int outputs, T* upper, T* lower, T weight, T* y, nint channels)
    {
        var last = channels - TVector.Count;
        var above = T.One - weight;
        TVector v0 = TVector.Create(above), v1 = TVector.Create(weight);
        for (var o = 0; o < outputs; o++, y += channels)
        {
            nint left = taps[o].First * channels, right = taps[o].Second * channels;
            T u0 = taps[o].FirstWeight, u1 = taps[o].SecondWeight;
            if (last < 0)
            {
                for (nint c = 0; c < channels; c++)
                    y[c] = above * (u0 * upper[left + c] + u1 * upper[right + c]) + weight * (u0 * lower[left + c] + u1 * lower[right + c]);
                continue;
            }

            TVector w0 = TVector.Create(u0), w1 = TVector.Create(u1);
            nint at = 0;
            while (true)
            {
                var top = TVector.MultiplyAdd(TVector.Load(upper + right + at), w1, TVector.Load(upper + left + at) * w0);
                var bottom = TVector.MultiplyAdd(TVector.Load(lower + right + at), w1, TVector.Load(lower + left + at) * w0);
                TVector.Store(y + at, TVector.MultiplyAdd(bottom, v1, top * v0));
                if (at == last)
                    break;
                at = Math.Min(at + TVector.Count, last);
            }
        }
    }

    /// <summary>One row of a gradient: each cell is the sum over the outputs that read it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Gather(in ResizeSums<T> sums, ResizeReach* reaches, int cells, T* dx, bool adds)
    {
        nint channels = sums.Channels, last = channels - TVector.Count;
        for (var cell = 0; cell < cells; cell++, dx += channels)
        {
            var reach = reaches[cell];
            if (last < 0)
            {
                for (nint c = 0; c < channels; c++)
                {
                    var sum = NarrowRows(in sums, 0, sums.Rows, reach, c);
                    dx[c] = adds ? dx[c] + sum : sum;
                }

                continue;
            }

            // The last block overlaps the one before; it is summed before that is stored.
            nint at = 0;
            var lastSum = RowSum(in sums, 0, sums.Rows, reach, last);
            if (adds)
                lastSum += TVector.Load(dx + last);
            for (; at < last; at += TVector.Count)
            {
                var sum = RowSum(in sums, 0, sums.Rows, reach, at);
                TVector.Store(dx + at, adds ? sum + TVector.Load(dx + at) : sum);
            }

            TVector.Store(dx + last, lastSum);
        }
    }

    private static TVector RowSum(in ResizeSums<T> sums, int start, int limit, ResizeReach reach, nint at)
    {
        if (limit - start > BlockSums.Rows)
        {
            var middle = start + (limit - start) / 2;
            return RowSum(in sums, start, middle, reach, at) + RowSum(in sums, middle, limit, reach, at);
        }

        var sum = TVector.Zero;
        var weights = sums.ColumnWeights + reach.Weights;
        for (var row = start; row < limit; row++)
        {
            var dy = sums.Dy + row * sums.OutputLine + reach.Start * (nint)sums.Channels + at;
            TVector.AddProduct(ref sum, sums.RowWeights[row], ColumnSum(dy, weights, reach.Limit - reach.Start, sums.Channels));
        }

        return sum;
    }

    private static TVector ColumnSum(T* dy, T* weights, int count, nint channels)
    {
        if (count > BlockSums.Rows)
        {
            return ColumnSum(dy, weights, count / 2, channels)
                + ColumnSum(dy + count / 2 * channels, weights + count / 2, count - count / 2, channels);
        }

        var sum = TVector.Zero;
        for (var i = 0; i < count; i++, dy += channels)
            TVector.AddProduct(ref sum, weights[i], TVector.Load(dy));
        return sum;
    }

    private static T NarrowRows(in ResizeSums<T> sums, int start, int limit, ResizeReach reach, nint channel)
    {
        if (limit - start > BlockSums.Rows)
        {
            var middle = start + (limit - start) / 2;
            return NarrowRows(in sums, start, middle, reach, channel) + NarrowRows(in sums, middle, limit, reach, channel);
        }

        var sum = T.Zero;
        var weights = sums.ColumnWeights + reach.Weights;
        for (var row = start; row < limit; row++)
        {
            var dy = sums.Dy + row * sums.OutputLine + reach.Start * (nint)sums.Channels + channel;
            sum += sums.RowWeights[row] * NarrowColumns(dy, weights, reach.Limit - reach.Start, sums.Channels);
        }

        return sum;
    }

    private static T NarrowColumns(T* dy, T* weights, int count, nint channels)
    {
        if (count > BlockSums.Rows)
        {
            return NarrowColumns(dy, weights, count / 2, channels)
                + NarrowColumns(dy + count / 2 * channels, weights + count / 2, count - count / 2, channels);
        }

        var sum = T.Zero;
        for (var i = 0; i < count; i++, dy += channels)
            sum += weights[i] * *dy;
        return sum;
    }
}
