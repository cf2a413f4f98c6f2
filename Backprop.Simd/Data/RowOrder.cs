using Backprop.Simd.Kernels;

namespace Backprop.Simd.Data;

/// <summary>
/// The order of rows in an epoch: a function of seed and epoch alone, in integers, the same on every machine.
/// </summary>
/// <remarks>
/// Fisher and Yates' shuffle (Knuth, The Art of Computer Programming 2, 3.4.2, algorithm P) with the words of <see cref="Philox"/>,
/// made uniform without bias by Lemire's rejection ("Fast random integer generation in an interval", 2019).
/// </remarks>
public static class RowOrder
{
    /// <summary>Streams of shuffles, apart from those of parameters and dropout: "rows".</summary>
    private const ulong Stream = 0x726F7773UL << 32;

    /// <summary>Writes a permutation of 0 to n - 1.</summary>
    /// <param name="seed">The seed.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    /// <param name="rows">n rows to write.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="epoch"/> is negative.</exception>
    public static void Fill(ulong seed, int epoch, Span<int> rows)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(epoch);
        Identity(rows);
        Shuffle(seed, epoch, rows);
    }

    /// <summary>Brings rows into a random order; what comes out depends on the order that they come in, too.</summary>
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

    /// <summary>A number below a bound, each as likely as the others.</summary>
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
