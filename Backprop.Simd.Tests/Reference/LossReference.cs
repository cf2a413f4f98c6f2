namespace Backprop.Simd.Tests.Reference;

/// <summary>Losses by their definitions, in double, row by row.</summary>
internal static class LossReference
{
    /// <summary>log softmax(x)_c = x_c - max - ln sum exp(x - max).</summary>
    public static double[] LogSoftmax(ReadOnlySpan<double> x)
    {
        var max = double.NegativeInfinity;
        foreach (var value in x)
            max = Math.Max(max, value);
        var sum = 0.0;
        foreach (var value in x)
            sum += Math.Exp(value - max);
        var result = new double[x.Length];
        for (var c = 0; c < x.Length; c++)
            result[c] = x[c] - max - Math.Log(sum);
        return result;
    }

    /// <summary>PyTorch's CrossEntropyLoss with reduction 'mean' over class indices, and its gradient by the logits.</summary>
    public static (double Loss, double[] Gradient) CrossEntropy(
        double[] logits, int[] labels, double[]? weights = null, double smoothing = 0, int ignoreIndex = -100)
    {
        var classes = logits.Length / labels.Length;
        weights ??= [.. Enumerable.Repeat(1.0, classes)];
        var kept = Enumerable.Range(0, labels.Length).Where(r => labels[r] != ignoreIndex).ToArray();
        var denominator = kept.Sum(r => weights[labels[r]]);
        var gradient = new double[logits.Length];
        var loss = 0.0;
        foreach (var row in kept)
        {
            var log = LogSoftmax(logits.AsSpan(row * classes, classes));
            for (var c = 0; c < classes; c++)
            {
                var q = smoothing / classes * weights[c] + (c == labels[row] ? (1 - smoothing) * weights[c] : 0);
                loss -= q * log[c] / denominator;
                for (var j = 0; j < classes; j++)
                    gradient[row * classes + j] -= q * ((j == c ? 1 : 0) - Math.Exp(log[j])) / denominator;
            }
        }

        return (loss, gradient);
    }

    /// <summary>The same over target distributions; also the gradient by the targets.</summary>
    public static (double Loss, double[] Gradient, double[] TargetGradient) CrossEntropy(
        double[] logits, double[] targets, int rows, double[]? weights = null, double smoothing = 0)
    {
        var classes = logits.Length / rows;
        var (gradient, targetGradient) = (new double[logits.Length], new double[logits.Length]);
        var loss = 0.0;
        for (var row = 0; row < rows; row++)
        {
            var log = LogSoftmax(logits.AsSpan(row * classes, classes));
            for (var c = 0; c < classes; c++)
            {
                var w = weights?[c] ?? 1;
                var q = w * ((1 - smoothing) * targets[row * classes + c] + smoothing / classes);
                loss -= q * log[c] / rows;
                targetGradient[row * classes + c] = -w * (1 - smoothing) * log[c] / rows;
                for (var j = 0; j < classes; j++)
                    gradient[row * classes + j] -= q * ((j == c ? 1 : 0) - Math.Exp(log[j])) / rows;
            }
        }

        return (loss, gradient, targetGradient);
    }

    /// <summary>The mean of (y - t)^2 over all elements, and its gradient by y.</summary>
    public static (double Loss, double[] Gradient) MeanSquaredError(double[] y, double[] t) =>
        (y.Zip(t, (a, b) => (a - b) * (a - b)).Average(), [.. y.Zip(t, (a, b) => 2 * (a - b) / y.Length)]);
}
