namespace Backprop.Simd.Tests.Reference;

/// <summary>Softmax and its logarithm over rows of a size, and their backward passes by the Jacobian, in double.</summary>
internal static class SoftmaxReference
{
    public static double[] Softmax(double[] x, int size) => ByRow(x, size, row => [.. LossReference.LogSoftmax(row).Select(Math.Exp)]);

    public static double[] LogSoftmax(double[] x, int size) => ByRow(x, size, row => LossReference.LogSoftmax(row));

    /// <summary>dx_j = sum over i of dy_i p_i ([i = j] - p_j).</summary>
    public static double[] SoftmaxBackward(double[] x, double[] dy, int size) =>
        Backward(x, dy, size, (p, i, j) => p[i] * ((i == j ? 1 : 0) - p[j]));

    /// <summary>dx_j = sum over i of dy_i ([i = j] - p_j).</summary>
    public static double[] LogSoftmaxBackward(double[] x, double[] dy, int size) =>
        Backward(x, dy, size, (p, i, j) => (i == j ? 1 : 0) - p[j]);

    private static double[] Backward(double[] x, double[] dy, int size, Func<double[], int, int, double> jacobian)
    {
        var p = Softmax(x, size);
        var dx = new double[x.Length];
        for (var start = 0; start < x.Length; start += size)
        {
            var row = p[start..(start + size)];
            for (var j = 0; j < size; j++)
            {
                for (var i = 0; i < size; i++)
                    dx[start + j] += dy[start + i] * jacobian(row, i, j);
            }
        }

        return dx;
    }

    private static double[] ByRow(double[] x, int size, Func<double[], double[]> f) => [.. x.Chunk(size).SelectMany(f)];
}
