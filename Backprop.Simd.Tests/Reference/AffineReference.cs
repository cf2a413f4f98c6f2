namespace Backprop.Simd.Tests.Reference;

/// <summary>y = x W + b and its gradients by the definition, in double, dense and row-major.</summary>
internal static class AffineReference
{
    public static double[] Forward(double[] x, double[] w, double[] b, int rows, int inputs, int outputs)
    {
        var y = new double[rows * outputs];
        for (var r = 0; r < rows; r++)
        {
            for (var o = 0; o < outputs; o++)
                y[r * outputs + o] = b[o] + Enumerable.Range(0, inputs).Sum(i => x[r * inputs + i] * w[i * outputs + o]);
        }

        return y;
    }

    public static (double[] Dx, double[] Dw, double[] Db) Backward(double[] x, double[] w, double[] dy, int rows, int inputs, int outputs)
    {
        var (dx, dw, db) = (new double[x.Length], new double[w.Length], new double[outputs]);
        for (var r = 0; r < rows; r++)
        {
            for (var o = 0; o < outputs; o++)
            {
                var d = dy[r * outputs + o];
                db[o] += d;
                for (var i = 0; i < inputs; i++)
                {
                    dx[r * inputs + i] += d * w[i * outputs + o];
                    dw[i * outputs + o] += d * x[r * inputs + i];
                }
            }
        }

        return (dx, dw, db);
    }
}
