using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Gradients;

internal static partial class LayerSamples
{
    /// <summary>Input 0 in -2 to 2, input 1 in 0.3 to 0.7, input 2 in 0.25 to 1.75.</summary>
    private static void Fractions(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        foreach (ref var value in values)
            value = input == 0 ? 2 * random.Signed<double>() : input == 1 ? 0.5 + 0.2 * random.Signed<double>() : 1 + 0.75 * random.Signed<double>();
    }

    /// <summary>The distance of input 1 from input 0 keeps away from 0 and from 1 / 2; input 2 in 0.25 to 1.75.</summary>
    private static void ApartFromKinks(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        for (var i = 0; i < values.Length; i++)
        {
            var value = random.Signed<double>();
            while (input == 1 && (Math.Abs(value) < Margin || Math.Abs(Math.Abs(value) - 0.5) < Margin))
                value = random.Signed<double>();
            values[i] = input == 0 ? value : input == 1 ? first[i] + value : 1 + 0.75 * value;
        }
    }

    /// <summary>Input 0 in 0.5 to 1.5, input 1 in 1.5 to 2.5, input 2 in 0.5 to 1.5.</summary>
    private static void Rates(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        foreach (ref var value in values)
            value = (input == 1 ? 2 : 1) + 0.5 * random.Signed<double>();
    }

    private static IEnumerable<LayerSample> MoreLosses()
    {
        foreach (var r in (LossReduction[])[LossReduction.Mean, LossReduction.Sum])
        {
            yield return new(new ExpressionLoss(r), [Values()], 5, Signed) { Name = $"{r} " };
            yield return new(new ExpressionLoss(r), [Values(), Values()], 5, Fractions) { Name = $"{r} " };
            yield return new(new ExpressionLoss(r), [Shared()], 5, Signed) { Name = $"{r} " };
        }

        double[] classWeights = [0.5, 2, 0, 1.5];
        foreach (var r in Enum.GetValues<LossReduction>())
        {
            foreach (var (shape, rows) in ((EdgeType, int)[])[(Values(), 3), (Values(5), 4), (Values(2, 9), 3)])
            {
                foreach (var weighted in (bool[])[false, true])
                {
                    EdgeType[] inputs = weighted ? [shape, shape, Values()] : [shape, shape];
                    yield return new(new MeanSquaredError(r), inputs, rows, ApartFromKinks) { Name = $"{r} " };
                    yield return new(new MeanAbsoluteError(r), inputs, rows, ApartFromKinks) { Name = $"{r} " };
                    yield return new(new Huber(0.5, r), inputs, rows, ApartFromKinks) { Name = $"{r} " };
                    yield return new(new SmoothL1(0.5, r), inputs, rows, ApartFromKinks) { Name = $"{r} " };
                    yield return new(new BinaryCrossEntropy(1, r), inputs, rows, Fractions) { Name = $"{r} " };
                    yield return new(new BinaryCrossEntropy(2.5, r), inputs, rows, Fractions) { Name = $"{r}, positive weight " };
                    yield return new(new Hinge(3, r), inputs, rows, Fractions) { Name = $"{r} " };
                    yield return new(new Quantile(0.3, r), inputs, rows, ApartFromKinks) { Name = $"{r} " };
                    yield return new(new PoissonNegativeLogLikelihood(true, true, reduction: r), inputs, rows, Fractions) { Name = $"{r} " };
                    yield return new(new PoissonNegativeLogLikelihood(false, true, reduction: r), inputs, rows, Rates) { Name = $"{r}, rates " };
                    yield return new(new KullbackLeibler(false, r), inputs, rows, Fractions) { Name = $"{r} " };
                    yield return new(new KullbackLeibler(true, r), inputs, rows, ApartFromKinks) { Name = $"{r}, log target " };
                }
            }

            foreach (var weights in (EdgeType[])[Values(2), Values(2, 3)])
            {
                EdgeType[] inputs = [Values(2, 3), Values(2, 3), weights];
                yield return new(new MeanSquaredError(r), inputs, 3, ApartFromKinks) { Name = $"{r}, positions " };
                yield return new(new MeanAbsoluteError(r), inputs, 3, ApartFromKinks) { Name = $"{r}, positions " };
                yield return new(new Huber(0.5, r), inputs, 3, ApartFromKinks) { Name = $"{r}, positions " };
                yield return new(new SmoothL1(0.5, r), inputs, 3, ApartFromKinks) { Name = $"{r}, positions " };
                yield return new(new BinaryCrossEntropy(2.5, r), inputs, 3, Fractions) { Name = $"{r}, positions " };
            }

            foreach (var weighted in (bool[])[false, true])
            {
                EdgeType[] one = weighted ? [Values(4), Labels, Values()] : [Values(4), Labels];
                EdgeType[] many = [Values(3, 4), new(EdgeKind.Indices, new Shape(3)), .. weighted ? [Values()] : Array.Empty<EdgeType>()];
                EdgeType[] distributions = weighted ? [Values(2, 4), Values(2, 4), Values()] : [Values(2, 4), Values(2, 4)];
                foreach (var weights in (double[]?[])[null, classWeights])
                {
                    yield return new(new SoftmaxCrossEntropy(weights, reduction: r), one, 4, Fractions, [0, -100, 3, 1]) { Name = $"{r} " };
                    yield return new(new SoftmaxCrossEntropy(weights, 0.2, reduction: r), many, 2, Fractions, [0, -100, 3, 1, 2, 0])
                    {
                        Name = $"{r}, smoothing ",
                    };
                    yield return new(new SoftmaxCrossEntropy(weights, 0.1, reduction: r), distributions, 2, Fractions) { Name = $"{r}, distributions " };
                    yield return new(new NegativeLogLikelihood(weights, reduction: r), one, 4, Fractions, [0, -100, 3, 1]) { Name = $"{r} " };
                    yield return new(new NegativeLogLikelihood(weights, reduction: r), many, 2, Fractions, [0, -100, 3, 1, 2, 0]) { Name = $"{r} " };
                }
            }
        }
    }
}
