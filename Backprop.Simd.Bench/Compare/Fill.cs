using System.Numerics;
using Backprop.Simd.Kernels;

namespace Backprop.Simd.Bench;

/// <summary>Test data, the same on every machine and for every side.</summary>
internal static class Fill
{
    /// <summary>Values after which a long vector repeats: making them would else take longer than the measurements.</summary>
    private const int Period = 65521;

    /// <summary>Uniform values in [<paramref name="low"/>, <paramref name="high"/>).</summary>
    public static void Uniform<T>(Span<T> values, ulong seed, double low = -1, double high = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new Philox(seed, stream: 0);
        foreach (ref var value in values[..Math.Min(Period, values.Length)])
            value = T.CreateTruncating(low + (high - low) * (random.NextUInt32() >> 8) / (1 << 24));
        for (var i = Period; i < values.Length; i += Period)
            values[..Math.Min(Period, values.Length - i)].CopyTo(values[i..]);
    }

    /// <summary>Labels in [0, <paramref name="classes"/>).</summary>
    public static int[] Labels(int count, int classes, ulong seed)
    {
        var random = new Philox(seed, stream: 1);
        return [.. Enumerable.Range(0, count).Select(_ => (int)(random.NextUInt32() % (uint)classes))];
    }

    /// <summary>u, half the distance from 1 to the next number.</summary>
    public static double UnitRoundoff<T>()
        where T : unmanaged, IFloatingPointIeee754<T> => double.CreateTruncating(T.BitIncrement(T.One) - T.One) / 2;

    public static double[] ToDouble<T>(ReadOnlySpan<T> values)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var result = new double[values.Length];
        for (var i = 0; i < values.Length; i++)
            result[i] = double.CreateTruncating(values[i]);
        return result;
    }
}
