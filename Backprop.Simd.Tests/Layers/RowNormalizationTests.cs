using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Layer normalization and RMS normalization.</summary>
public sealed class RowNormalizationTests
{
    public static TheoryData<int[], int, int> Cases => new()
    {
        { [1], 1, 3 }, { [2], 1, 1 }, { [3], 1, 300 }, { [4], 1, 2 }, { [7], 1, 5 }, { [16], 1, 3 }, { [17], 1, 4 }, { [65], 1, 3 }, { [128], 1, 260 },
        { [5, 30], 1, 4 }, { [5, 30], 2, 4 }, { [3, 4, 5], 1, 2 }, { [3, 4, 5], 2, 2 }, { [3, 4, 5], 3, 2 }, { [2, 2, 2, 3], 4, 2 }, { [1100], 1, 3 },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Outputs_and_gradients_are_those_of_the_definition(int[] shape, int dimensions, int rows)
    {
        foreach (var affine in (bool[])[true, false])
        {
            foreach (var subtractsMean in (bool[])[true, false])
            {
                Check<float>(shape, dimensions, rows, affine, affine, subtractsMean, 4e-6);
                Check<double>(shape, dimensions, rows, affine, affine, subtractsMean, 1e-13);
            }
        }

        Check<float>(shape, dimensions, rows, affine: true, bias: false, subtractsMean: true, 4e-6);
    }

    [Fact]
    public void An_offset_keeps_the_digits() =>
        Check<float>([300], 1, 20, affine: true, bias: true, subtractsMean: true, 1e-5, (_, x) => (float)(x + 1e4));

    [Fact]
    public void A_constant_row_gives_the_bias_and_finite_gradients()
    {
        foreach (var value in (double[])[0, 3, 0.1, 1e4, -7e8])
        {
            var run = new NormalizationRun<float>(new LayerNormalization(), new Shape(37), 3, change: (_, _) => value);
            var bias = run.Parameter("n.bias", 37, 0);
            for (var i = 0; i < run.Y.Length; i++)
                Assert.Equal((float)bias[i % 37], run.Y[i]);
            Assert.All(run.Everything, v => Assert.True(float.IsFinite(v)));
        }

        var zeros = new NormalizationRun<float>(new RmsNormalization(), new Shape(5), 3, change: (_, _) => 0);
        Assert.All(zeros.Y, y => Assert.Equal(0, y));
        Assert.All(zeros.Everything, v => Assert.True(float.IsFinite(v)));
    }

    [Fact]
    public void NaN_and_infinity_stay_in_their_row()
    {
        foreach (var value in (double[])[double.NaN, double.PositiveInfinity])
        {
            var run = new NormalizationRun<float>(new LayerNormalization(), new Shape(5), 30, change: (i, x) => i == 7 ? value : x);
            for (var i = 0; i < run.Y.Length; i++)
                Assert.Equal(i / 5 == 1, float.IsNaN(run.Y[i]));
        }
    }

    [Fact]
    public void Inference_is_what_training_is()
    {
        foreach (var layer in (Layer[])[new LayerNormalization(), new RmsNormalization(2)])
        {
            var run = new NormalizationRun<float>(layer, new Shape(3, 10), 4);
            var workspace = run.Network.CreateWorkspace(4, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
            workspace.SetInput("x", run.Workspace.Input("x"));
            run.Network.Forward(workspace);
            Bits.AssertEqual<float>(run.Y, workspace.Output(), layer.ToString()!);
        }
    }

    [Fact]
    public void The_same_bits_for_any_number_of_threads()
    {
        foreach (var layer in (Layer[])[new LayerNormalization(), new RmsNormalization()])
        {
            foreach (var (shape, rows) in ((Shape, int)[])[(new(40, 64), 60), (new(700), 30), (new(2), 3000)])
            {
                float[]? expected = null;
                foreach (var threads in TestThreads.Counts)
                {
                    using var compute = TestThreads.Create(threads);
                    var before = TestThreads.Snapshot(compute);
                    var all = new NormalizationRun<float>(layer, shape, rows, compute).Everything;
                    if (threads > 1)
                        TestThreads.AssertEachWorked(compute, before, threads, $"{threads} threads");
                    expected ??= all;
                    Bits.AssertEqual<float>(expected, all, $"{layer} {shape}, {threads} threads");
                }
            }
        }
    }

    [Fact]
    public void Weights_have_the_normalized_shape()
    {
        var network = new GraphBuilder().Input("x", 3, 4, 5).LayerNormalization(2).RmsNormalization(3).Build<float>();
        Assert.Equal(new Shape(4, 5), network.Definition.Parameters["layernormalization1.weight"].Shape);
        Assert.Equal(new Shape(4, 5), network.Definition.Parameters["layernormalization1.bias"].Shape);
        Assert.Equal(new Shape(3, 4, 5), network.Definition.Parameters["rmsnormalization1.weight"].Shape);
        Assert.Equal(3, network.Definition.Parameters.Entries.Count);
        Assert.All(network.ParameterOf("rmsnormalization1.weight").ToArray(), w => Assert.Equal(1, w));
        Assert.All(network.ParameterOf("layernormalization1.bias").ToArray(), b => Assert.Equal(0, b));
    }

    [Fact]
    public void Options_and_inputs_that_do_not_fit_are_refused()
    {
        var x = new GraphBuilder().Input("x", 3, 4);
        var message = Assert.ThrowsAny<ArgumentException>(() => x.LayerNormalization(3)).Message;
        Assert.Contains("layernormalization (dimensions 3, epsilon 1E-05, affine True, bias True)", message, StringComparison.Ordinal);
        Assert.Contains("values [3, 4]", message, StringComparison.Ordinal);
        Assert.Contains("values [3, 4]", Assert.ThrowsAny<ArgumentException>(() => x.RmsNormalization(3)).Message, StringComparison.Ordinal);
        foreach (var dimensions in (int[])[0, 7, -1])
        {
            Assert.Equal("dimensions", Assert.Throws<ArgumentOutOfRangeException>(() => new LayerNormalization(dimensions)).ParamName);
            Assert.Equal("dimensions", Assert.Throws<ArgumentOutOfRangeException>(() => new RmsNormalization(dimensions)).ParamName);
        }

        Assert.Equal("epsilon", Assert.Throws<ArgumentOutOfRangeException>(() => new LayerNormalization(epsilon: 0)).ParamName);
        Assert.Equal("epsilon", Assert.Throws<ArgumentOutOfRangeException>(() => new RmsNormalization(epsilon: double.NaN)).ParamName);
        Assert.Contains("indices [3]", Assert.ThrowsAny<ArgumentException>(() => new GraphBuilder().IndexInput("i", 3).LayerNormalization()).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Every_register_width_agrees_and_stays_inside()
    {
        foreach (var width in (SimdWidth[])[SimdWidth.Portable, SimdWidth.Bits128, SimdWidth.Bits256, SimdWidth.Bits512])
        {
            foreach (var n in (int[])[1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 63, 64, 65, 129, 2100])
                CheckWidth(width, n, rows: 5);
            CheckWidth(width, 6, rows: 300);
        }
    }

    private static void CheckWidth(SimdWidth width, int n, int rows)
    {
        var random = new TestRandom((ulong)n);
        float[] x = new float[rows * n], dy = new float[rows * n], weight = new float[n], bias = new float[n];
        foreach (var values in (float[][])[x, dy, weight, bias])
        {
            foreach (ref var value in values.AsSpan())
                value = random.Signed<float>();
        }

        Guarded<float> y = new(x.Length), dx = new(x), w = new(weight), b = new(bias), gx = new(x), gdy = new(dy), dw = new(n), db = new(n);
        float[] cache = new float[3 * rows], scratch = new float[RowWeightSums.ScratchLength(n)];
        var form = new RowForm<float> { Length = n, Weight = w.Span, Bias = b.Span, Epsilon = 0.01, SubtractsMean = true };
        RowNormalization.Forward(in form, gx.Span, cache, y.Span, ComputeContext.SingleThreaded, width);
        RowNormalization.BackwardInput(in form, gx.Span, gdy.Span, cache, new(dx.Span, adds: true), ComputeContext.SingleThreaded, width);
        RowWeightSums.Compute<float>(new(gx.Span, rows, n), gdy.Span, cache, scratch, dw.Span, db.Span, ComputeContext.SingleThreaded, width);
        var reference = new NormalizationReference(i => i / n, i => i % n, 0.01);
        double[] wide(float[] values) => NormalizationRun<float>.Doubles(values);
        var expected = reference.Backward(wide(x), wide(weight), wide(dy));
        var what = $"{width}, rows of {n}";
        Near.Assert<float>(reference.Forward(wide(x), wide(weight), wide(bias)), y.Span, 2e-6, what);
        Near.Assert<float>([.. expected.Dx.Zip(x, (d, old) => d + old)], dx.Span, 1e-5, what);
        Near.Assert<float>(expected.Dw, dw.Span, 1e-5, what);
        Near.Assert<float>(expected.Db, db.Span, 1e-5, what);
        foreach (var guarded in (Guarded<float>[])[y, dx, dw, db])
            guarded.AssertIntact();
    }

    private static void Check<T>(int[] shape, int dimensions, int rows, bool affine, bool bias, bool subtractsMean, double tolerance,
        Func<int, double, double>? change = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        Layer layer = subtractsMean ? new LayerNormalization(dimensions, 1e-3, affine, bias) : new RmsNormalization(dimensions, 1e-3, affine);
        var run = new NormalizationRun<T>(layer, new Shape(shape), rows, change: change);
        var n = shape[^dimensions..].Aggregate(1, (a, b) => a * b);
        var reference = new NormalizationReference(i => i / n, i => i % n, 1e-3, subtractsMean);
        var (w, b) = (run.Parameter("n.weight", n, 1), run.Parameter("n.bias", n, 0));
        Near.Assert<T>(reference.Forward(run.X, w, b), run.Y, tolerance, "y");
        var (dx, dw, db) = reference.Backward(run.X, w, run.Dy);
        Near.Assert<T>(dx, run.Dx, 8 * tolerance, "dx");
        Assert.Equal(affine, run.Has("n.weight"));
        Assert.Equal(affine && bias && subtractsMean, run.Has("n.bias"));
        if (run.Has("n.weight"))
            Near.Assert<T>(dw, run.Gradient("n.weight"), 4 * tolerance, "dw");
        if (run.Has("n.bias"))
            Near.Assert<T>(db, run.Gradient("n.bias"), 4 * tolerance, "db");
    }
}
