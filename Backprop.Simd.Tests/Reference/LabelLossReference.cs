namespace Backprop.Simd.Tests.Reference;

/// <summary>
/// Losses of class scores by their rows: what a row adds to the sum and to the denominator of the mean, and the gradients of a
/// row's sum, by definition, in double. A row has one position or more.
/// </summary>
internal sealed class LabelLossReference
{
    private LabelLossReference(int rows, int size)
    {
        Losses = new double[rows];
        Denominators = new double[rows];
        Gradient = new double[rows * size];
        TargetGradient = new double[rows * size];
    }

    public double[] Losses { get; }

    public double[] Denominators { get; }

    public double[] Gradient { get; }

    public double[] TargetGradient { get; }

    /// <summary>Cross-entropy of softmax with labels.</summary>
    public static LabelLossReference CrossEntropy(
        double[] x, int[] labels, int rows, double[]? weights = null, double smoothing = 0, int ignoreIndex = -100)
    {
        var classes = x.Length / labels.Length;
        return CrossEntropy(x, rows, classes, weights, smoothing,
            (i, c) => c == labels[i] ? 1 : 0, i => labels[i] == ignoreIndex ? 0 : weights?[labels[i]] ?? 1, i => labels[i] == ignoreIndex,
            (i, _) => weights?[labels[i]] ?? 1);
    }

    /// <summary>Cross-entropy of softmax with distributions.</summary>
    public static LabelLossReference CrossEntropy(
        double[] x, double[] targets, int classes, int rows, double[]? weights = null, double smoothing = 0) =>
        CrossEntropy(x, rows, classes, weights, smoothing, (i, c) => targets[i * classes + c], _ => 1, _ => false, (_, c) => weights?[c] ?? 1);

    /// <summary>-w_y x_y.</summary>
    public static LabelLossReference LogLikelihood(double[] x, int[] labels, int rows, double[]? weights = null, int ignoreIndex = -100)
    {
        var (classes, positions) = (x.Length / labels.Length, labels.Length / rows);
        var result = new LabelLossReference(rows, positions * classes);
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == ignoreIndex)
                continue;
            var w = weights?[labels[i]] ?? 1;
            result.Losses[i / positions] -= w * x[i * classes + labels[i]];
            result.Denominators[i / positions] += w;
            result.Gradient[i * classes + labels[i]] = -w;
        }

        return result;
    }

    /// <summary>w_y / K times the sum of max(0, m - x_y + x_c)^p over the other classes c.</summary>
    public static LabelLossReference Hinge(double[] x, int[] labels, int rows, double margin, bool squared, double[]? weights = null, int ignoreIndex = -100)
    {
        var (classes, positions) = (x.Length / labels.Length, labels.Length / rows);
        var result = new LabelLossReference(rows, positions * classes);
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels[i] == ignoreIndex)
                continue;
            result.Denominators[i / positions]++;
            var w = (weights?[labels[i]] ?? 1) / classes;
            for (var c = 0; c < classes; c++)
            {
                var h = margin - x[i * classes + labels[i]] + x[i * classes + c];
                if (c == labels[i] || h <= 0)
                    continue;
                result.Losses[i / positions] += w * (squared ? h * h : h);
                result.Gradient[i * classes + c] += w * (squared ? 2 * h : 1);
                result.Gradient[i * classes + labels[i]] -= w * (squared ? 2 * h : 1);
            }
        }

        return result;
    }

    private static LabelLossReference CrossEntropy(
        double[] x, int rows, int classes, double[]? weights, double smoothing,
        Func<int, int, double> target, Func<int, double> denominator, Func<int, bool> ignored, Func<int, int, double> weightOfTarget)
    {
        var (count, positions) = (x.Length / classes, x.Length / classes / rows);
        var result = new LabelLossReference(rows, positions * classes);
        for (var i = 0; i < count; i++)
        {
            result.Denominators[i / positions] += denominator(i);
            if (ignored(i))
                continue;
            var log = LossReference.LogSoftmax(x.AsSpan(i * classes, classes));
            for (var c = 0; c < classes; c++)
            {
                var q = (1 - smoothing) * weightOfTarget(i, c) * target(i, c) + smoothing / classes * (weights?[c] ?? 1);
                result.Losses[i / positions] -= q == 0 ? 0 : q * log[c];
                result.TargetGradient[i * classes + c] = -(weights?[c] ?? 1) * (1 - smoothing) * log[c];
                for (var j = 0; j < classes; j++)
                    result.Gradient[i * classes + j] -= q * ((j == c ? 1 : 0) - Math.Exp(log[j]));
            }
        }

        return result;
    }
}
