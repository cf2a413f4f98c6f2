using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Losses;

/// <summary>A weight or a mask for each position or element of a row.</summary>
public sealed class PositionWeightTests
{
    private static IEnumerable<(LossReduction Reduction, ElementwiseLoss Loss, ElementLossReference Reference)> All()
    {
        foreach (var r in Enum.GetValues<LossReduction>())
        {
            yield return (r, new MeanSquaredError(r), ElementLossReference.Squared);
            yield return (r, new MeanAbsoluteError(r), ElementLossReference.Absolute);
            yield return (r, new Huber(0.4, r), ElementLossReference.Huber(0.4));
            yield return (r, new SmoothL1(0.4, r), ElementLossReference.SmoothL1(0.4));
            yield return (r, new Focal(reduction: r), ElementLossReference.Focal(0.25, 2));
            yield return (r, new BinaryCrossEntropy(2.5, r), ElementLossReference.BinaryCrossEntropy(2.5));
        }
    }

    [Theory, InlineData(1, 1, 1), InlineData(3, 4, 5), InlineData(2, 7, 1), InlineData(2, 3, 1100), InlineData(40, 30, 2)]
    public void The_mean_divides_by_what_is_kept(int rows, int steps, int width)
    {
        double[] y = Numbers(rows * steps * width, 1), t = [.. Numbers(rows * steps * width, 2).Select(Math.Abs)];
        foreach (var (shape, stands) in ((Shape, int)[])[(new(steps), width), (new(steps, width), 1)])
        {
            double[] w = [.. Numbers(rows * shape.Size, 3).Select(v => Math.Round(4 * Math.Abs(v)) / 4)]; // Some are 0.
            w[0] = 0.75;
            foreach (var (reduction, loss, reference) in All())
            {
                Check<double>(1e-13);
                Check<float>(3e-6);

                void Check<T>(double tolerance) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
                {
                    var run = new ReducedLossRun<T>(loss, new Shape(steps, width), y, t, null, w, null, shape);
                    var (outputs, dx, dt, dw) = Expected(y, t, w, rows, stands, reduction, reference, run.Seeds);
                    Close(outputs, run.Outputs, tolerance);
                    Close(dx, run.Dx, tolerance);
                    Close(dt, run.Dt, tolerance);
                    Close(dw, run.Dw, tolerance);
                }
            }
        }
    }

    [Fact]
    public void What_a_mask_leaves_out_may_hold_anything()
    {
        double[] y = [1, double.NaN, 3, double.PositiveInfinity], t = [0.5, 1, double.NaN, 0];
        foreach (var (reduction, loss, reference) in All())
        {
            var run = new ReducedLossRun<double>(loss, new Shape(4), y, t, null, [1, 0, 0, 0], null, new Shape(4));
            Assert.Equal(reference.Value(1, 0.5), run.Outputs[0], 1e-15);
            Assert.Equal([0.0, 0, 0], run.Dx[1..]);
            Assert.Equal([0.0, 0, 0], run.Dt[1..]);
            var empty = new ReducedLossRun<double>(loss, new Shape(4), y, t, null, [0, 0, 0, 0], null, new Shape(4));
            Assert.Equal([0.0], empty.Outputs);
            Assert.Equal([0.0, 0, 0, 0], empty.Dx);
        }
    }

    [Fact]
    public void A_mask_gives_the_mean_of_what_is_kept()
    {
        var run = new ReducedLossRun<double>(new MeanSquaredError(), new Shape(2, 2), [1, 2, 3, 4, 5, 6, 7, 9], [0, 0, 1, 1, 2, 2, 3, 3], null,
            [1, 0, 1, 1, 0, 1, 0, 1], null, new Shape(2, 2));
        Assert.Equal((1.0 + 4 + 9 + 16 + 36) / 5, run.Outputs[0], 1e-15);
        Close([0.6, 0, 1.2, 1.8, 0, 2.4, 0, 3.6], run.Dx, 1e-15);
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        double[] y = Numbers(40_000, 1), t = [.. Numbers(40_000, 2).Select(Math.Abs)], w = [.. Numbers(8000, 3).Select(Math.Abs)];
        foreach (var r in Enum.GetValues<LossReduction>())
        {
            Threads.AssertSameBits<float>(context =>
            {
                var run = new ReducedLossRun<float>(new Huber(1, r), new Shape(100, 5), y, t, null, w, context, new Shape(100));
                return [.. run.Outputs, .. run.Dx, .. run.Dt, .. run.Dw];
            });
        }
    }

    [Fact]
    public void A_chain_names_them_and_other_shapes_are_refused()
    {
        var network = new GraphBuilder().Input("x", 3, 2).Huber(positionWeights: "mask").Build<double>();
        Assert.Equal("values [3]", network.Definition.TypeOf("mask").ToString());
        Assert.Equal("values [4]", GraphBuilder.Chain(4).SmoothL1(positionWeights: "mask").Build<double>().Definition.TypeOf("mask").ToString());
        Assert.Throws<ArgumentException>("positionWeights", () => { GraphBuilder.Chain(4).MeanSquaredError(sampleWeights: "a", positionWeights: "b"); });
        var graph = new GraphBuilder();
        var (x, t) = (graph.Input("x", 3, 2), graph.Input("t", 3, 2));
        foreach (var (name, shape) in ((string, Shape)[])[("a", new(2)), ("b", new(3, 1)), ("c", new(3, 2, 1))])
        {
            var error = Assert.Throws<ArgumentException>("inputs", () => x.Apply(new MeanAbsoluteError(), t, graph.Input(name, shape)));
            Assert.Contains("values [3, 2]", error.Message, StringComparison.Ordinal);
            Assert.Contains($"values {shape}", error.Message, StringComparison.Ordinal);
        }

        Assert.Contains("rank 0", Assert.Throws<ArgumentException>("inputs", () => x.Apply(new KullbackLeibler(), t, t)).Message, StringComparison.Ordinal);
    }

    private static (double[] Outputs, double[] Dx, double[] Dt, double[] Dw) Expected(double[] y, double[] t, double[] w, int rows, int stands,
        LossReduction reduction, ElementLossReference reference, double[] seeds)
    {
        var (perRow, size) = (w.Length / rows, y.Length / rows);
        double[] parts = [.. y.Zip(t, reference.Value).Chunk(stands).Select(p => p.Sum())];
        var kept = w.Sum() * stands;
        var sum = parts.Zip(w, (l, a) => l * a).Sum();
        var mean = reduction == LossReduction.Mean;
        double Seed(int row) => seeds[reduction == LossReduction.None ? row : 0] / (mean ? kept : 1);
        double[] outputs = reduction == LossReduction.None ? [.. parts.Zip(w, (l, a) => l * a).Chunk(perRow).Select(p => p.Sum())] : [mean ? sum / kept : sum];
        return (outputs,
            [.. y.Select((v, i) => Seed(i / size) * w[i / stands] * reference.Slope(v, t[i]))],
            [.. y.Select((v, i) => Seed(i / size) * w[i / stands] * reference.TargetSlope(v, t[i]))],
            [.. parts.Select((l, i) => Seed(i / perRow) * (l - (mean ? stands * sum / kept : 0)))]);
    }

    private static void Close<T>(double[] expected, T[] actual, double tolerance) where T : unmanaged, System.Numerics.IFloatingPointIeee754<T>
    {
        tolerance *= Math.Max(1, expected.Select(Math.Abs).Max());
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - double.CreateTruncating(actual[i])) <= tolerance, $"[{i}]: {actual[i]}, expected {expected[i]}.");
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
