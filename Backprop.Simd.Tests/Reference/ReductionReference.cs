using Backprop.Simd.Losses;

namespace Backprop.Simd.Tests.Reference;

/// <summary>Mean, sum and none of row losses, by definition, in double.</summary>
internal static class ReductionReference
{
    /// <summary>The outputs, the gradient by each row's loss and that by each row's weight, for gradients of the outputs.</summary>
    public static (double[] Outputs, double[] Scales, double[] WeightGradient) Reduce(
        double[] losses, double[] denominators, double[]? weights, LossReduction reduction, double[] seeds)
    {
        var w = weights ?? [.. losses.Select(_ => 1.0)];
        var d = reduction == LossReduction.Mean ? w.Zip(denominators, (a, b) => a * b).Sum() : 1;
        if (reduction == LossReduction.None)
            return ([.. w.Zip(losses, (a, b) => a * b)], [.. w.Zip(seeds, (a, b) => a * b)], [.. losses.Zip(seeds, (a, b) => a * b)]);
        if (d == 0)
            return ([0], new double[w.Length], new double[w.Length]);
        var loss = w.Zip(losses, (a, b) => a * b).Sum() / d;
        return ([loss], [.. w.Select(a => seeds[0] * a / d)],
            [.. losses.Zip(denominators, (l, c) => seeds[0] * (l - (reduction == LossReduction.Mean ? c * loss : 0)) / d)]);
    }
}
