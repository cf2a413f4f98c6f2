using System.Numerics;

namespace Backprop.Simd.Tests.Infrastructure;

/// <summary>A small seeded generator (xorshift64*): the same numbers on every machine and runtime.</summary>
internal struct TestRandom(ulong seed)
{
    private ulong _state = (seed + 1) * 0x9E3779B97F4A7C15 | 1;

    public ulong Next()
    {
        _state ^= _state >> 12;
        _state ^= _state << 25;
        _state ^= _state >> 27;
        return _state * 0x2545F4914F6CDD1D;
    }

    /// <summary>An integer in [low, high].</summary>
    public int Integer(int low, int high) => low + (int)((Next() >> 33) % (ulong)(high - low + 1));

    /// <summary>A number in (-1, 1), with a full mantissa in either type.</summary>
    public T Signed<T>() where T : IFloatingPointIeee754<T> => T.CreateTruncating((Next() >> 11) * (2.0 / (1UL << 53)) - 1.0);
}
