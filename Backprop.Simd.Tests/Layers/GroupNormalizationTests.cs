using System.Numerics;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

/// <summary>Group normalization, instance normalization among it.</summary>
public sealed class GroupNormalizationTests
{
    public static TheoryData<int[], int, int> Cases => new()
    {
        { [6], 1, 3 }, { [6], 3, 1 }, { [2, 1], 1, 2 }, { [50, 3], 3, 4 }, { [5, 4, 30], 5, 3 }, { [5, 4, 30], 30, 2 }, { [5, 4, 30], 1, 2 },
        { [3, 66], 11, 5 }, { [2, 200], 4, 2 }, { [3, 3, 2, 8], 2, 3 }, { [300, 4], 2, 2 },
    };

    [Theory, MemberData(nameof(Cases))]
    public void Outputs_and_gradients_are_those_of_the_definition(int[] shape, int groups, int rows)
    {
        foreach (var affine in (bool[])[true, false])
        {
            Check<float>(shape, groups, rows, affine, 4e-6);
            Check<double>(shape, groups, rows, affine, 1e-13);
        }
    }

    [Fact]
    public void An_offset_keeps_the_digits() => Check<float>([20, 6], 2, 4, true, 1e-5, (_, x) => (float)(x + 1e4));

    [Fact]
    public void A_constant_group_gives_the_bias_and_finite_gradients()
    {
        foreach (var value in (double[])[0, 3, 0.1, 1e4, -7e8])
        {
            var run = new NormalizationRun<float>(new GroupNormalization(2), new Shape(7, 6), 3, change: (_, _) => value);
            var bias = run.Parameter("n.bias", 6, 0);
            for (var i = 0; i < run.Y.Length; i++)
                Assert.Equal((float)bias[i % 6], run.Y[i]);
            Assert.All(run.Everything, v => Assert.True(float.IsFinite(v)));
        }
    }

    [Fact]
    public void NaN_stays_in_its_group()
    {
        var run = new NormalizationRun<float>(new GroupNormalization(3), new Shape(4, 6), 3, change: (i, x) => i == 24 + 8 ? double.NaN : x);
        for (var i = 0; i < run.Y.Length; i++)
            Assert.Equal(i / 24 == 1 && i % 6 / 2 == 1, float.IsNaN(run.Y[i]));
    }

    [Fact]
    public void Inference_is_what_training_is()
    {
        var run = new NormalizationRun<float>(new GroupNormalization(2), new Shape(3, 10), 4);
        var workspace = run.Network.CreateWorkspace(4, WorkspaceOptions.Inference, ComputeContext.SingleThreaded);
        workspace.SetInput("x", run.Workspace.Input("x"));
        run.Network.Forward(workspace);
        Bits.AssertEqual<float>(run.Y, workspace.Output(), "inference");
    }

    [Fact]
    public void The_same_bits_for_any_number_of_threads()
    {
        foreach (var shape in (Shape[])[new(9, 8, 30), new(2, 200), new(50, 2)])
        {
            float[]? expected = null;
            foreach (var threads in TestThreads.Counts)
            {
                using var compute = TestThreads.Create(threads);
                var before = TestThreads.Snapshot(compute);
                var all = new NormalizationRun<float>(new GroupNormalization(2), shape, 40, compute).Everything;
                if (threads > 1)
                    TestThreads.AssertEachWorked(compute, before, threads, $"{threads} threads");
                expected ??= all;
                Bits.AssertEqual<float>(expected, all, $"{shape}, {threads} threads");
            }
        }
    }

    [Fact]
    public void Options_and_inputs_that_do_not_fit_are_refused()
    {
        var x = new GraphBuilder().Input("x", 3, 4);
        var message = Assert.ThrowsAny<ArgumentException>(() => x.GroupNormalization(3)).Message;
        Assert.Contains("groupnormalization (groups 3, epsilon 1E-05, affine True)", message, StringComparison.Ordinal);
        Assert.Contains("values [3, 4]", message, StringComparison.Ordinal);
        Assert.Contains("at least 2 values", Assert.ThrowsAny<ArgumentException>(() => GraphBuilder.Chain(4).GroupNormalization(4)).Message,
            StringComparison.Ordinal);
        Assert.Equal("groups", Assert.Throws<ArgumentOutOfRangeException>(() => new GroupNormalization(0)).ParamName);
        Assert.Equal("epsilon", Assert.Throws<ArgumentOutOfRangeException>(() => new GroupNormalization(1, 0)).ParamName);
        Assert.Equal(new Shape(4), x.GroupNormalization(2).Build<float>().Definition.Parameters["groupnormalization1.weight"].Shape);
    }

    private static void Check<T>(int[] shape, int groups, int rows, bool affine, double tolerance, Func<int, double, double>? change = null)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var run = new NormalizationRun<T>(new GroupNormalization(groups, 1e-3, affine), new Shape(shape), rows, change: change);
        var (channels, size) = (shape[^1], new Shape(shape).Size);
        var reference = new NormalizationReference(i => i / size * groups + i % channels / (channels / groups), i => i % channels, 1e-3);
        var (w, b) = (run.Parameter("n.weight", channels, 1), run.Parameter("n.bias", channels, 0));
        Near.Assert<T>(reference.Forward(run.X, w, b), run.Y, tolerance, "y");
        var (dx, dw, db) = reference.Backward(run.X, w, run.Dy);
        Near.Assert<T>(dx, run.Dx, 8 * tolerance, "dx");
        Assert.Equal(affine, run.Has("n.weight"));
        if (!affine)
            return;
        Near.Assert<T>(dw, run.Gradient("n.weight"), 4 * tolerance, "dw");
        Near.Assert<T>(db, run.Gradient("n.bias"), 4 * tolerance, "db");
    }
}
