using System.Runtime.CompilerServices;

namespace Backprop.Simd.Kernels;

/// <summary>
/// Philox4x32-10: a counter-based random generator. Block n of a stream is a function of (seed, stream, n), so that any draw can
/// be made anywhere, in any order, by any thread, with the same bits.
/// </summary>
/// <remarks>
/// Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. The key is the seed; the low half of
/// the 128-bit counter numbers the blocks, the high half is the stream. Integer operations and individually rounded IEEE double
/// operations only: the same bits on every machine. Copying the struct copies its position; pass it by reference to advance it.
/// </remarks>
public struct Philox : IEquatable<Philox>
{
    private readonly ulong _seed;
    private readonly ulong _stream;
    private ulong _counter;
    private uint _x, _y, _z, _w;
    private int _left;
    private bool _hasSpare;
    private double _spare;

    /// <summary>Starts a stream at its first block.</summary>
    /// <param name="seed">The key: streams of different seeds are independent.</param>
    /// <param name="stream">Which of the 2^64 streams of this seed.</param>
    public Philox(ulong seed, ulong stream)
    {
        _seed = seed;
        _stream = stream;
    }

    /// <summary>The block of 128 random bits for a counter and a key.</summary>
    /// <param name="counterLow">The low half of the counter.</param>
    /// <param name="counterHigh">The high half of the counter.</param>
    /// <param name="key">The key.</param>
    /// <returns>Four independent words.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static (uint X, uint Y, uint Z, uint W) Block(ulong counterLow, ulong counterHigh, ulong key)
    {
        uint x = (uint)counterLow, y = (uint)(counterLow >> 32), z = (uint)counterHigh, w = (uint)(counterHigh >> 32);
        uint k0 = (uint)key, k1 = (uint)(key >> 32);
        for (var round = 0; round < 10; round++)
        {
            var left = 0xD2511F53UL * x;
            var right = 0xCD9E8D57UL * z;
            x = (uint)(right >> 32) ^ y ^ k0;
            y = (uint)right;
            z = (uint)(left >> 32) ^ w ^ k1;
            w = (uint)left;
            k0 += 0x9E3779B9;
            k1 += 0xBB67AE85;
        }

        return (x, y, z, w);
    }

    /// <summary>32 random bits.</summary>
    /// <returns>The next word of the stream.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public uint NextUInt32()
    {
        if (_left == 0)
        {
            (_x, _y, _z, _w) = Block(_counter++, _stream, _seed);
            _left = 4;
        }

        return _left-- switch { 4 => _x, 3 => _y, 2 => _z, _ => _w };
    }

    /// <summary>64 random bits: two words, the low one first.</summary>
    /// <returns>The next two words of the stream.</returns>
    public ulong NextUInt64()
    {
        ulong low = NextUInt32();
        return low | (ulong)NextUInt32() << 32;
    }

    /// <summary>A number uniform in [0, 1): the upper 53 bits of <see cref="NextUInt64"/>, times 2^-53.</summary>
    /// <returns>A multiple of 2^-53 in [0, 1).</returns>
    public double NextDouble() => ToDouble(NextUInt64());

    /// <summary>The next numbers of <see cref="NextDouble"/>, block by block.</summary>
    /// <remarks>Optimized from the first call: a network draws all its parameters before the runtime finds this method hot.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void NextDoubles(Span<double> destination)
    {
        var i = 0;
        for (; _left > 0 && i < destination.Length; i++)
            destination[i] = NextDouble();
        for (; i < destination.Length - 1; i += 2)
        {
            var (x, y, z, w) = Block(_counter++, _stream, _seed);
            destination[i] = ToDouble(x | (ulong)y << 32);
            destination[i + 1] = ToDouble(z | (ulong)w << 32);
        }

        if (i < destination.Length)
            destination[i] = NextDouble();
    }

    /// <summary>A number from the standard normal distribution, by Marsaglia's polar method.</summary>
    /// <remarks>The method makes two at a time; the second is kept for the next call.</remarks>
    /// <returns>A normal number with mean 0 and variance 1.</returns>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public double NextNormal()
    {
        if (_hasSpare)
        {
            _hasSpare = false;
            return _spare;
        }

        double u, v, s;
        do
        {
            u = 2 * NextDouble() - 1;
            v = 2 * NextDouble() - 1;
            s = u * u + v * v;
        }
        while (s >= 1 || s == 0);

        var factor = Math.Sqrt(-2 * PortableMath.Log(s) / s);
        _spare = v * factor;
        _hasSpare = true;
        return u * factor;
    }

    private static double ToDouble(ulong bits) => (bits >> 11) * (1.0 / (1UL << 53));

    /// <summary>True if both generators will draw the same numbers.</summary>
    /// <param name="other">The other generator.</param>
    /// <returns>Whether seed, stream and position are equal.</returns>
    public readonly bool Equals(Philox other) =>
        (_seed, _stream, _counter, _left, _hasSpare) == (other._seed, other._stream, other._counter, other._left, other._hasSpare)
        && (!_hasSpare || _spare.Equals(other._spare));

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is Philox other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(_seed, _stream, _counter, _left, _hasSpare);

    /// <summary>See <see cref="Equals(Philox)"/>.</summary>
    /// <param name="left">One generator.</param>
    /// <param name="right">The other generator.</param>
    public static bool operator ==(Philox left, Philox right) => left.Equals(right);

    /// <summary>See <see cref="Equals(Philox)"/>.</summary>
    /// <param name="left">One generator.</param>
    /// <param name="right">The other generator.</param>
    public static bool operator !=(Philox left, Philox right) => !left.Equals(right);
}
