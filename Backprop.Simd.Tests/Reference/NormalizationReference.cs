namespace Backprop.Simd.Tests.Reference;

/// <summary>
/// Normalizations by the definition, in double. Element i belongs to the group g(i), over which statistics are taken, and has
/// the weight and bias p(i): batch normalization groups by channel, layer normalization by row.
/// </summary>
internal sealed class NormalizationReference(Func<int, int> group, Func<int, int> parameter, double epsilon, bool subtractsMean = true)
{
    /// <summary>The mean of each group; 0 where it is not subtracted.</summary>
    public double[] Means(double[] x) => Groups(x).Select(g => subtractsMean ? g.Average() : 0).ToArray();

    /// <summary>The mean square deviation of each group.</summary>
    public double[] Variances(double[] x) => Groups(x).Zip(Means(x), (g, m) => g.Average(v => (v - m) * (v - m))).ToArray();

    /// <summary>y = weight (x - mean) / sqrt(variance + epsilon) + bias.</summary>
    public double[] Forward(double[] x, double[] weight, double[] bias) =>
        [.. Normalized(x).Select((value, i) => weight[parameter(i)] * value + bias[parameter(i)])];

    /// <summary>dx, dweight, dbias, the first as the full Jacobian of each group: dxhat_i / dx_j = (1[i = j] - 1/n - xhat_i xhat_j / n) / sigma.</summary>
    public (double[] Dx, double[] Dw, double[] Db) Backward(double[] x, double[] weight, double[] dy)
    {
        var xhat = Normalized(x);
        var variances = Variances(x);
        var (dx, dw, db) = (new double[x.Length], new double[weight.Length], new double[weight.Length]);
        foreach (var members in Enumerable.Range(0, x.Length).GroupBy(group).Select(g => g.ToArray()))
        {
            var n = members.Length;
            var sigma = Math.Sqrt(variances[group(members[0])] + epsilon);
            foreach (var j in members)
            {
                foreach (var i in members)
                    dx[j] += dy[i] * weight[parameter(i)] * ((i == j ? 1 : 0) - (subtractsMean ? 1.0 / n : 0) - xhat[i] * xhat[j] / n) / sigma;
            }
        }

        for (var i = 0; i < x.Length; i++)
        {
            dw[parameter(i)] += dy[i] * xhat[i];
            db[parameter(i)] += dy[i];
        }

        return (dx, dw, db);
    }

    private double[] Normalized(double[] x)
    {
        var (means, variances) = (Means(x), Variances(x));
        return [.. x.Select((value, i) => (value - means[group(i)]) / Math.Sqrt(variances[group(i)] + epsilon))];
    }

    private List<double[]> Groups(double[] x) =>
        [.. Enumerable.Range(0, x.Length).GroupBy(group).OrderBy(g => g.Key).Select(g => g.Select(i => x[i]).ToArray())];
}
