using System.Numerics;
using Backprop.Simd.Gradients;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Batch normalization: the batch's statistics, the running ones, and what is refused.</summary>
public sealed class BatchNormalizationTests
{
    public static TheoryData<int[], int> Shapes => new()
    {
        { [1], 2 }, { [1], 1000 }, { [3], 37 }, { [4], 5 }, { [16], 129 }, { [30], 2 }, { [33], 70 }, { [65], 40 }, { [200], 9 }, { [7, 5], 6 },
        { [2, 1], 1 }, { [6, 5, 30], 3 }, { [9, 8, 3], 33 }, { [1025], 3 },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void Outputs_and_gradients_are_those_of_the_definition(int[] shape, int rows)
    {
        foreach (var affine in (bool[])[true, false])
        {
            Check<float>(shape, rows, affine, 4e-6);
            Check<double>(shape, rows, affine, 1e-13);
        }
    }

    [Fact]
    public void An_offset_keeps_the_digits()
    {
        // The input is what float holds at 1e4; its own digits survive in full.
        static double Offset(int i, double x) => (float)(x + 1e4);
        Check<float>([3], 500, true, 1e-5, Offset);
        Check<float>([5, 30], 40, true, 1e-5, Offset);

        // One block of rows far from the other.
        Check<float>([30], 1000, true, 1e-5, (i, x) => i < 15_000 ? x : x + 1e4);
    }

    [Fact]
    public void A_constant_channel_gives_the_bias_and_finite_gradients()
    {
        foreach (var value in (double[])[0, 3, 0.1, 1e4, -7e8])
        {
            var run = new NormalizationRun<float>(new BatchNormalization(), new Shape(5), 300, change: (_, _) => value);
            var bias = run.Parameter("n.bias", 5, 0);
            for (var i = 0; i < run.Y.Length; i++)
                Assert.Equal((float)bias[i % 5], run.Y[i]);
            Assert.All(run.Everything, v => Assert.True(float.IsFinite(v)));
        }
    }

    [Fact]
    public void NaN_and_infinity_stay_in_their_channel()
    {
        foreach (var value in (double[])[double.NaN, double.PositiveInfinity])
        {
            var run = new NormalizationRun<float>(new BatchNormalization(), new Shape(5), 30, change: (i, x) => i == 7 ? value : x);
            for (var i = 0; i < run.Y.Length; i++)
                Assert.Equal(i % 5 == 2, float.IsNaN(run.Y[i]));
        }
    }

    [Theory, InlineData(0.1), InlineData(0.0), InlineData(1.0), InlineData(0.25)]
    public void Running_statistics_move_once_per_step_by_the_formula(double momentum)
    {
        const int Rows = 7, Channels = 3, Positions = 4;
        var x = new GraphBuilder().Input("x", Positions, Channels);
        x.BatchNormalization(momentum).Named("n").MeanSquaredError();
        var network = x.Graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(Rows, compute: ComputeContext.SingleThreaded);
        double[] mean = [0, 0, 0], variance = [1, 1, 1];
        var sgd = new Sgd<double>(network.Parameters.Length, 0.1);
        var random = new TestRandom(3);
        for (var step = 0; step < 5; step++)
        {
            workspace.Rows = step == 3 ? 2 : Rows;
            foreach (ref var value in workspace.Input("x"))
                value = random.Signed<double>() + step;
            var (batch, unbiased) = Statistics(workspace.Input("x").ToArray(), Channels);
            for (var c = 0; c < Channels; c++)
            {
                mean[c] = (1 - momentum) * mean[c] + momentum * batch[c];
                variance[c] = (1 - momentum) * variance[c] + momentum * unbiased[c];
            }

            // Neither a forward pass of its own nor a gradient check moves them.
            var before = network.State.ToArray();
            network.Forward(workspace);
            network.Forward(workspace);
            GradientCheck.Run(network, workspace, new GradientCheckOptions { Mode = GradientCheckMode.RandomDirections });
            Bits.AssertEqual<double>(before, network.State, "state before the step");
            network.Step(workspace, sgd);
            Near.Assert<double>(mean, network.StateOf("n.runningMean"), 1e-14, "mean");
            Near.Assert<double>(variance, network.StateOf("n.runningVariance"), 1e-14, "variance");
        }
    }

    [Fact]
    public void Inference_takes_the_state()
    {
        foreach (var affine in (bool[])[true, false])
        {
            var run = new NormalizationRun<double>(new BatchNormalization(epsilon: 0.01, affine: affine), new Shape(4, 3), 5);
            double[] mean = [0.5, -2, 100], variance = [0.25, 4, 0];
            mean.CopyTo(run.Network.StateOf("n.runningMean"));
            variance.CopyTo(run.Network.StateOf("n.runningVariance"));
            var (weight, bias) = (run.Parameter("n.weight", 3, 1), run.Parameter("n.bias", 3, 0));
            var workspace = run.Network.CreateWorkspace(5, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
            for (var rows = 1; rows <= 5; rows += 4)
            {
                workspace.Rows = rows;
                workspace.SetInput("x", run.Workspace.Input("x")[..(rows * 12)]);
                run.Network.Forward(workspace);
                double[] expected = [.. run.X.Take(rows * 12)
                    .Select((x, i) => weight[i % 3] * (x - mean[i % 3]) / Math.Sqrt(variance[i % 3] + 0.01) + bias[i % 3])];
                Near.Assert(expected, workspace.Output(), 1e-14, "y");
            }

            Assert.Equal(mean, run.Network.StateOf("n.runningMean").ToArray());
        }
    }

    [Fact]
    public void Training_on_one_value_per_channel_is_refused()
    {
        var message = Assert.ThrowsAny<ArgumentException>(() => new NormalizationRun<float>(new BatchNormalization(), new Shape(1, 1, 3), 1)).Message;
        Assert.Contains("batchnormalization (momentum 0.1, epsilon 1E-05, affine True)", message, StringComparison.Ordinal);
        Assert.Contains("values [1, 1, 3]", message, StringComparison.Ordinal);
        Assert.Contains("at least 2 values", message, StringComparison.Ordinal);

        // The shorter last batch too; nothing is committed.
        var run = new NormalizationRun<float>(new BatchNormalization(), new Shape(3), 4);
        var before = run.Network.State.ToArray();
        run.Workspace.Rows = 1;
        Assert.ThrowsAny<ArgumentException>(() => run.Network.Forward(run.Workspace));
        Assert.Equal(before, run.Network.State.ToArray());
        run.Workspace.Rows = 2;
        run.Network.Forward(run.Workspace);
    }

    [Fact]
    public void The_same_bits_for_any_number_of_threads()
    {
        foreach (var (shape, rows) in ((Shape, int)[])[(new(24, 24, 30), 9), (new(200), 300), (new(50, 3), 70), (new(1), 5000)])
        {
            float[]? expected = null;
            foreach (var threads in TestThreads.Counts)
            {
                using var compute = TestThreads.Create(threads);
                var before = TestThreads.Snapshot(compute);
                var all = new NormalizationRun<float>(new BatchNormalization(), shape, rows, compute).Everything;
                if (threads > 1 && shape.Rank == 3)
                    TestThreads.AssertEachWorked(compute, before, threads, $"{threads} threads");
                expected ??= all;
                Bits.AssertEqual<float>(expected, all, $"{shape}, {threads} threads");
            }
        }
    }

    [Fact]
    public void State_is_not_trained()
    {
        var network = GraphBuilder.Chain(4).BatchNormalization().Build<float>();
        Assert.Equal(["batchnormalization1.weight", "batchnormalization1.bias"], network.Definition.Parameters.Entries.Select(e => e.Name));
        Assert.Equal(["batchnormalization1.runningMean", "batchnormalization1.runningVariance"], network.Definition.State.Entries.Select(e => e.Name));
        Assert.Equal([1, 1, 1, 1], network.ParameterOf("batchnormalization1.weight").ToArray());
        Assert.Equal([0, 0, 0, 0], network.ParameterOf("batchnormalization1.bias").ToArray());
        Assert.Equal([1, 1, 1, 1], network.StateOf("batchnormalization1.runningVariance").ToArray());
        Assert.Empty(GraphBuilder.Chain(4).BatchNormalization(affine: false).Build<float>().Definition.Parameters.Entries);
    }

    [Fact]
    public void Options_and_inputs_that_do_not_fit_are_refused()
    {
        foreach (var momentum in (double[])[-0.1, 1.1, double.NaN])
            Assert.Equal("momentum", Assert.Throws<ArgumentOutOfRangeException>(() => new BatchNormalization(momentum)).ParamName);
        foreach (var epsilon in (double[])[0, -1, double.NaN, double.PositiveInfinity, 1e-40])
            Assert.Equal("epsilon", Assert.Throws<ArgumentOutOfRangeException>(() => new BatchNormalization(epsilon: epsilon)).ParamName);
        var graph = new GraphBuilder();
        Assert.Contains("values []", Assert.ThrowsAny<ArgumentException>(() => graph.Input("s").BatchNormalization()).Message, StringComparison.Ordinal);
        Assert.Contains("shared [3]", Assert.ThrowsAny<ArgumentException>(() => graph.SharedInput("p", 3).BatchNormalization()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Every_register_width_agrees_and_stays_inside()
    {
        foreach (var width in (SimdWidth[])[SimdWidth.Portable, SimdWidth.Bits128, SimdWidth.Bits256, SimdWidth.Bits512])
        {
            foreach (var channels in (int[])[1, 2, 3, 7, 8, 15, 16, 30, 31, 64, 65, 129, 200])
            {
                foreach (var rows in (int[])[2, 3, 17, 64, 700])
                    CheckWidth(width, channels, rows);
            }
        }
    }

    private static void CheckWidth(SimdWidth width, int channels, int rows)
    {
        var random = new TestRandom((ulong)(channels * 1000 + rows));
        var (x, dy) = (new float[rows * channels], new float[rows * channels]);
        for (var i = 0; i < x.Length; i++)
            (x[i], dy[i]) = (random.Signed<float>() + 2, random.Signed<float>());
        Guarded<float> gx = new(x), gdy = new(dy), y = new(x.Length), dx = new(x);
        var length = ChannelPlan.TableLength(channels);
        float[] scratch = new float[ChannelStatistics.ScratchLength(channels)], variance = new float[channels], inverse = new float[channels],
            offset = new float[channels];
        float[] center = new float[length], scale = new float[length], shift = new float[length], byX = new float[length];
        ReadOnlyMatrix<float> matrix = new(gx.Span, gx.Span.Length / channels, channels);
        var moments = new ChannelMoments<float> { Center = center.AsSpan(0, channels), Offset = offset, Inverse = inverse, Variance = variance };
        ChannelStatistics.Moments(matrix, 1e-5, scratch, in moments, ComputeContext.SingleThreaded, width);
        ChannelStatistics.Products(matrix, gdy.Span, center.AsSpan(0, channels), scratch, scale, shift, ComputeContext.SingleThreaded, width);
        var what = $"{width}, {channels} channels, {rows} rows";
        double[] Column(Func<int, double> f) => [.. Enumerable.Range(0, channels).Select(c => Enumerable.Range(0, rows).Sum(r => f(r * channels + c)))];
        Near.Assert<float>([.. Column(i => x[i]).Select(s => s / rows)], center.AsSpan(0, channels), 1e-6, what);
        double Deviation(int i) => x[i] - (center[i % channels] + (double)offset[i % channels]);
        Near.Assert<float>([.. Column(i => Deviation(i) * Deviation(i)).Select(s => s / rows)], variance, 1e-6, what);
        Near.Assert<float>(Column(i => dy[i]), scale.AsSpan(0, channels), 2e-6, what);
        Near.Assert<float>(Column(i => dy[i] * (x[i] - (double)center[i % channels])), shift.AsSpan(0, channels), 2e-6, what);

        for (var c = 0; c < channels; c++)
            (scale[c], shift[c], byX[c]) = (random.Signed<float>(), random.Signed<float>(), random.Signed<float>());
        var (a, b, s, m) = (scale[..channels], byX[..channels], shift[..channels], center[..channels]);
        var tables = new ChannelTables<float> { Center = center, Scale = scale, Slope = byX, Shift = shift };
        ChannelScaling.Normalize(matrix, in tables, y.Span, ComputeContext.SingleThreaded, width);
        Near.Assert<float>([.. x.Select((v, i) => (v - (double)m[i % channels]) * a[i % channels] + s[i % channels])], y.Span, 1e-6, what);
        ChannelScaling.Gradient(matrix, gdy.Span, in tables, new(dx.Span, adds: true), ComputeContext.SingleThreaded, width);
        Near.Assert<float>([.. x.Select((v, i) =>
            v + dy[i] * (double)a[i % channels] + (v - (double)m[i % channels]) * b[i % channels] + s[i % channels])], dx.Span, 1e-6, what);
        y.AssertIntact();
        dx.AssertIntact();
        Guarded<float>.AssertSameBits(x, gx.Span);
    }

    private static void Check<T>(int[] shape, int rows, bool affine, double tolerance, Func<int, double, double>? change = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var run = new NormalizationRun<T>(new BatchNormalization(epsilon: 1e-3, affine: affine), new Shape(shape), rows, change: change);
        var channels = shape[^1];
        var reference = new NormalizationReference(i => i % channels, i => i % channels, 1e-3);
        var (weight, bias) = (run.Parameter("n.weight", channels, 1), run.Parameter("n.bias", channels, 0));
        Near.Assert<T>(reference.Forward(run.X, weight, bias), run.Y, tolerance, "y");
        var (dx, dw, db) = reference.Backward(run.X, weight, run.Dy);
        Near.Assert<T>(dx, run.Dx, 4 * tolerance, "dx");
        Assert.Equal(affine, run.Has("n.weight"));
        if (!affine)
            return;
        Near.Assert<T>(dw, run.Gradient("n.weight"), 4 * tolerance, "dw");
        Near.Assert<T>(db, run.Gradient("n.bias"), 4 * tolerance, "db");
    }

    private static (double[] Mean, double[] Unbiased) Statistics(double[] x, int channels)
    {
        var reference = new NormalizationReference(i => i % channels, i => i % channels, 0);
        double n = x.Length / channels;
        return (reference.Means(x), [.. reference.Variances(x).Select(v => v * n / (n - 1))]);
    }
}
