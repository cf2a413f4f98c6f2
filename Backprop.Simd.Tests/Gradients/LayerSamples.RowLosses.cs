using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Gradients;

internal static partial class LayerSamples
{
    /// <summary>Numbers about a center, for each input.</summary>
    private static FillInput About(params (double Center, double Spread)[] inputs) => (ref random, input, values, _) =>
    {
        foreach (ref var value in values)
            value = inputs[input].Center + inputs[input].Spread * random.Signed<double>();
    };

    /// <summary>Differences of input 0 keep away from 0.15 beside multiples of 0.3; input 2 in 0.25 to 1.75.</summary>
    private static void Steps(ref TestRandom random, int input, Span<double> values, ReadOnlySpan<double> first)
    {
        foreach (ref var value in values)
            value = input == 0 ? 0.3 * random.Integer(-5, 5) + Margin * random.Signed<double>() : 1 + 0.75 * random.Signed<double>();
    }

    /// <summary>Numbers of 0.5 to 2 and of either sign, so that no vector is short; weights in 0.25 to 1.75.</summary>
    private static FillInput LongVectors(int weights) => (ref random, input, values, first) =>
    {
        if (input != weights)
            Invertible(ref random, input, values, first);
        foreach (ref var value in input == weights ? values : [])
            value = 1 + 0.75 * random.Signed<double>();
    };

    private static IEnumerable<LayerSample> RowLosses()
    {
        foreach (var r in Enum.GetValues<LossReduction>())
        {
            foreach (var weighted in (bool[])[false, true])
            {
                EdgeType[] weights = weighted ? [Values()] : [];
                EdgeType[] one = [Values(4), Labels, .. weights], many = [Values(3, 4), new(EdgeKind.Indices, new Shape(3)), .. weights];
                yield return new(new MultiClassHinge(0.15, reduction: r), one, 4, Steps, [0, -100, 3, 1]) { Name = $"{r} " };
                yield return new(new MultiClassHinge(0.15, true, [0.5, 2, 0, 1.5], reduction: r), many, 2, Steps, [0, -100, 3, 1, 2, 0])
                {
                    Name = $"{r}, squares ",
                };

                foreach (var (shape, rows) in ((EdgeType, int)[])[(Values(3), 4), (Values(19), 3)])
                {
                    FillInput vectors = About((0, 1), (0, 1), (0, 1), (1, 0.75)), overlaps = About((0.5, 0.4), (0.5, 0.4), (1, 0.75));
                    yield return new(new CosineEmbedding(-0.5, r), [shape, shape, Values(), .. weights], rows, LongVectors(3)) { Name = $"{r} " };
                    yield return new(new TripletMargin(1.5, reduction: r), [shape, shape, shape, .. weights], rows, vectors) { Name = $"{r} " };
                    yield return new(new TripletMargin(1.5, true, 0, r), [shape, shape, shape, .. weights], rows, vectors) { Name = $"{r}, swap " };
                    yield return new(new InfoNce(0.5, reduction: r), [shape, shape, .. weights], rows, LongVectors(2)) { Name = $"{r} " };
                    yield return new(new InfoNce(0.5, true, r), [shape, shape, .. weights], rows, LongVectors(2)) { Name = $"{r}, symmetric " };
                    yield return new(new Dice(reduction: r), [shape, shape, .. weights], rows, Fractions) { Name = $"{r} " };
                    yield return new(new Dice(false, 0.25, r), [shape, shape, .. weights], rows, overlaps) { Name = $"{r}, probabilities " };
                    yield return new(new Focal(reduction: r), [shape, shape, .. weights], rows, Fractions) { Name = $"{r} " };
                    yield return new(new Focal(null, 1.5, r), [shape, shape, .. weights], rows, Fractions) { Name = $"{r}, without weights " };
                    yield return new(new BinaryCrossEntropy(2.5, r, 0.2), [shape, shape, .. weights], rows, Fractions) { Name = $"{r}, smoothed " };
                }

                foreach (var sample in Alignments(r, weights))
                    yield return sample;
                foreach (var variance in (EdgeType[])[Values(2, 3), Values(2, 1), Values(2)])
                {
                    yield return new(new GaussianNegativeLogLikelihood(reduction: r), [Values(2, 3), Values(2, 3), variance, .. weights], 3,
                        About((0, 1), (0, 1), (1, 0.5), (1, 0.75)))
                    {
                        Name = $"{r} ",
                    };
                }
            }

            foreach (var weights in (EdgeType[])[Values(2), Values(2, 3)])
            {
                yield return new(new GaussianNegativeLogLikelihood(true, 1e-3, r), [Values(2, 3), Values(2, 3), Values(2), weights], 3,
                    About((0, 1), (0, 1), (1, 0.5), (1, 0.75)))
                {
                    Name = $"{r}, positions ",
                };
                yield return new(new Focal(reduction: r), [Values(2, 3), Values(2, 3), weights], 3, Fractions) { Name = $"{r}, positions " };
            }
        }
    }

    /// <summary>Short rows with repeated, no and impossible labels; long ones, whose labels fill registers.</summary>
    private static IEnumerable<LayerSample> Alignments(LossReduction r, EdgeType[] weights)
    {
        var fill = About((0, 2), (0, 0), (0, 0), (0, 0), (1, 0.75));
        EdgeType label = new(EdgeKind.Indices, Shape.Scalar);
        yield return new(new Ctc(zeroInfinity: true, reduction: r), [Values(5, 3), new(EdgeKind.Indices, new Shape(3)), label, label, .. weights], 5, fill)
        {
            Name = $"{r}, short ",
            Indices = new Dictionary<int, int[]>
            {
                [1] = [1, 2, 1, 2, 2, 1, 0, -1, 9, 1, 0, 0, 2, 2, 2],
                [2] = [5, 4, 5, 1, 4],
                [3] = [3, 3, 0, 1, 3],
            },
        };
        int[] labels = [.. Enumerable.Range(0, 22).Select(i => i * i % 7 == 4 ? 3 : i * i % 7)];
        yield return new(new Ctc(4, reduction: r), [Values(24, 7), new(EdgeKind.Indices, new Shape(11)), label, label, .. weights], 2, fill)
        {
            Name = $"{r}, long ",
            Indices = new Dictionary<int, int[]> { [1] = labels, [2] = [24, 21], [3] = [11, 8] },
        };
    }
}
