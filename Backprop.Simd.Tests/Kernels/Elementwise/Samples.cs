using System.Numerics;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Values for elementwise tests.</summary>
internal static class Samples
{
    /// <summary>Zeros, ones, subnormals, the ends of the range, infinities and NaN.</summary>
    public static T[] Special<T>() where T : unmanaged, IFloatingPointIeee754<T>
    {
        var single = typeof(T) == typeof(float);
        var max = T.CreateTruncating(single ? float.MaxValue : double.MaxValue);
        var leastNormal = T.CreateTruncating(single ? 1.17549435e-38 : 2.2250738585072014e-308);
        T[] positive =
        [
            T.Zero, T.One, T.Epsilon, leastNormal, T.BitDecrement(leastNormal), max, T.PositiveInfinity, T.CreateTruncating(0.5),
            T.CreateTruncating(1e-3), T.CreateTruncating(20), T.CreateTruncating(88.7), T.CreateTruncating(104), T.CreateTruncating(709.7),
            T.CreateTruncating(745.2), T.CreateTruncating(1e8), T.CreateTruncating(0.625), T.BitDecrement(T.One), T.BitIncrement(T.One),
        ];
        return [.. positive, .. positive.Select(x => -x), T.NaN];
    }

    /// <summary>Special values and ordinary ones, mixed; <paramref name="seed"/> shifts them against each other.</summary>
    public static T[] Mixed<T>(int length, int seed) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var special = Special<T>();
        var random = new Random(seed);
        var values = new T[length];
        for (var i = 0; i < length; i++)
            values[i] = random.Next(3) == 0 ? special[random.Next(special.Length)] : T.CreateTruncating(20 * random.NextDouble() - 10);
        return values;
    }

    /// <summary>Ordinary values in [-3, 3).</summary>
    public static T[] Ordinary<T>(int length, int seed) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new Random(seed);
        var values = new T[length];
        foreach (ref var value in values.AsSpan())
            value = T.CreateTruncating(6 * random.NextDouble() - 3);
        return values;
    }

    /// <summary>Every length from none to four vectors and three elements.</summary>
    public static IEnumerable<int> Lengths<T>() => Enumerable.Range(0, 4 * Vector<T>.Count + 4);
}
