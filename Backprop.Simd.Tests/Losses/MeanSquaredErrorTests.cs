using Backprop.Simd.Layers;
using Backprop.Simd.Losses;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Losses;

public sealed class MeanSquaredErrorTests
{
    [Theory, InlineData(1, 1), InlineData(1, 7), InlineData(5, 3), InlineData(3, 17), InlineData(9, 100)]
    public void It_follows_the_definition(int rows, int size)
    {
        var random = new TestRandom(4);
        var (y, t) = (new double[rows * size], new double[rows * size]);
        for (var i = 0; i < y.Length; i++)
            (y[i], t[i]) = ((float)random.Signed<double>(), (float)random.Signed<double>());
        var (loss, gradient) = LossReference.MeanSquaredError(y, t);
        var run = new LossRun<double>(new MeanSquaredError(), y, rows, t);
        Assert.Equal(loss, run.Value, 1e-14);
        var single = new LossRun<float>(new MeanSquaredError(), [.. y.Select(v => (float)v)], rows, [.. t.Select(v => (float)v)]);
        Assert.Equal(loss, single.Value, 1e-14); // Accumulated in double in both.
        for (var i = 0; i < y.Length; i++)
        {
            Assert.Equal(gradient[i], run.Gradient[i], 1e-15);
            Assert.Equal(-gradient[i], run.TargetGradient[i], 1e-15);
            Assert.Equal(gradient[i], single.Gradient[i], 1e-6);
        }
    }

    [Fact]
    public void Equal_numbers_give_zero_and_NaN_propagates()
    {
        var zero = new LossRun<float>(new MeanSquaredError(), [1, 2, 3], 3, [1, 2, 3]);
        Assert.Equal(0, zero.Value);
        Assert.All(zero.Gradient, g => Assert.Equal(0, g));
        Assert.True(double.IsNaN(new LossRun<float>(new MeanSquaredError(), [1, float.NaN], 2, [1, 2]).Value));
    }

    [Fact]
    public void A_float_loss_keeps_digits_that_a_float_sum_would_lose()
    {
        var y = Enumerable.Repeat(1e-2f, 200_000).Prepend(1e4f).ToArray();
        var run = new LossRun<float>(new MeanSquaredError(), y, 1, new float[y.Length]);
        Assert.Equal((1e8 + 200_000 * (double)1e-2f * 1e-2f) / y.Length, run.Value, 1e-7); // A float sum stays at 1e8.
    }

    [Fact]
    public void Shapes_must_agree()
    {
        var graph = new GraphBuilder();
        var x = graph.Input("x", 3);
        var exception = Assert.Throws<ArgumentException>(() => x.Apply(new MeanSquaredError(), graph.Input("t", 4)));
        Assert.Contains("values [3]", exception.Message, StringComparison.Ordinal);
        Assert.Contains("values [4]", exception.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => x.Apply(new MeanSquaredError(), graph.SharedInput("s", 3)));
        Assert.Throws<ArgumentException>(() => graph.SharedInput("a", 3).Apply(new MeanSquaredError(), graph.SharedInput("b", 3)));
    }

    [Fact]
    public void A_short_batch_divides_by_its_own_elements()
    {
        var graph = new GraphBuilder();
        graph.Loss(graph.Input("x", 2).Apply(new MeanSquaredError(), graph.Input("t", 2)));
        var network = graph.Build().CreateNetwork<double>();
        var workspace = network.CreateWorkspace(5, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
        workspace.Input("x").Fill(100);
        workspace.Rows = 2;
        workspace.SetInput("x", [1, 2, 3, 4]);
        workspace.SetInput("t", [0, 0, 0, 0]);
        Assert.Equal(7.5, network.Forward(workspace));
        network.Backward(workspace);
        Assert.Equal([0.5, 1, 1.5, 2], workspace.GradientOf("x").ToArray());
        Assert.Equal(EdgeKind.Shared, network.Definition.TypeOf("meansquarederror1").Kind);
    }
}
