namespace Backprop.Simd.Tests.Reference;

/// <summary>The rectifier with learned slopes by its definition, in double.</summary>
internal static class PReluReference
{
    public static double[] Forward(double[] x, double[] slopes) => [.. x.Select((v, i) => v > 0 ? v : slopes[i % slopes.Length] * v)];

    public static (double[] Dx, double[] Da) Backward(double[] x, double[] dy, double[] slopes)
    {
        var da = new double[slopes.Length];
        for (var i = 0; i < x.Length; i++)
            da[i % da.Length] += x[i] > 0 ? 0 : x[i] * dy[i];
        return ([.. x.Select((v, i) => v > 0 ? dy[i] : slopes[i % slopes.Length] * dy[i])], da);
    }
}
