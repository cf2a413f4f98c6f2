using Backprop.Simd.Kernels;

namespace Backprop.Simd.Data;

/// <summary>
/// The order of rows in an epoch. It depends only on seed and epoch, and is the same on every machine.
/// </summary>
/// <remarks>
/// The shuffle of Fisher and Yates (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm P) with words from <see cref="Philox"/>.
/// Lemire's rejection ("Fast random integer generation in an interval", 2019) makes the indices uniform.
/// </remarks>
public static class RowOrder
{
    /// <summary>The stream of shuffles, different from the streams of parameters and dropout: "rows".</summary>
    private const ulong Stream = 0x726F7773UL << 32;

    /// <summary>Writes a permutation of 0 to n - 1.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="rows">Receives the n numbers.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="epoch"/> is negative.</exception>
    public static void Fill(ulong seed, int epoch, Span<int> rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        Identity(rows);
        Shuffle(seed, epoch, rows);
    }

    /// <summary>Shuffles rows. The result also depends on their order before.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="rows">The rows.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="epoch"/> is negative.</exception>
    public static void Shuffle(ulong seed, int epoch, Span<int> rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        var random = new Philox(seed, Stream | (uint)epoch);
        Shuffle(rows, ref random);
    }

    internal static void Shuffle(Span<int> rows, ref Philox random)
    {
        for (var i = rows.Length - 1; i > 0; i--)
        {
            var j = Below((uint)i + 1, ref random);
            (rows[i], rows[j]) = (rows[j], rows[i]);
        }
    }

    /// <summary>0, 1, 2, ...</summary>
    internal static void Identity(Span<int> rows)
    {
        for (var i = 0; i < rows.Length; i++)
            rows[i] = i;
    }

    /// <summary>A uniform number below a bound.</summary>
    private static int Below(uint bound, ref Philox random)
    {
        var product = (ulong)random.NextUInt32() * bound;
        if ((uint)product < bound)
        {
            var least = (uint)-(int)bound % bound; // 2^32 mod bound
            while ((uint)product < least)
                product = (ulong)random.NextUInt32() * bound;
        }

        return (int)(product >> 32);
    }
}
