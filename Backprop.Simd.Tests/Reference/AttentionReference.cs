namespace Backprop.Simd.Tests.Reference;

/// <summary>Multi-head attention by the definition, in double, one query and head at a time.</summary>
internal static class AttentionReference
{
    /// <summary>A batch. Weights and biases are those of queries, keys, values and output; sequences those of queries, keys, values.</summary>
    public sealed record Problem(int Rows, int Steps, int Length, int Size, int Heads, bool Causal, double[][] X, double[][] Weights, double[][] Biases,
        int[] Lengths, double[] Dy);

    /// <summary>The output, and the gradients in the order of the problem's arrays.</summary>
    public sealed record Result(double[] Output, double[][] Dx, double[][] DWeights, double[][] DBiases);

    public static Result Run(Problem p)
    {
        var (size, width) = (p.Size, p.Size / p.Heads);
        var projected = Enumerable.Range(0, 3).Select(i => Linear(p.X[i], p.Weights[i], p.Biases[i], size)).ToArray();
        double[] context = new double[projected[0].Length], probabilities = new double[p.Rows * p.Heads * p.Steps * p.Length];
        ForEachPair(p, (row, head, t, keys) =>
        {
            var (q, at) = ((row * p.Steps + t) * size + head * width, ((row * p.Heads + head) * p.Steps + t) * p.Length);
            for (var s = 0; s < keys; s++)
            {
                var k = (row * p.Length + s) * size + head * width;
                probabilities[at + s] = Math.Exp(Enumerable.Range(0, width).Sum(i => projected[0][q + i] * projected[1][k + i]) / Math.Sqrt(width));
            }

            var total = probabilities[at..(at + p.Length)].Sum();
            for (var s = 0; s < keys; s++)
            {
                probabilities[at + s] /= total;
                for (var i = 0; i < width; i++)
                    context[q + i] += probabilities[at + s] * projected[2][(row * p.Length + s) * size + head * width + i];
            }
        });

        var result = new Result(Linear(context, p.Weights[3], p.Biases[3], size), new double[3][], new double[4][], new double[4][]);
        var dContext = LinearBackward(p, result, 3, context, p.Dy);
        var d = projected.Select(x => new double[x.Length]).ToArray();
        ForEachPair(p, (row, head, t, keys) =>
        {
            var (q, at) = ((row * p.Steps + t) * size + head * width, ((row * p.Heads + head) * p.Steps + t) * p.Length);
            var dp = new double[keys];
            for (var s = 0; s < keys; s++)
            {
                var k = (row * p.Length + s) * size + head * width;
                for (var i = 0; i < width; i++)
                {
                    dp[s] += dContext[q + i] * projected[2][k + i];
                    d[2][k + i] += probabilities[at + s] * dContext[q + i];
                }
            }

            var mean = Enumerable.Range(0, keys).Sum(s => probabilities[at + s] * dp[s]);
            for (var s = 0; s < keys; s++)
            {
                var k = (row * p.Length + s) * size + head * width;
                var ds = probabilities[at + s] * (dp[s] - mean) / Math.Sqrt(width);
                for (var i = 0; i < width; i++)
                {
                    d[0][q + i] += ds * projected[1][k + i];
                    d[1][k + i] += ds * projected[0][q + i];
                }
            }
        });
        for (var i = 0; i < 3; i++)
            result.Dx[i] = LinearBackward(p, result, i, p.X[i], d[i]);
        return result;
    }

    /// <summary>Each query of each head, with the number of keys that it sees.</summary>
    private static void ForEachPair(Problem p, Action<int, int, int, int> action)
    {
        for (var row = 0; row < p.Rows; row++)
        {
            for (var head = 0; head < p.Heads; head++)
            {
                for (var t = 0; t < p.Steps; t++)
                    action(row, head, t, p.Causal ? Math.Min(p.Lengths[row], t + 1) : p.Lengths[row]);
            }
        }
    }

    private static double[] Linear(double[] x, double[] w, double[] b, int size) => AffineReference.Forward(x, w, b, x.Length / size, size, size);

    private static double[] LinearBackward(Problem p, Result result, int index, double[] x, double[] dy)
    {
        (var dx, result.DWeights[index], result.DBiases[index]) = AffineReference.Backward(x, p.Weights[index], dy, x.Length / p.Size, p.Size, p.Size);
        return dx;
    }
}
