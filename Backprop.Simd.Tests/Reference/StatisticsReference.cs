namespace Backprop.Simd.Tests.Reference;

/// <summary>Fixed offsets and factors by the definition, in double: element i has pair i mod the number of pairs.</summary>
internal static class StatisticsReference
{
    /// <summary>y = (x - offset) factor, and dx = dy factor.</summary>
    public static (double[] Y, double[] Dx) Normalize(double[] x, double[] dy, double[] offsets, double[] factors) =>
        ([.. x.Select((v, i) => (v - offsets[i % offsets.Length]) * factors[i % factors.Length])],
            [.. dy.Select((v, i) => v * factors[i % factors.Length])]);

    /// <summary>y = x / factor + offset, and dx = dy / factor.</summary>
    public static (double[] Y, double[] Dx) Denormalize(double[] x, double[] dy, double[] offsets, double[] factors) =>
        ([.. x.Select((v, i) => v / factors[i % factors.Length] + offsets[i % offsets.Length])],
            [.. dy.Select((v, i) => v / factors[i % factors.Length])]);
}
