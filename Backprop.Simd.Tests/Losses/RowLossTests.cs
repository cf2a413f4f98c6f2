using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Losses;

/// <summary>Losses of pairs and triplets of vectors, of whole rows, and of means and variances.</summary>
public sealed class RowLossTests
{
    private const double Inf = double.PositiveInfinity;

    /// <summary>A loss by name, the shapes of a row of its inputs for vectors of a size, and its definition.</summary>
    private sealed record Case(ReducedLoss Loss, Func<int, Shape[]> Shapes, Func<double[][], int, double[]?, RowLossReference> Reference)
    {
        public override string ToString() => $"{Loss.Kind} {Loss.Reduction}";
    }

    private static IEnumerable<Case> All()
    {
        foreach (var r in Enum.GetValues<LossReduction>())
        {
            yield return new(new CosineEmbedding(0.1, r), n => [new(n), new(n), default], (x, _, _) => RowLossReference.Cosine(x[0], x[1], x[2], 0.1));
            yield return new(new TripletMargin(0.5, reduction: r), n => [new(n), new(n), new(n)],
                (x, rows, _) => RowLossReference.Triplet(x[0], x[1], x[2], rows, 0.5, swap: false));
            yield return new(new TripletMargin(1, true, 0, r), n => [new(n), new(n), new(n)],
                (x, rows, _) => RowLossReference.Triplet(x[0], x[1], x[2], rows, 1, swap: true, 0));
            yield return new(new Dice(true, 0.5, r), n => [new(n), new(n)], (x, rows, _) => RowLossReference.Dice(x[0], x[1], rows, true, 0.5));
            yield return new(new Dice(false, reduction: r), n => [new(n), new(n)],
                (x, rows, _) => RowLossReference.Dice(x[0], x[1], rows, false, 1));
            yield return new(new InfoNce(0.5, reduction: r), n => [new(n), new(n)],
                (x, rows, w) => RowLossReference.InfoNce(x[0], x[1], rows, 0.5, false, w));
            yield return new(new InfoNce(0.2, true, r), n => [new(n), new(n)],
                (x, rows, w) => RowLossReference.InfoNce(x[0], x[1], rows, 0.2, true, w));
        }
    }

    [Theory, InlineData(1, 3), InlineData(4, 2), InlineData(7, 5), InlineData(3, 33), InlineData(2, 1100), InlineData(65, 4), InlineData(131, 3)]
    public void Every_loss_and_reduction_follows_the_definition(int rows, int size)
    {
        double[] w = [.. Numbers(rows, 9).Select(v => Math.Round(4 * Math.Abs(v)) / 4)]; // Some are 0.
        w[0] = 0.75;
        foreach (var one in All())
        {
            var (shapes, numbers) = Inputs(one, rows, size);
            foreach (var weights in (double[]?[])[null, w])
            {
                var reference = one.Reference(numbers, rows, weights);
                Check<double>(1);
                Check<float>(10);

                void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
                {
                    var run = new InputsLossRun<T>(one.Loss, [.. shapes.Zip(numbers)], weights);
                    double[] each = [.. Enumerable.Repeat(1.0, rows)];
                    var (outputs, scales, dw) = ReductionReference.Reduce(reference.Losses, each, weights, one.Loss.Reduction, run.Seeds);
                    InputsLossRun<T>.Near(outputs, run.Outputs, tolerance, one.ToString());
                    foreach (var (expected, actual) in reference.Gradients(scales).Zip(run.Gradients))
                        InputsLossRun<T>.Near(expected, actual, tolerance, one.ToString());
                    if (weights is null)
                        return;

                    // Without a weight a row has no loss in which another could be a negative: its weight has no derivative there.
                    var isMixed = one.Loss is InfoNce;
                    for (var row = 0; row < rows; row++)
                    {
                        if (!isMixed || weights[row] != 0)
                            InputsLossRun<T>.Near([dw[row]], [run.Dw[row]], tolerance, $"{one}, weight {row}");
                    }
                }
            }
        }
    }

    [Fact]
    public void A_row_of_weight_0_takes_no_part_whatever_it_holds()
    {
        foreach (var one in All())
        {
            var (shapes, numbers) = Inputs(one, 3, 4);
            var without = new InputsLossRun<double>(one.Loss, [.. shapes.Zip(numbers)], [1, 2, 0.5]);
            double[][] bad = [.. numbers.Zip(shapes, (x, s) =>
                (double[])[.. x[..s.Size], .. Enumerable.Range(0, s.Size).Select(i => i % 2 == 0 ? double.NaN : Inf), .. x[s.Size..]])];
            var with = new InputsLossRun<double>(one.Loss, [.. shapes.Zip(bad)], [1, 0, 2, 0.5]);
            for (var i = 0; i < shapes.Length; i++)
            {
                var size = shapes[i].Size;
                Assert.All(with.Gradients[i][size..(2 * size)], g => Assert.Equal(0, g));
                if (one.Loss.Reduction != LossReduction.None)
                    InputsLossRun<double>.Near(without.Gradients[i], [.. with.Gradients[i][..size], .. with.Gradients[i][(2 * size)..]]);
            }

            if (one.Loss.Reduction != LossReduction.None)
                InputsLossRun<double>.Near(without.Outputs, with.Outputs);
            else
                Assert.Equal((double[])[without.Outputs[0], 0, .. without.Outputs[1..]], with.Outputs);
            var empty = new InputsLossRun<double>(one.Loss, [.. shapes.Zip(bad)], [0, 0, 0, 0]);
            Assert.All(empty.Outputs.Concat(empty.Gradients.SelectMany(g => g)), v => Assert.Equal(0, v));
        }
    }

    [Fact]
    public void NaN_propagates_into_loss_and_gradient()
    {
        foreach (var one in All())
        {
            var (shapes, numbers) = Inputs(one, 3, 4);
            for (var input = 0; input < 2; input++)
            {
                double[][] bad = [.. numbers];
                bad[input] = [.. numbers[input]];
                bad[input][5] = double.NaN;
                var run = new InputsLossRun<float>(one.Loss, [.. shapes.Zip(bad)], null);
                Assert.Contains(run.Outputs, float.IsNaN);
                Assert.True(float.IsNaN(run.Gradients[0][5]), $"{one}: {run.Gradients[0][5]}");
            }
        }
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        const int rows = 600;
        double[] w = [.. Numbers(rows, 9).Select(v => Math.Round(4 * Math.Abs(v)) / 4)];
        foreach (var one in All())
        {
            var (shapes, numbers) = Inputs(one, rows, 40);
            foreach (var weights in (double[]?[])[null, w])
                Threads.AssertSameBits<float>(context => new InputsLossRun<float>(one.Loss, [.. shapes.Zip(numbers)], weights, context).All);
        }
    }

    [Fact]
    public void A_cosine_of_other_targets_of_short_vectors_and_at_its_kink()
    {
        var loss = new CosineEmbedding(0, LossReduction.None);
        double[] x = [1, 0, 1, 0, 0, 0, 1, 0], y = [0, 2, 1, 1, 1, 1, 0, 1], t = [-1, 0, 1, 0.25];
        var run = new InputsLossRun<double>(loss, [(new(2), x), (new(2), y), (default, t)], null);
        Assert.Equal([0, 0, 1, 1], run.Outputs);
        Assert.All(run.Gradients[2], g => Assert.Equal(0, g));
        InputsLossRun<double>.Near([0, 0.75], run.Gradients[0][..2], 10); // At the margin the gradient passes, as PyTorch's.
        Assert.Equal([0.0, 0], run.Gradients[0][2..4]);
        Assert.True(double.IsNaN(new InputsLossRun<double>(loss, [(new(2), x), (new(2), y), (default, [1, 1, 1, double.NaN])], null).Outputs[3]));
    }

    [Fact]
    public void A_triplet_at_equal_points_and_equal_distances()
    {
        // At its kink the gradient passes, as PyTorch's; a distance of 0 has gradient 0; equal distances share.
        var run = new InputsLossRun<double>(new TripletMargin(2, false, 0, LossReduction.Sum), [(new(2), [0, 0]), (new(2), [0, 0]), (new(2), [0, 2])], null);
        Assert.Equal([0.0], run.Outputs);
        InputsLossRun<double>.Near([0, 1.5], run.Gradients[0]);
        Assert.Equal([0.0, 0], run.Gradients[1]);
        InputsLossRun<double>.Near([0, -1.5], run.Gradients[2]);
        run = new InputsLossRun<double>(new TripletMargin(2, true, 0, LossReduction.Sum), [(new(2), [-1, 0]), (new(2), [1, 0]), (new(2), [0, 0])], null);
        Assert.Equal([4.5], [1.5 * run.Outputs[0]]);
        InputsLossRun<double>.Near([-1.5 + 0.75, 0], run.Gradients[0]);
        InputsLossRun<double>.Near([1.5 - 0.75, 0], run.Gradients[1]);
        InputsLossRun<double>.Near([0, 0], run.Gradients[2]);
    }

    [Fact]
    public void A_batch_of_one_row_has_nothing_to_tell_it_from()
    {
        foreach (var symmetric in (bool[])[false, true])
        {
            var run = new InputsLossRun<float>(new InfoNce(symmetric: symmetric), [(new(3), [1, 2, 3]), (new(3), [-3, 1, 0.5])], null);
            Assert.Equal([0f], run.Outputs);
            Assert.All(run.Gradients.SelectMany(g => g), g => Assert.Equal(0, g));
        }

        // A vector of zeros has the cosine 0 with all; with one temperature or another, log of the rows.
        var zero = new InputsLossRun<double>(new InfoNce(0.01), [(new(1), [0, 0, 0]), (new(1), [1, 2, 3])], null);
        Assert.Equal(Math.Log(3), zero.Outputs[0], 1e-14);
        Assert.Equal([0.0, 0, 0], zero.Gradients[0]);

        // Similarities of 1e6 do not overflow.
        var far = new InputsLossRun<double>(new InfoNce(1e-6, reduction: LossReduction.Sum), [(new(1), [1, -1]), (new(1), [-1, 1])], null);
        Assert.Equal(4e6, far.Outputs[0]);
    }

    [Fact]
    public void A_row_without_targets_or_predictions_costs_nothing()
    {
        var run = new InputsLossRun<double>(new Dice(false, 1, LossReduction.None), [(new(2), [0, 0, 1, 1, 1, 0]), (new(2), [0, 0, 1, 1, 0, 1])], null);
        Assert.Equal([0, 0, 2.0 / 3], run.Outputs);
        Assert.Equal([0.0], new InputsLossRun<double>(new Dice(), [(new(2), [-Inf, Inf]), (new(2), [0, 1])], null).Outputs);
    }

    [Theory, InlineData(1, 1, 1), InlineData(3, 4, 5), InlineData(2, 7, 1), InlineData(2, 3, 1100), InlineData(40, 30, 2)]
    public void A_gaussian_takes_variances_and_weights_of_every_shape(int rows, int steps, int width)
    {
        var shape = new Shape(steps, width);
        double[] y = Numbers(rows * shape.Size, 1), t = Numbers(rows * shape.Size, 2);
        foreach (var varianceShape in (Shape[])[shape, shape.WithLast(1), shape.WithoutLast()])
        {
            double[] v = [.. Numbers(rows * varianceShape.Size, 3).Select(e => (float)(Math.Abs(e) + 0.02))];
            foreach (var weightShape in (Shape?[])[null, Shape.Scalar, new(steps), shape])
            {
                double[]? w = weightShape is { } s ? [.. Numbers(rows * s.Size, 4).Select(e => Math.Round(4 * Math.Abs(e)) / 4)] : null;
                if (w is not null)
                    w[0] = 0.75;
                foreach (var r in Enum.GetValues<LossReduction>())
                {
                    Check<double>(1);
                    Check<float>(10);

                    void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
                    {
                        var loss = new GaussianNegativeLogLikelihood(r == LossReduction.Sum, 0.0625, r);
                        var run = new InputsLossRun<T>(loss, [(shape, y), (shape, t), (varianceShape, v)], w, null, weightShape ?? default);
                        var blocks = w?.Length ?? rows;
                        var reference = RowLossReference.Gaussian(y, t, v, blocks, loss.Full, 0.0625);
                        double[] stands = [.. Enumerable.Repeat((double)y.Length / blocks, blocks)];
                        double[] seeds = r == LossReduction.None ? [.. Enumerable.Range(0, blocks).Select(b => run.Seeds[b / (blocks / rows)])] : run.Seeds;
                        var (outputs, scales, dw) = ReductionReference.Reduce(reference.Losses, stands, w, r, seeds);
                        if (r == LossReduction.None)
                            outputs = [.. outputs.Chunk(blocks / rows).Select(c => c.Sum())];
                        InputsLossRun<T>.Near(outputs, run.Outputs, tolerance, "outputs");
                        foreach (var (expected, actual) in reference.Gradients(scales).Zip(run.Gradients))
                            InputsLossRun<T>.Near(expected, actual, tolerance, "gradient");
                        if (w is not null)
                            InputsLossRun<T>.Near(dw, run.Dw, tolerance, "weights");
                    }
                }
            }
        }
    }

    [Fact]
    public void A_negative_variance_throws_where_it_counts()
    {
        double[] y = [1, 2, 3, 4], t = [0, 0, 0, 0], v = [1, 1, 1, -2];
        var loss = new GaussianNegativeLogLikelihood();
        var error = Assert.Throws<ArgumentException>("variances",
            () => new InputsLossRun<float>(loss, [(new(2), y), (new(2), t), (new(2), v)], null));
        Assert.Contains("row 1 has -2 at element 1", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>("variances", () => new InputsLossRun<float>(loss, [(new(2), y), (new(2), t), (default, [1, -1])], null));
        double[] bad = [1, double.NaN, 1, -2];
        var run = new InputsLossRun<double>(loss, [(new(2), y), (new(2), t), (new(2), bad)], [1, 0, 1, 0], null, new(2));
        Assert.Equal((0.5 + 4.5) / 2, run.Outputs[0], 1e-15);
        Assert.Equal([0.0, 0], (double[])[run.Gradients[2][1], run.Gradients[2][3]]);
        Assert.True(double.IsNaN(new InputsLossRun<double>(loss, [(new(2), y), (new(2), t), (new(2), [1, 1, double.NaN, 1])], null).Outputs[0]));
        Assert.Equal([0.0], new InputsLossRun<double>(loss, [(new(2), y), (new(2), t), (new(2), bad)], [0, 0]).Outputs);
    }

    [Fact]
    public void Arguments_and_shapes_are_checked()
    {
        foreach (var bad in (double[])[-1.1, 1.1, double.NaN])
            Assert.Equal("margin", Assert.Throws<ArgumentOutOfRangeException>(() => new CosineEmbedding(bad)).ParamName);
        foreach (var bad in (double[])[0, -1, double.NaN, Inf, 1e31])
        {
            Assert.Equal("margin", Assert.Throws<ArgumentOutOfRangeException>(() => new TripletMargin(bad)).ParamName);
            Assert.Equal("temperature", Assert.Throws<ArgumentOutOfRangeException>(() => new InfoNce(bad)).ParamName);
            Assert.Equal("smooth", Assert.Throws<ArgumentOutOfRangeException>(() => new Dice(smooth: bad)).ParamName);
            Assert.Equal("epsilon", Assert.Throws<ArgumentOutOfRangeException>(() => new GaussianNegativeLogLikelihood(epsilon: bad)).ParamName);
        }

        Assert.Equal("epsilon", Assert.Throws<ArgumentOutOfRangeException>(() => new TripletMargin(epsilon: -1)).ParamName);
        var graph = new GraphBuilder();
        var (x, y, image, number) = (graph.Input("x", 3), graph.Input("y", 4), graph.Input("image", 2, 3), graph.Input("number"));
        Refused("inputs", () => x.Apply(new CosineEmbedding(), y, number), "values [4]");
        Refused("inputs", () => x.Apply(new CosineEmbedding(), x, x), "rank 0");
        Refused("inputs", () => image.Apply(new CosineEmbedding(), image, number), "rank 1");
        Refused("inputs", () => x.Apply(new CosineEmbedding(), x), "takes 3 inputs");
        Refused("inputs", () => x.Apply(new TripletMargin(), x, y), "values [4]");
        Refused("inputs", () => image.Apply(new InfoNce(), image), "rank 1");
        Refused("inputs", () => x.Apply(new InfoNce(), y), "values [4]");
        Refused("inputs", () => x.Apply(new Dice(), y), "values [4]");
        Refused("inputs", () => x.Apply(new GaussianNegativeLogLikelihood(), x, y), "it is values [4]");
        Refused("inputs", () => x.Apply(new GaussianNegativeLogLikelihood(), y, x), "values [4]");
        Refused("inputs", () => image.Apply(new GaussianNegativeLogLikelihood(), image, image, x), "Input 3");
        Assert.Throws<ArgumentException>("positionWeights",
            () => { x.GaussianNegativeLogLikelihood(x, sampleWeights: "a", positionWeights: "b"); });

        static void Refused(string name, Func<object?> place, string text) =>
            Assert.Contains(text, Assert.Throws<ArgumentException>(name, place).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Chains_end_in_a_loss_and_give_what_they_compare()
    {
        var random = new TestRandom(5);
        Check((a, b, _) => a.CosineEmbedding(b), ["targets"], 2);
        Check((a, b, c) => a.TripletMargin(b, c, new TripletMargin(swap: true), "w"), ["w"], 3);
        Check((a, b, _) => a.InfoNce(b, new InfoNce(symmetric: true), sampleWeights: "w"), ["w"], 2);
        Check((a, b, _) => a.GaussianNegativeLogLikelihood(b.Exponential(), positionWeights: "mask"), ["targets", "mask"], 2);
        Check((a, _, _) => a.Dice(sampleWeights: "w"), ["targets", "w"], 1);

        void Check(Func<Node, Node, Node, Node> end, string[] names, int outputs)
        {
            var graph = new GraphBuilder();
            var encoder = graph.Share(new Affine(3));
            var (a, b, c) = (graph.Input("a", 4).Apply(encoder), graph.Input("b", 4).Apply(encoder), graph.Input("c", 4).Apply(encoder));
            var network = end(a, b, c).Build<double>(seed: 1);
            Assert.Equal(outputs, network.Definition.OutputNames.Count());
            Assert.Equal(["a", "b", "c", .. names], network.Definition.InputNames);
            var workspace = network.CreateWorkspace(5);
            foreach (var name in network.Definition.InputNames)
            {
                foreach (ref var value in workspace.Input(name))
                    value = name is "w" or "mask" ? 1 : random.Signed<double>();
            }

            var sgd = new Backprop.Simd.Optimizers.Sgd<double>(network, 0.01);
            var first = network.Step(workspace, sgd);
            for (var step = 0; step < 20; step++)
                network.Step(workspace, sgd);
            Assert.True(network.Forward(workspace) < first);
        }
    }

    private static (Shape[] Shapes, double[][] Numbers) Inputs(Case one, int rows, int size)
    {
        var shapes = one.Shapes(size);
        double[][] numbers = [.. shapes.Select((s, i) => Numbers(rows * s.Size, (ulong)i + 1))];
        if (one.Loss is Dice)
            numbers[1] = [.. numbers[1].Select(Math.Abs)];
        if (one.Loss is Dice { Logits: false })
            numbers[0] = [.. numbers[0].Select(Math.Abs)];
        return (shapes, numbers);
    }

    private static double[] Numbers(int count, ulong seed)
    {
        var random = new TestRandom(seed);
        var numbers = new double[count];
        for (var i = 0; i < count; i++)
            numbers[i] = (float)random.Signed<double>();
        return numbers;
    }
}
