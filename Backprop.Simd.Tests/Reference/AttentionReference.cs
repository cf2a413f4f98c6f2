namespace Backprop.Simd.Tests.Reference;

/// <summary>Multi-head attention by the definition, in double, one query and head at a time.</summary>
internal static class AttentionReference
{
    /// <summary>A batch. Weights and biases are those of queries, keys, values and output; sequences those of queries, keys, values.</summary>
    public sealed record Problem(int Rows, int Steps, int Length, int Size, int Heads, bool Causal, double[][] X, double[][] Weights, double[][] Biases,
        int[] Lengths, double[] Dy)
    {
        public int KeyHeads { get; init; } = Heads;

        /// <summary>Whether a query sees a key, beside lengths and causality: row, query, key.</summary>
        public Func<int, int, int, bool> Sees { get; init; } = (_, _, _) => true;

        /// <summary>What is added to a score: row, head, query, key.</summary>
        public Func<int, int, int, int, double> Bias { get; init; } = (_, _, _, _) => 0;

        /// <summary>The factor of a probability: row, head, query, key.</summary>
        public Func<int, int, int, int, double> Keeps { get; init; } = (_, _, _, _) => 1;

        /// <summary>Turns queries or keys, after the projection: the numbers of all rows, their columns, and forward or back.</summary>
        public Action<double[], int, bool> Turn { get; init; } = (_, _, _) => { };

        /// <summary>The gradient of the weights as an output, [rows, heads, T, S].</summary>
        public double[]? DWeightsOutput { get; init; }
    }

    /// <summary>The output, and the gradients in the order of the problem's arrays. Scores: dS; Probabilities: those that values were multiplied
    /// with; both [rows, heads, T, S].</summary>
    public sealed record Result(double[] Output, double[][] Dx, double[][] DWeights, double[][] DBiases, double[] DScores, double[] Probabilities);

    public static Result Run(Problem p)
    {
        var (size, width) = (p.Size, p.Size / p.Heads);
        var keySize = p.KeyHeads * width;
        var projected = Enumerable.Range(0, 3).Select(i => Linear(p.X[i], p.Weights[i], p.Biases[i])).ToArray();
        p.Turn(projected[0], size, true);
        p.Turn(projected[1], keySize, true);
        double[] context = new double[projected[0].Length], probabilities = new double[p.Rows * p.Heads * p.Steps * p.Length];
        var kept = new double[probabilities.Length];
        ForEachPair(p, (row, head, t, keys) =>
        {
            var (q, at, keyHead) = (Query(row, t, head), At(row, head, t), head / (p.Heads / p.KeyHeads));
            var scores = keys.Select(s => Enumerable.Range(0, width).Sum(i => projected[0][q + i] * projected[1][KeyOf(row, s, keyHead) + i])
                / Math.Sqrt(width) + p.Bias(row, head, t, s)).ToArray();
            var largest = scores.Length == 0 ? 0 : scores.Max();
            var total = scores.Sum(x => Math.Exp(x - largest));
            for (var j = 0; j < keys.Length && !double.IsNegativeInfinity(largest); j++)
            {
                probabilities[at + keys[j]] = Math.Exp(scores[j] - largest) / total;
                kept[at + keys[j]] = probabilities[at + keys[j]] * p.Keeps(row, head, t, keys[j]);
                for (var i = 0; i < width; i++)
                    context[q + i] += kept[at + keys[j]] * projected[2][KeyOf(row, keys[j], keyHead) + i];
            }
        });

        var result = new Result(Linear(context, p.Weights[3], p.Biases[3]), new double[3][], new double[4][], new double[4][],
            new double[probabilities.Length], kept);
        var dContext = LinearBackward(p, result, 3, context, p.Dy);
        var d = projected.Select(x => new double[x.Length]).ToArray();
        ForEachPair(p, (row, head, t, keys) =>
        {
            var (q, at, keyHead) = (Query(row, t, head), At(row, head, t), head / (p.Heads / p.KeyHeads));
            var dp = new double[p.Length];
            foreach (var s in keys)
            {
                dp[s] = p.DWeightsOutput?[at + s] ?? 0;
                for (var i = 0; i < width; i++)
                {
                    dp[s] += dContext[q + i] * projected[2][KeyOf(row, s, keyHead) + i];
                    d[2][KeyOf(row, s, keyHead) + i] += kept[at + s] * dContext[q + i];
                }

                dp[s] *= p.Keeps(row, head, t, s);
            }

            var mean = keys.Sum(s => probabilities[at + s] * dp[s]);
            foreach (var s in keys)
            {
                var ds = result.DScores[at + s] = probabilities[at + s] * (dp[s] - mean);
                for (var i = 0; i < width; i++)
                {
                    d[0][q + i] += ds * projected[1][KeyOf(row, s, keyHead) + i] / Math.Sqrt(width);
                    d[1][KeyOf(row, s, keyHead) + i] += ds * projected[0][q + i] / Math.Sqrt(width);
                }
            }
        });
        p.Turn(d[0], size, false);
        p.Turn(d[1], keySize, false);
        for (var i = 0; i < 3; i++)
            result.Dx[i] = LinearBackward(p, result, i, p.X[i], d[i]);
        return result;

        int Query(int row, int t, int head) => (row * p.Steps + t) * size + head * width;

        int KeyOf(int row, int s, int head) => (row * p.Length + s) * keySize + head * width;

        int At(int row, int head, int t) => ((row * p.Heads + head) * p.Steps + t) * p.Length;
    }

    /// <summary>Each query of each head, with the keys that it sees.</summary>
    private static void ForEachPair(Problem p, Action<int, int, int, int[]> action)
    {
        for (var row = 0; row < p.Rows; row++)
        {
            for (var head = 0; head < p.Heads; head++)
            {
                for (var t = 0; t < p.Steps; t++)
                {
                    var count = p.Causal ? Math.Min(p.Lengths[row], t + 1) : p.Lengths[row];
                    action(row, head, t, [.. Enumerable.Range(0, count).Where(s => p.Sees(row, t, s))]);
                }
            }
        }
    }

    private static double[] Linear(double[] x, double[] w, double[] b) =>
        AffineReference.Forward(x, w, b, x.Length / (w.Length / b.Length), w.Length / b.Length, b.Length);

    private static double[] LinearBackward(Problem p, Result result, int index, double[] x, double[] dy)
    {
        var outputs = p.Biases[index].Length;
        var inputs = p.Weights[index].Length / outputs;
        (var dx, result.DWeights[index], result.DBiases[index]) = AffineReference.Backward(x, p.Weights[index], dy, x.Length / inputs, inputs, outputs);
        return dx;
    }
}
