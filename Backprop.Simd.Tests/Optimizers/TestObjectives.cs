using System.Numerics;

namespace Backprop.Simd.Tests.Optimizers;

/// <summary>Functions to make small; all are 0 at their minimum.</summary>
internal static class TestObjectives
{
    /// <summary>(1 - x)^2 + 100 (y - x^2)^2, over pairs.</summary>
    public static double Rosenbrock<T>(ReadOnlySpan<T> w, Span<T> g) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sum = 0.0;
        for (var i = 0; i + 1 < w.Length; i += 2)
        {
            double x = double.CreateTruncating(w[i]), y = double.CreateTruncating(w[i + 1]), off = y - x * x;
            g[i] = T.CreateTruncating(-2 * (1 - x) - 400 * x * off);
            g[i + 1] = T.CreateTruncating(200 * off);
            sum += (1 - x) * (1 - x) + 100 * off * off;
        }

        return sum;
    }

    /// <summary>sum of c_i w_i^2 / 2, with c from 1 to 1000 in equal ratios, turned by a reflection so that no axis is special.</summary>
    public static double Quadratic<T>(ReadOnlySpan<T> w, Span<T> g) where T : unmanaged, IFloatingPointIeee754<T>
    {
        // u = (I - 2 v v^T) w with v_i = 1 / sqrt(n).
        var (n, mean, sum, turned) = (w.Length, 0.0, 0.0, 0.0);
        foreach (var value in w)
            mean += double.CreateTruncating(value) / n;
        var slopes = new double[n];
        for (var i = 0; i < n; i++)
        {
            var (c, u) = (Math.Pow(1000, (double)i / (n - 1)), double.CreateTruncating(w[i]) - 2 * mean);
            slopes[i] = c * u;
            turned += c * u / n;
            sum += 0.5 * c * u * u;
        }

        for (var i = 0; i < n; i++)
            g[i] = T.CreateTruncating(slopes[i] - 2 * turned);
        return sum;
    }
}
