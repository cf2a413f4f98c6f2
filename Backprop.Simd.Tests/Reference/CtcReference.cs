namespace Backprop.Simd.Tests.Reference;

/// <summary>Connectionist temporal classification of one row, in double: its loss and the gradient by its logits, [steps, classes].</summary>
internal sealed record CtcReference(double Loss, double[] Gradient)
{
    /// <summary>By definition: every path of classes is tried; those that give the target, without repetitions and then without blanks, count.</summary>
    public static CtcReference BruteForce(double[] logits, int classes, int[] target, int blank)
    {
        var steps = logits.Length / classes;
        var p = Softmax(logits, classes);
        var total = 0.0;
        var posterior = new double[p.Length];
        var path = new int[steps];
        for (var number = 0L; number < (long)Math.Pow(classes, steps); number++)
        {
            var rest = number;
            for (var t = 0; t < steps; t++, rest /= classes)
                path[t] = (int)(rest % classes);
            if (!path.Where((k, t) => k != blank && (t == 0 || path[t - 1] != k)).SequenceEqual(target))
                continue;
            var probability = path.Select((k, t) => p[t * classes + k]).Aggregate(1.0, (a, b) => a * b);
            total += probability;
            for (var t = 0; t < steps; t++)
                posterior[t * classes + path[t]] += probability;
        }

        return new(0 - Math.Log(total), [.. p.Select((v, i) => v - posterior[i] / total)]);
    }

    /// <summary>The recursions of Graves et al., equations 6 to 16, as they stand: 2 n + 1 states, probabilities by their logarithms.</summary>
    public static CtcReference Recursion(double[] logits, int classes, int[] target, int blank)
    {
        var (steps, states) = (logits.Length / classes, 2 * target.Length + 1);
        var p = Softmax(logits, classes);
        int Label(int s) => s % 2 == 0 ? blank : target[s / 2];
        bool Skips(int s) => s >= 2 && Label(s) != blank && Label(s) != Label(s - 2);
        double[,] alpha = new double[steps, states], beta = new double[steps, states];
        for (var t = 0; t < steps; t++)
        {
            for (var s = 0; s < states; s++)
            {
                var (u, r) = (steps - 1 - t, states - 1 - s);
                double Before(int back) => s >= back ? alpha[t - 1, s - back] : double.NegativeInfinity;
                double Behind(int ahead) => r + ahead < states ? beta[u + 1, r + ahead] : double.NegativeInfinity;
                var first = s < 2 ? 0 : double.NegativeInfinity;
                var a = t == 0 ? first : LogSum(Before(0), Before(1), Skips(s) ? Before(2) : double.NegativeInfinity);
                var b = t == 0 ? first : LogSum(Behind(0), Behind(1), r + 2 < states && Skips(r + 2) ? Behind(2) : double.NegativeInfinity);
                alpha[t, s] = a + Math.Log(p[t * classes + Label(s)]);
                beta[u, r] = b + Math.Log(p[u * classes + Label(r)]);
            }
        }

        var total = LogSum(alpha[steps - 1, states - 1], states > 1 ? alpha[steps - 1, states - 2] : double.NegativeInfinity);
        var gradient = p.ToArray();
        for (var t = 0; t < steps; t++)
        {
            for (var s = 0; s < states; s++)
                gradient[t * classes + Label(s)] -= Math.Exp(alpha[t, s] + beta[t, s] - Math.Log(p[t * classes + Label(s)]) - total);
        }

        return new(0 - total, gradient);
    }

    private static double[] Softmax(double[] logits, int classes) =>
        [.. logits.Chunk(classes).SelectMany(x => x.Select(v => Math.Exp(v - x.Max()) / x.Sum(u => Math.Exp(u - x.Max()))))];

    private static double LogSum(params double[] terms)
    {
        var largest = terms.Max();
        return double.IsNegativeInfinity(largest) ? largest : largest + Math.Log(terms.Sum(t => Math.Exp(t - largest)));
    }
}
