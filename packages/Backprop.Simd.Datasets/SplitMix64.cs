namespace Backprop.Simd.Datasets;

/// <summary>
/// SplitMix64 (Steele, Lea, Flood 2014): the state advances by 0x9E3779B97F4A7C15, and the output is
/// <c>z = s; z = (z ^ z>>30) * 0xBF58476D1CE4E5B9; z = (z ^ z>>27) * 0x94D049BB133111EB; z ^ z>>31</c>, all modulo 2^64.
/// Integer operations only: the same numbers on every machine.
/// </summary>
internal struct SplitMix64(ulong seed)
{
    private ulong _state = seed;

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>
    /// A number in [0, bound): the high half of Next() * bound. The probabilities differ from 1/bound by at most 2^-64.
    /// </summary>
    public int Next(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);
}
