namespace Backprop.Simd.Tests.Reference;

/// <summary>Products of arrays of matrices by the index of every element, in double: NumPy's matmul and its gradients.</summary>
internal static class MatrixBatchReference
{
    /// <summary>The shape of the product.</summary>
    public static int[] Shape(int[] a, int[] b) => [.. BroadcastReference.Shape(a[..^2], b[..^2]), a[^2], b[^1]];

    /// <summary>C; and, for a gradient of C, those of A and B.</summary>
    public static (double[] C, double[] Da, double[] Db) Run(double[] a, int[] aShape, double[] b, int[] bShape, Func<int, double> dc)
    {
        var shape = Shape(aShape, bShape);
        var leading = shape[..^2];
        int m = shape[^2], k = aShape[^1], n = shape[^1];
        double[] c = new double[BroadcastReference.Count(shape)], da = new double[a.Length], db = new double[b.Length];
        for (var matrix = 0; matrix < BroadcastReference.Count(leading); matrix++)
        {
            var x = BroadcastReference.Source(aShape[..^2], leading, matrix) * m * k;
            var y = BroadcastReference.Source(bShape[..^2], leading, matrix) * k * n;
            for (var i = 0; i < m; i++)
            {
                for (var j = 0; j < n; j++)
                {
                    var at = (matrix * m + i) * n + j;
                    for (var p = 0; p < k; p++)
                    {
                        c[at] += a[x + i * k + p] * b[y + p * n + j];
                        da[x + i * k + p] += dc(at) * b[y + p * n + j];
                        db[y + p * n + j] += dc(at) * a[x + i * k + p];
                    }
                }
            }
        }

        return (c, da, db);
    }
}
