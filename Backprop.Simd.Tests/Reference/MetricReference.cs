namespace Backprop.Simd.Tests.Reference;

/// <summary>Metrics straight from their definitions, over all rows at once.</summary>
internal static class MetricReference
{
    /// <summary>The classes of one position in the order of their outputs, equal ones in the order of classes; none where one is NaN.</summary>
    public static int[] Ranking(double[] outputs) =>
        outputs.Any(double.IsNaN) ? [] : [.. Enumerable.Range(0, outputs.Length).OrderByDescending(i => outputs[i]).ThenBy(i => i)];

    public static double TopK(double[][] outputs, int[] labels, int k) =>
        labels.Select((label, i) => Ranking(outputs[i]).Take(k).Contains(label) ? 1.0 : 0).Average();

    public static (double Precision, double Recall, double F1) Macro(double[][] outputs, int[] labels, int classes)
    {
        var predicted = outputs.Select(o => Ranking(o) is [var first, ..] ? first : -1).ToArray();
        List<double> precisions = [], recalls = [], f1s = [];
        for (var c = 0; c < classes; c++)
        {
            double right = labels.Where((label, i) => label == c && predicted[i] == c).Count();
            double support = labels.Count(l => l == c), guesses = predicted.Count(p => p == c);
            if (support + guesses == 0)
                continue;
            precisions.Add(guesses == 0 ? 0 : right / guesses);
            recalls.Add(support == 0 ? 0 : right / support);
            f1s.Add(2 * right / (support + guesses));
        }

        return (precisions.Average(), recalls.Average(), f1s.Average());
    }

    /// <summary>All pairs.</summary>
    public static double RocAuc(double[] scores, int[] labels)
    {
        double sum = 0, pairs = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            for (var j = 0; j < scores.Length; j++)
            {
                if (labels[i] != 1 || labels[j] != 0)
                    continue;
                pairs++;
                sum += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
            }
        }

        return sum / pairs;
    }

    /// <summary>Two passes.</summary>
    public static double RSquared(double[][] outputs, double[][] targets)
    {
        var width = outputs[0].Length;
        return Enumerable.Range(0, width).Average(j =>
        {
            var mean = targets.Average(t => t[j]);
            return 1 - outputs.Zip(targets, (y, t) => Math.Pow(y[j] - t[j], 2)).Sum() / targets.Sum(t => Math.Pow(t[j] - mean, 2));
        });
    }
}
