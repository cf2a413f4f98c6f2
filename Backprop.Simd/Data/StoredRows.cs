using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;

namespace Backprop.Simd.Data;

/// <summary>Converts elements of a source to elements of a network.</summary>
internal interface IElementConversion<TStored, TElement>
{
    /// <summary>Converts all elements. Returns false if an element cannot be converted.</summary>
    bool Convert(ReadOnlySpan<TStored> source, Span<TElement> destination);
}

/// <summary>Copies the elements.</summary>
internal readonly struct SameElements<TElement> : IElementConversion<TElement, TElement>
{
    public bool Convert(ReadOnlySpan<TElement> source, Span<TElement> destination)
    {
        source.CopyTo(destination);
        return true;
    }
}

/// <summary>Converts between Half, float and double, rounded to nearest, and from bytes to integers.</summary>
internal readonly struct RoundedElements<TStored, TElement> : IElementConversion<TStored, TElement>
    where TStored : INumberBase<TStored>
    where TElement : INumberBase<TElement>
{
    public bool Convert(ReadOnlySpan<TStored> source, Span<TElement> destination)
    {
        TensorPrimitives.ConvertTruncating(source, destination);
        return true;
    }
}

/// <summary>Converts integers that fit 32 bits.</summary>
internal readonly struct NarrowedElements<TStored> : IElementConversion<TStored, int> where TStored : IBinaryInteger<TStored>
{
    public bool Convert(ReadOnlySpan<TStored> source, Span<int> destination)
    {
        for (var i = 0; i < source.Length; i++)
        {
            destination[i] = int.CreateSaturating(source[i]);
            if (destination[i] is int.MinValue or int.MaxValue && TStored.CreateTruncating(destination[i]) != source[i])
                return false;
        }

        return true;
    }
}

/// <summary>Converts truth values: 0 is false, 0, and every other byte true, 1.</summary>
internal readonly struct TruthElements : IElementConversion<byte, int>
{
    public bool Convert(ReadOnlySpan<byte> source, Span<int> destination)
    {
        for (var i = 0; i < source.Length; i++)
            destination[i] = source[i] == 0 ? 0 : 1;
        return true;
    }
}

/// <summary>Divides bytes by a maximum.</summary>
internal readonly struct ScaledBytes<T>(double maximum) : IElementConversion<byte, T> where T : unmanaged, IFloatingPointIeee754<T>
{
    private readonly ByteScale<T> _scale = new(maximum);

    public bool Convert(ReadOnlySpan<byte> source, Span<T> destination)
    {
        ByteScaling.Divide(_scale, source, destination);
        return true;
    }
}

/// <summary>Rows of equal size that follow each other in a store.</summary>
internal readonly struct StoredRows<TStored, TElement, TConversion>(ArrayStore store, long offset, int size, TConversion conversion)
    where TStored : unmanaged
    where TElement : unmanaged
    where TConversion : struct, IElementConversion<TStored, TElement>
{
    /// <summary>The most bytes to prefetch: more would not fit the second-level cache beside the current batch.</summary>
    private const int MostAnnounced = 1 << 17;

    /// <summary>Prefetches rows into the second-level cache while the processor does other work.</summary>
    public void Announce(ReadOnlySpan<int> rows)
    {
        var rowBytes = (long)size * Unsafe.SizeOf<TStored>();
        if (rowBytes * rows.Length > MostAnnounced)
            return;
        try
        {
            using var lease = store.Acquire();
            foreach (var row in rows)
                RowFetch.HintForLater(lease.Elements<TStored>(offset + row * rowBytes, size));
        }
        catch (ObjectDisposedException)
        {
            // A disposed store is reported when the rows are read.
        }
    }

    /// <summary>
    /// Copies rows; consecutive rows together. Returns -1, or the first row of a run of rows in which an element cannot be converted.
    /// </summary>
    public int Read(ReadOnlySpan<int> rows, Span<TElement> destination)
    {
        using var lease = store.Acquire();
        var rowBytes = (long)size * Unsafe.SizeOf<TStored>();
        var (ahead, hinted) = (RowFetch.Distance(rowBytes), 1);
        for (var i = 0; i < rows.Length;)
        {
            var (first, run) = (rows[i], 1);
            while (i + run < rows.Length && rows[i + run] == first + run)
                run++;
            for (; hinted < Math.Min(rows.Length, i + run + ahead); hinted++)
            {
                if (hinted >= i + run)
                    RowFetch.Hint(lease.Elements<TStored>(offset + rows[hinted] * rowBytes, size));
            }

            var source = lease.Elements<TStored>(offset + first * rowBytes, run * size);
            if (!conversion.Convert(source, destination.Slice(i * size, run * size)))
                return first;
            i += run;
        }

        return -1;
    }
}
