namespace Backprop.Simd.Tests.Reference;

/// <summary>Losses of rows of several inputs: the loss of each row, and the gradients of a sum of them, each with a factor, by each input;
/// by definition, in double.</summary>
internal sealed record RowLossReference(double[] Losses, Func<double[], double[][]> Gradients)
{
    /// <summary>1 - cos, or max(0, cos - margin).</summary>
    public static RowLossReference Cosine(double[] x, double[] y, double[] t, double margin)
    {
        var size = x.Length / t.Length;
        var losses = new double[t.Length];
        double[] dx = new double[x.Length], dy = new double[x.Length];
        for (var row = 0; row < t.Length; row++)
        {
            double xx = 1e-12, yy = 1e-12, xy = 0;
            for (var i = row * size; i < (row + 1) * size; i++)
                (xx, yy, xy) = (xx + x[i] * x[i], yy + y[i] * y[i], xy + x[i] * y[i]);
            var cosine = xy / Math.Sqrt(xx * yy);
            losses[row] = t[row] > 0 ? 1 - cosine : t[row] < 0 ? Math.Max(0, cosine - margin) : 0;
            var slope = t[row] > 0 ? -1 : t[row] < 0 && cosine >= margin ? 1 : 0;
            for (var i = row * size; i < (row + 1) * size; i++)
            {
                dx[i] = slope * (y[i] / Math.Sqrt(xx * yy) - cosine * x[i] / xx);
                dy[i] = slope * (x[i] / Math.Sqrt(xx * yy) - cosine * y[i] / yy);
            }
        }

        return new(losses, scales => [Scaled(dx, scales), Scaled(dy, scales), new double[t.Length]]);
    }

    /// <summary>max(0, |a - p| - |a - n| + margin).</summary>
    public static RowLossReference Triplet(double[] a, double[] p, double[] n, int rows, double margin, bool swap, double epsilon = 1e-6)
    {
        var size = a.Length / rows;
        var losses = new double[rows];
        double[] da = new double[a.Length], dp = new double[a.Length], dn = new double[a.Length];
        for (var row = 0; row < rows; row++)
        {
            double Distance(double[] u, double[] v) =>
                Math.Sqrt(Enumerable.Range(row * size, size).Sum(i => (u[i] - v[i] + epsilon) * (u[i] - v[i] + epsilon)));
            var (near, far, other) = (Distance(a, p), Distance(a, n), Distance(p, n));
            var negative = swap ? Math.Min(far, other) : far;
            losses[row] = Math.Max(0, near - negative + margin);
            if (near - negative + margin < 0)
                continue;
            var (first, second) = !swap ? (1.0, 0.0) : far < other ? (1, 0) : far > other ? (0, 1) : (0.5, 0.5);
            for (var i = row * size; i < (row + 1) * size; i++)
            {
                var (u, v, w) = (near == 0 ? 0 : (a[i] - p[i] + epsilon) / near, far == 0 ? 0 : first * (a[i] - n[i] + epsilon) / far,
                    other == 0 ? 0 : second * (p[i] - n[i] + epsilon) / other);
                (da[i], dp[i], dn[i]) = (u - v, -u - w, v + w);
            }
        }

        return new(losses, scales => [Scaled(da, scales), Scaled(dp, scales), Scaled(dn, scales)]);
    }

    /// <summary>1 - (2 sum p t + s) / (sum p + sum t + s).</summary>
    public static RowLossReference Dice(double[] y, double[] t, int rows, bool logits, double smooth)
    {
        var size = y.Length / rows;
        var losses = new double[rows];
        double[] p = logits ? [.. y.Select(ElementaryFunctions.Sigmoid)] : y, dy = new double[y.Length], dt = new double[y.Length];
        for (var row = 0; row < rows; row++)
        {
            var range = Enumerable.Range(row * size, size).ToArray();
            var (top, bottom) = (2 * range.Sum(i => p[i] * t[i]) + smooth, range.Sum(i => p[i] + t[i]) + smooth);
            losses[row] = 1 - top / bottom;
            foreach (var i in range)
            {
                dy[i] = (top / bottom - 2 * t[i]) / bottom * (logits ? p[i] * ElementaryFunctions.Sigmoid(-y[i]) : 1);
                dt[i] = (top / bottom - 2 * p[i]) / bottom;
            }
        }

        return new(losses, scales => [Scaled(dy, scales), Scaled(dt, scales)]);
    }

    /// <summary>(log max(v, epsilon) + d^2 / max(v, epsilon)) / 2 by blocks of elements that one weight belongs to.</summary>
    public static RowLossReference Gaussian(double[] y, double[] t, double[] v, int blocks, bool full, double epsilon)
    {
        var (size, each) = (y.Length / blocks, y.Length / v.Length);
        double U(int i) => Math.Max(v[i / each], epsilon);
        var losses = Enumerable.Range(0, blocks).Select(b => Enumerable.Range(b * size, size)
            .Sum(i => (Math.Log(U(i)) + (y[i] - t[i]) * (y[i] - t[i]) / U(i) + (full ? Math.Log(2 * Math.PI) : 0)) / 2)).ToArray();
        double[] dy = [.. y.Select((m, i) => (m - t[i]) / U(i))], dv = [.. y.Select((m, i) => (1 - (m - t[i]) * (m - t[i]) / U(i)) / U(i) / 2)];
        return new(losses, scales =>
            [Scaled(dy, scales), Scaled([.. dy.Select(d => -d)], scales), [.. Scaled(dv, scales).Chunk(each).Select(c => c.Sum())]]);
    }

    /// <summary>-s_ii + log sum e^s_ij of the rows that take part.</summary>
    public static RowLossReference InfoNce(double[] x, double[] y, int rows, double temperature, bool symmetric, double[]? weights = null)
    {
        var size = x.Length / rows;
        int[] kept = [.. Enumerable.Range(0, rows).Where(r => weights is null || weights[r] != 0)];
        double Length(double[] v, int row) => Math.Max(1e-12, Math.Sqrt(v.AsSpan(row * size, size).ToArray().Sum(e => e * e)));
        double Similarity(int i, int j) =>
            Enumerable.Range(0, size).Sum(d => x[i * size + d] * y[j * size + d]) / Length(x, i) / Length(y, j) / temperature;
        double[] logs = new double[rows], reversed = new double[rows], losses = new double[rows];
        foreach (var i in kept)
        {
            logs[i] = LogSum([.. kept.Select(j => Similarity(i, j))]);
            reversed[i] = LogSum([.. kept.Select(j => Similarity(j, i))]);
            losses[i] = symmetric ? (logs[i] + reversed[i]) / 2 - Similarity(i, i) : logs[i] - Similarity(i, i);
        }

        return new(losses, scales =>
        {
            double[] dx = new double[x.Length], dy = new double[x.Length];
            foreach (var i in kept)
            {
                foreach (var j in kept)
                {
                    var half = symmetric ? 0.5 : 1;
                    var same = i == j ? 1 : 0;
                    var g = half * scales[i] * (Math.Exp(Similarity(i, j) - logs[i]) - same);
                    if (symmetric)
                        g += half * scales[j] * (Math.Exp(Similarity(i, j) - reversed[j]) - same);

                    // By s_ij, which has the derivative (y / |y| - cos x / |x|) / (|x| temperature) by x.
                    for (var d = 0; d < size; d++)
                    {
                        var (u, v) = (x[i * size + d] / Length(x, i), y[j * size + d] / Length(y, j));
                        var cosine = Similarity(i, j) * temperature;
                        dx[i * size + d] += g * (v - cosine * u) / Length(x, i) / temperature;
                        dy[j * size + d] += g * (u - cosine * v) / Length(y, j) / temperature;
                    }
                }
            }

            return [dx, dy];
        });
    }

    private static double LogSum(double[] s) => s.Max() + Math.Log(s.Sum(v => Math.Exp(v - s.Max())));

    private static double[] Scaled(double[] gradient, double[] scales) =>
        [.. gradient.Select((g, i) => scales[i / (gradient.Length / scales.Length)] is var s && s == 0 ? 0 : s * g)];
}
