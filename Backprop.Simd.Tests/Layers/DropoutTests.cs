using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Layers;

/// <summary>The conventions of dropout.</summary>
public sealed class DropoutTests
{
    private const int Rows = 50, Size = 201;

    [Fact]
    public void Forward_and_backward_scale_what_is_kept_under_one_mask()
    {
        var (y, dx) = Run<double>(0.25, Ones<double>(), seed: 3);
        Assert.All(y, v => Assert.True(v is 0 or 4.0 / 3));
        Assert.Equal(y, dx);

        // 10050 draws: a standard deviation is 0.0043.
        Assert.InRange(y.Count(v => v == 0) / (double)y.Length, 0.25 - 0.018, 0.25 + 0.018);
    }

    [Fact]
    public void The_mask_is_the_same_in_float_and_double_and_for_any_threads()
    {
        var expected = Run<double>(0.4, Ones<double>(), seed: 5).Y;
        Assert.Equal(expected.Select(v => v != 0), Run<float>(0.4, Ones<float>(), seed: 5).Y.Select(v => v != 0));
        foreach (var threads in TestThreads.Counts)
            Assert.Equal(expected, Run<double>(0.4, Ones<double>(), seed: 5, threads).Y);
    }

    [Fact]
    public void The_mask_depends_on_seed_node_and_step_and_not_on_the_rows_behind()
    {
        var y = Run<float>(0.5, Ones<float>(), seed: 1).Y;
        Assert.NotEqual(y, Run<float>(0.5, Ones<float>(), seed: 2).Y);
        Assert.Equal(y, Run<float>(0.5, Ones<float>(), seed: 1).Y);
        Assert.Equal(y[..(7 * Size)], Run<float>(0.5, Ones<float>()[..(7 * Size)], seed: 1).Y);
        Assert.NotEqual(y[..Size], y[Size..(2 * Size)]);

        var graph = new GraphBuilder();
        var x = graph.Input("x", 100);
        graph.Output(x.Dropout().Named("first"));
        graph.Output(x.Dropout().Affine(1).Named("second"));
        x.Dropout().MeanSquaredError("t");
        var network = graph.Build().CreateNetwork<float>(seed: 4);
        var workspace = network.CreateWorkspace(1, new WorkspaceOptions { Retain = Retain.All });
        workspace.SetInput("x", [.. Enumerable.Repeat(1f, 100)]);
        var sgd = new Sgd<float>(network.Parameters.Length, 0);
        network.Step(workspace, sgd);
        float[] once = workspace.Output("first").ToArray(), other = workspace.Output("dropout2").ToArray();
        Assert.NotEqual(once, other);
        network.Step(workspace, sgd);
        Assert.NotEqual(once, workspace.Output("first").ToArray());
    }

    [Fact]
    public void Probability_0_keeps_the_bits_and_1_gives_zeros()
    {
        float[] x = [float.NaN, -0f, float.PositiveInfinity, float.Epsilon, BitConverter.Int32BitsToSingle(0x7F800001), 3];
        Bits.AssertEqual<float>(x, Run(0, x, seed: 0, size: 6).Y, "p = 0");
        var (y, dx) = Run(1, x, seed: 0, size: 6);
        Bits.AssertEqual<float>(new float[6], y, "p = 1");
        Bits.AssertEqual<float>(new float[6], dx, "p = 1, dx");
    }

    [Fact]
    public void Inference_is_the_identity()
    {
        float[] x = [1, -0f, float.NaN, 4];
        var network = new GraphBuilder().Input("x", 4).Dropout(0.9).Build<float>();
        var workspace = network.CreateWorkspace(1, WorkspaceOptions.Inference);
        workspace.SetInput("x", x);
        network.Forward(workspace);
        Bits.AssertEqual<float>(x, workspace.Output(), "inference");
    }

    [Fact]
    public void A_probability_outside_0_to_1_is_refused()
    {
        foreach (var p in (double[])[-0.1, 1.1, double.NaN])
            Assert.Equal("probability", Assert.Throws<ArgumentOutOfRangeException>(() => new Dropout(p)).ParamName);
        Assert.Equal(0.5, new Dropout().Probability);
        Assert.Contains("indices []", Assert.ThrowsAny<ArgumentException>(() => new GraphBuilder().IndexInput("i").Dropout()).Message);
    }

    private static T[] Ones<T>() where T : INumberBase<T> => [.. Enumerable.Repeat(T.One, Rows * Size)];

    private static (T[] Y, T[] Dx) Run<T>(double p, T[] x, ulong seed, int threads = 1, int size = Size)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var network = new GraphBuilder().Input("x", size).Dropout(p).Build<T>(seed);
        using var compute = TestThreads.Create(threads);
        var workspace = network.CreateWorkspace(x.Length / size, new WorkspaceOptions { InputGradients = true }, compute);
        workspace.SetInput("x", x);
        network.Forward(workspace);
        network.Backward(workspace);
        return (workspace.Output().ToArray(), workspace.GradientOf("x").ToArray());
    }
}
