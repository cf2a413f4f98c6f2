using System.Numerics;

namespace Backprop.Simd.Tests.Reference;

/// <summary>Matrix products by the definition, dense and row-major: what the kernels are compared with.</summary>
internal static class MatrixReference
{
    /// <summary>The exact product of integers.</summary>
    public static int[] Multiply(ReadOnlySpan<int> a, ReadOnlySpan<int> b, int m, int n, int k)
    {
        var c = new int[m * n];
        for (var i = 0; i < m; i++)
        {
            var row = c.AsSpan(i * n, n);
            for (var p = 0; p < k; p++)
            {
                var x = a[i * k + p];
                var y = b.Slice(p * n, row.Length);
                for (var j = 0; j < row.Length; j++)
                    row[j] += x * y[j];
            }
        }

        return c;
    }

    /// <summary>
    /// Element (i, j) of A B in about twice double precision, and of |A| |B|: each product is split without error by a fused
    /// multiply-add, each sum by Knuth's two-sum.
    /// </summary>
    public static (double High, double Low, double Magnitude) Element<T>(ReadOnlySpan<T> a, ReadOnlySpan<T> b, int n, int k, int i, int j)
        where T : IFloatingPointIeee754<T>
    {
        double high = 0, low = 0, magnitude = 0;
        for (var p = 0; p < k; p++)
        {
            var x = double.CreateChecked(a[i * k + p]);
            var y = double.CreateChecked(b[p * n + j]);
            var product = x * y;
            low += Math.FusedMultiplyAdd(x, y, -product);
            var sum = high + product;
            var part = sum - high;
            low += high - (sum - part) + (product - part);
            high = sum;
            magnitude += Math.Abs(product);
        }

        return (high, low, magnitude);
    }
}
