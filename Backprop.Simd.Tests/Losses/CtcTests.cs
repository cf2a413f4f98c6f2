using System.Numerics;
using Backprop.Simd.Intrinsics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Losses;

/// <summary>Connectionist temporal classification.</summary>
public sealed class CtcTests
{
    private const double Inf = double.PositiveInfinity;

    /// <summary>Rows of 5 steps and 3 classes: plain, repeated, empty, one step, no steps, without an alignment. What lies behind the lengths is
    /// no label.</summary>
    private static readonly int[] Targets = [1, 2, 1, 2, 2, 1, 99, -1, 0, 1, 0, 0, 0, 0, 0, 2, 2, 2], Steps = [5, 4, 5, 1, 0, 4], Lengths = [3, 3, 0, 1, 0, 3];

    [Theory, InlineData(0), InlineData(2)]
    public void Every_reduction_follows_all_alignments(int blank)
    {
        int[] targets = [.. Targets.Select(label => blank == 0 || label is < 0 or > 2 ? label : 2 - label)];
        var logits = Numbers(6 * 15, 1);
        double[] w = [0.75, 2, 0.5, 0, 1, 1.25], losses = new double[6], gradient = new double[logits.Length];
        for (var row = 0; row < 6; row++)
        {
            var x = logits[(15 * row)..(15 * row + 3 * Steps[row])];
            var one = CtcReference.BruteForce(x, 3, targets[(3 * row)..(3 * row + Lengths[row])], blank);
            losses[row] = one.Loss;
            one.Gradient.CopyTo(gradient, 15 * row);
        }

        Assert.Equal(Inf, losses[5]);
        losses[5] = 0;
        gradient.AsSpan(75).Clear();
        foreach (var reduction in Enum.GetValues<LossReduction>())
        {
            foreach (var weights in (double[]?[])[null, w])
            {
                Check<double>(1);
                Check<float>(2);

                void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
                {
                    var run = new CtcRun<T>(new Ctc(blank, true, reduction), logits, 3, targets, Steps, Lengths, weights);
                    double[] divisors = [.. Lengths.Select(n => reduction == LossReduction.Mean ? Math.Max(1.0, n) : 1)];
                    var (outputs, scales, dw) = ReductionReference.Reduce(
                        [.. losses.Zip(divisors, (l, d) => l / d)], [.. losses.Select(_ => 1.0)], weights, reduction, run.Seeds);
                    CtcRun<T>.Near(outputs, run.Outputs, tolerance, $"{reduction}");
                    CtcRun<T>.Near(outputs, run.Inferred, tolerance, $"{reduction}, inference");
                    CtcRun<T>.Near([.. gradient.Select((g, i) => g * scales[i / 15] / divisors[i / 15])], run.Dx, tolerance, $"{reduction}");
                    if (weights is not null)
                        CtcRun<T>.Near(dw, run.Dw, tolerance, $"{reduction}, weights");
                }
            }
        }
    }

    [Theory, InlineData(1, 0, 1), InlineData(1, 1, 2), InlineData(9, 4, 3), InlineData(40, 15, 5), InlineData(41, 16, 33), InlineData(130, 33, 100)]
    public void Long_rows_follow_the_recursion_at_every_width(int steps, int size, int classes)
    {
        const int rows = 3;
        var blank = classes / 2;
        int[] targets = [.. Enumerable.Range(0, rows * size).Select(i => Label(i * i / 2 + i, classes, blank))];
        int[] ends = [steps, Math.Max(1, steps - 1), steps], lengths = [size, size, size - size / 3];
        var logits = Numbers(rows * steps * classes, 5);
        foreach (var width in Enum.GetValues<SimdWidth>())
        {
            var (losses, gradient) = Run<double>(logits, classes, targets, ends, lengths, blank, width);
            var (floatLosses, floatGradient) = Run<float>(logits, classes, targets, ends, lengths, blank, width);
            for (var row = 0; row < rows; row++)
            {
                var first = row * steps * classes;
                var expected = CtcReference.Recursion(
                    logits[first..(first + ends[row] * classes)], classes, targets[(row * size)..(row * size + lengths[row])], blank);
                Assert.Equal(expected.Loss, losses[row], Math.Max(1, expected.Loss) * 1e-14);
                Assert.Equal(expected.Loss, floatLosses[row], Math.Max(1, expected.Loss) * 1e-6);
                double[] whole = [.. expected.Gradient, .. new double[(steps - ends[row]) * classes]];

                // Logarithms as large as the loss are rounded in each step, in the reference too.
                InputsLossRun<double>.Near(whole, gradient[first..(first + whole.Length)], Math.Max(1, expected.Loss / 20), $"row {row}, {width}");
                InputsLossRun<float>.Near(whole, floatGradient[first..(first + whole.Length)], 10, $"row {row}, {width}");
            }
        }
    }

    [Fact]
    public void Many_equal_labels_give_their_class_all_that_the_blank_does_not_have()
    {
        // More than 128 terms meet in a class. The gradient of a step adds up to 0.
        const int size = 300, steps = 2 * size + 10;
        var logits = Numbers(2 * steps, 2);
        var (losses, gradient) = Run<double>(logits, 2, [.. Enumerable.Repeat(1, size)], [steps], [size], 0, SimdWidth.Widest);
        Assert.True(double.IsFinite(losses[0]));
        for (var t = 0; t < steps; t++)
            Assert.Equal(0, gradient[2 * t] + gradient[2 * t + 1], 1e-12);
    }

    [Fact]
    public void What_lies_behind_the_lengths_is_not_read()
    {
        double[] logits = Numbers(3 * 15, 3), other = [.. logits];
        int[] targets = [1, 2, 0, 2, 1, 2, 0, 0, 0], strange = [1, 2, 77, 2, 1, 2, -5, 99, 3], steps = [3, 5, 2], lengths = [2, 3, 0];
        for (var i = 0; i < other.Length; i++)
        {
            if (i % 15 >= 3 * steps[i / 15])
                other[i] = i % 2 == 0 ? double.NaN : Inf;
        }

        var clean = new CtcRun<float>(new Ctc(), logits, 3, targets, steps, lengths, null);
        var run = new CtcRun<float>(new Ctc(), other, 3, strange, steps, lengths, null);
        Assert.Equal(clean.All, run.All);
        for (var i = 0; i < other.Length; i++)
            Assert.Equal(i % 15 >= 3 * steps[i / 15], run.Dx[i] == 0);
    }

    [Fact]
    public void A_row_without_an_alignment_costs_infinity_or_nothing()
    {
        // Two equal labels need three steps; no steps only suit no labels.
        int[] targets = [2, 2, 1, 2, 2, 2], steps = [2, 0, 3], lengths = [2, 2, 2];
        var logits = Numbers(3 * 12, 4);
        var infinite = new CtcRun<float>(new Ctc(reduction: LossReduction.None), logits, 3, targets, steps, lengths, null);
        Assert.Equal([float.PositiveInfinity, float.PositiveInfinity], infinite.Outputs[..2]);
        Assert.True(float.IsFinite(infinite.Outputs[2]));
        for (var i = 0; i < 24; i++)
            Assert.Equal(i < 6 ? float.NaN : 0, infinite.Dx[i]);
        Assert.All(infinite.Dx[24..], g => Assert.True(float.IsFinite(g)));
        Assert.Equal(float.PositiveInfinity, new CtcRun<float>(new Ctc(), logits, 3, targets, steps, lengths, null).Outputs[0]);

        var zero = new CtcRun<float>(new Ctc(0, true, LossReduction.None), logits, 3, targets, steps, lengths, null);
        Assert.Equal([0, 0, infinite.Outputs[2]], zero.Outputs);
        Assert.All(zero.Dx[..24], g => Assert.Equal(0, g));
        Assert.Equal(infinite.Dx[24..], zero.Dx[24..]);
    }

    [Theory, InlineData(double.NaN), InlineData(double.PositiveInfinity), InlineData(double.NegativeInfinity)]
    public void Infinite_logits_and_NaN(double bad)
    {
        int[] targets = [1, 2, 1, 2], steps = [4, 4], lengths = [2, 2];
        var logits = Numbers(2 * 12, 6);
        logits[3] = bad;
        foreach (var zero in (bool[])[false, true])
        {
            var run = new CtcRun<double>(new Ctc(0, zero, LossReduction.None), logits, 3, targets, steps, lengths, null);
            Assert.True(double.IsFinite(run.Outputs[1]));
            Assert.All(run.Dx[12..], g => Assert.True(double.IsFinite(g)));
            if (bad < 0)
            {
                // A class of probability 0 gets no gradient; the others have what they have without it.
                var expected = CtcReference.BruteForce(logits[..12], 3, [1, 2], 0);
                CtcRun<double>.Near([expected.Loss], run.Outputs[..1]);
                CtcRun<double>.Near([.. expected.Gradient.Select(g => g * run.Seeds[0])], run.Dx[..12]);
                Assert.Equal(0, run.Dx[3]);
                continue;
            }

            Assert.True(double.IsNaN(run.Outputs[0]));
            Assert.All(run.Dx[..12], g => Assert.True(double.IsNaN(g)));
        }
    }

    [Fact]
    public void A_row_of_weight_0_takes_no_part_whatever_it_holds()
    {
        double[] logits = Numbers(3 * 15, 7), bad = [.. logits];
        bad.AsSpan(15, 15).Fill(double.NaN);
        foreach (var reduction in Enum.GetValues<LossReduction>())
        {
            var clean = new CtcRun<double>(new Ctc(reduction: reduction), logits, 3, Targets[..9], Steps[..3], Lengths[..3], [1, 0, 2]);
            var run = new CtcRun<double>(new Ctc(reduction: reduction), bad, 3, Targets[..9], Steps[..3], Lengths[..3], [1, 0, 2]);
            Assert.Equal(clean.Outputs, run.Outputs);
            Assert.Equal(clean.Dx, run.Dx);
            Assert.All(run.Dx[15..30], g => Assert.Equal(0, g));
        }
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        const int rows = 70, steps = 30, size = 12, classes = 20;
        var logits = Numbers(rows * steps * classes, 8);
        int[] targets = [.. Enumerable.Range(0, rows * size).Select(i => Label(i * 7, classes, 0))];
        int[] ends = [.. Enumerable.Range(0, rows).Select(r => steps - r % 5)], lengths = [.. Enumerable.Range(0, rows).Select(r => r % (size + 1))];
        foreach (var weights in (double[]?[])[null, Numbers(rows, 9)])
            Threads.AssertSameBits<float>(context => new CtcRun<float>(new Ctc(), logits, classes, targets, ends, lengths, weights, context).All);
    }

    [Fact]
    public void Bad_lengths_and_labels_are_refused_by_row_value_and_range()
    {
        Refused([1, 2, 3, 1, 1, 4], [4, 4], [3, 3], "targets", "row 1 has 4 at position 2", "[0, 4)");
        Refused([1, -1, 3, 1, 1, 1], [4, 4], [3, 3], "targets", "row 0 has -1 at position 1", "[0, 4)");
        Refused([1, 2, 3, 0, 1, 1], [4, 4], [3, 3], "targets", "row 1 has 0 at position 0", "blank 0");
        Refused([1, 2, 3, 1, 1, 1], [4, 5], [3, 3], "inputLengths", "row 1 has 5", "[0, 4]");
        Refused([1, 2, 3, 1, 1, 1], [-1, 4], [3, 3], "inputLengths", "row 0 has -1", "[0, 4]");
        Refused([1, 2, 3, 1, 1, 1], [4, 4], [3, 4], "targetLengths", "row 1 has 4", "[0, 3]");
        Refused([1, 2, 3, 1, 1, 1], [4, 4], [-2, 3], "targetLengths", "row 0 has -2", "[0, 3]");

        static void Refused(int[] targets, int[] steps, int[] lengths, string argument, params string[] parts)
        {
            double[] losses = [7, 7], gradient = [.. Enumerable.Repeat(7.0, 32)];
            var error = Assert.Throws<ArgumentException>(argument, () => CtcKernels.CtcWithGradient<double>(
                new Matrix<double>(new double[32], 8, 4), targets, steps, lengths, losses, new(gradient, 8, 4)));
            Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
            Assert.All(losses.Concat(gradient), v => Assert.Equal(7, v));
            error = Assert.Throws<ArgumentException>(argument, () => { _ = new CtcRun<float>(new Ctc(), new double[32], 4, targets, steps, lengths, null); });
            Assert.All(parts, part => Assert.Contains(part, error.Message, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Sizes_that_do_not_go_together_and_overlaps_are_refused()
    {
        double[] x = new double[32], losses = new double[2], g = new double[32];
        int[] targets = [1, 2, 3, 1], two = [2, 2];
        Refused("logits", () => CtcKernels.Ctc<double>(new Matrix<double>(x, 7, 4), targets, two, two, losses));
        Refused("targets", () => CtcKernels.Ctc<double>(new Matrix<double>(x, 8, 4), targets.AsSpan(1), two, two, losses));
        Refused("targetLengths", () => CtcKernels.Ctc<double>(new Matrix<double>(x, 8, 4), targets, two, two.AsSpan(1), losses));
        Refused("losses", () => CtcKernels.Ctc<double>(new Matrix<double>(x, 8, 4), targets, two, two, losses.AsSpan(1)));
        Refused("losses", () => CtcKernels.Ctc<double>(new Matrix<double>(x, 8, 4), targets, two, two, x.AsSpan(3, 2)));
        Refused("blank", () => CtcKernels.Ctc<double>(new Matrix<double>(x, 8, 4), targets, two, two, losses, 4));
        Refused("blank", () => CtcKernels.Ctc<double>(new Matrix<double>(x, 8, 4), targets, two, two, losses, -1));
        Refused("logits", () => CtcKernels.Ctc<double>(new Matrix<double>(x, 4, 8).Transposed, targets, two, two, losses));
        Refused("gradient", () => CtcKernels.CtcWithGradient<double>(new Matrix<double>(x, 8, 4), targets, two, two, losses, new(x, 8, 4)));
        Refused("gradient", () => CtcKernels.CtcWithGradient<double>(new Matrix<double>(x, 8, 4), targets, two, two, losses, new(g, 4, 8)));
        Refused("logits", () => CtcKernels.Ctc<double>(new Matrix<double>(x, 8, 4), default, default, default, losses));
        CtcKernels.Ctc<double>(new Matrix<double>(x, 0, 4), default, default, default, losses);

        static void Refused(string argument, Action call) => Assert.Equal(argument, Assert.ThrowsAny<ArgumentException>(call).ParamName);
    }

    [Fact]
    public void A_chain_ends_in_it_behind_a_recurrence_with_the_same_lengths()
    {
        var graph = new GraphBuilder();
        var (x, steps) = (graph.Input("x", 6, 3), graph.IndexInput("steps"));
        var logits = x.Lstm(8, steps).Affine(4, perPosition: true);
        Assert.Throws<ArgumentException>("logits", () => { logits.Softmax().Ctc(graph.IndexInput("a", 2), steps, steps); });
        logits.Ctc(graph.IndexInput("targets", 2), steps, graph.IndexInput("lengths"), sampleWeights: "w");
        var network = graph.Build().CreateNetwork<float>(seed: 1);
        var workspace = network.CreateWorkspace(2);
        workspace.SetInput("x", [.. Numbers(36, 2).Select(v => (float)v)]);
        workspace.SetInput("w", [1, 2]);
        workspace.SetIndexInput("targets", [1, 3, 2, 0]);
        workspace.SetIndexInput("steps", [6, 5]);
        workspace.SetIndexInput("lengths", [2, 1]);
        var adam = new Backprop.Simd.Optimizers.Adam<float>(network.Parameters.Length, 0.03);
        var first = network.Step(workspace, adam);
        for (var step = 0; step < 100; step++)
            network.Step(workspace, adam);
        Assert.True(network.Step(workspace, adam) < 0.1 * first);
    }

    [Fact]
    public void Inputs_of_other_types_are_refused()
    {
        Refused("sequence", g => g.Input("x", 4), 2, 0);
        Refused("Input 1", g => g.Input("x", 4, 3), 0, 0);
        Refused("Input 2", g => g.Input("x", 4, 3), 2, 1);
        Refused("blank 3", g => g.Input("x", 4, 3), 2, 0, 3);
        Assert.Throws<ArgumentOutOfRangeException>("blank", () => new Ctc(-1));

        static void Refused(string part, Func<GraphBuilder, Node> logits, int size, int rank, int blank = 0)
        {
            var graph = new GraphBuilder();
            var targets = graph.IndexInput("targets", size == 0 ? [] : [size]);
            var lengths = graph.IndexInput("lengths", rank == 0 ? [] : [2]);
            var error = Assert.Throws<ArgumentException>(() => { logits(graph).Ctc(targets, lengths, lengths, new Ctc(blank)); });
            Assert.Contains(part, error.Message, StringComparison.Ordinal);
        }
    }

    private static (double[] Losses, T[] Gradient) Run<T>(
        double[] numbers, int classes, int[] targets, int[] steps, int[] lengths, int blank, SimdWidth width)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        T[] logits = [.. numbers.Select(T.CreateTruncating)], gradient = new T[logits.Length];
        var losses = new double[steps.Length];
        var all = logits.Length / classes;
        var shape = new CtcShape(steps.Length, all / steps.Length, classes, targets.Length / steps.Length, blank) { HasGradient = true };
        CtcKernels.Run<T>(
            new(shape, new Matrix<T>(logits, all, classes), new(gradient, all, classes), targets, steps, lengths, losses), null, width);
        var alone = new double[steps.Length];
        CtcKernels.Run<T>(new(shape with { HasGradient = false }, new Matrix<T>(logits, all, classes), default, targets, steps, lengths, alone), null, width);
        Assert.Equal(losses, alone);
        return (losses, gradient);
    }

    private static int Label(int i, int classes, int blank) => classes < 2 ? 0 : (blank + 1 + i % (classes - 1)) % classes;

    private static double[] Numbers(int count, uint seed)
    {
        var random = new TestRandom(seed);
        var numbers = new double[count];
        foreach (ref var number in numbers.AsSpan())
            number = (float)(2 * random.Signed<double>());
        return numbers;
    }
}
