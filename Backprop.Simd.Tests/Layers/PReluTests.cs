using Backprop.Simd.Initializers;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;

namespace Backprop.Simd.Tests.Layers;

public sealed class PReluTests
{
    [Theory]
    [InlineData(1, 1), InlineData(3, 1), InlineData(7, 3), InlineData(300, 3), InlineData(5, 16), InlineData(33, 64), InlineData(9, 511)]
    [InlineData(4, 512), InlineData(3, 700), InlineData(2000, 5)]
    public void It_follows_the_definition(int rows, int channels)
    {
        foreach (var perChannel in (bool[])[true, false])
        {
            double[] x = Numbers(rows * channels, 1), dy = Numbers(rows * channels, 2), slopes = Numbers(perChannel ? channels : 1, 3);
            x[0] = 0;
            var (dx, da) = PReluReference.Backward(x, dy, slopes);
            var layer = new PRelu(perChannel: perChannel);
            var run = new LayerRun<double>(layer, new Shape(channels), x, dy, slopes);
            Assert.Equal(PReluReference.Forward(x, slopes), run.Y);
            Assert.Equal(dx, run.Dx);
            var single = new LayerRun<float>(layer, new Shape(channels), Single(x), Single(dy), Single(slopes));
            for (var c = 0; c < slopes.Length; c++)
            {
                Assert.Equal(da[c], run.Gradients[c], 1e-12 * rows * channels / slopes.Length);
                Assert.Equal(da[c], single.Gradients[c], 1e-6 * rows * channels / slopes.Length);
            }
        }
    }

    [Fact]
    public void Channels_are_the_last_dimension()
    {
        double[] x = Numbers(60, 1), dy = Numbers(60, 2), slopes = Numbers(5, 3);
        var flat = new LayerRun<double>(new PRelu(), new Shape(5), x, dy, slopes);
        foreach (var shape in (Shape[])[new(4, 5), new(2, 3, 5), new(1, 2, 2, 5)])
        {
            var run = new LayerRun<double>(new PRelu(), shape, x, dy, slopes);
            Assert.Equal(flat.Y, run.Y);
            Assert.Equal(flat.Dx, run.Dx);
            Assert.Equal(flat.Gradients, run.Gradients);
        }
    }

    [Fact]
    public void NaN_passes_and_zero_has_the_slope()
    {
        var run = new LayerRun<double>(new PRelu(), new Shape(1), [0, double.NegativeInfinity, double.PositiveInfinity], [2, 2, 2], [0.5]);
        Assert.Equal([0, double.NegativeInfinity, double.PositiveInfinity], run.Y);
        Assert.Equal([1, 1, 2.0], run.Dx);
        run = new LayerRun<double>(new PRelu(), new Shape(2), [double.NaN, -1], [2, 2], [0.5, 0.5]);
        Assert.Equal([double.NaN, -0.5], run.Y);
        Assert.Equal([2, 1.0], run.Dx);
        Assert.Equal([double.NaN, -2], run.Gradients[..2]);
    }

    [Fact]
    public void Slopes_start_at_a_quarter_and_the_layer_before_as_He()
    {
        var network = GraphBuilder.Chain(3).Affine(4).PRelu().PRelu(0.1, perChannel: false).Build<float>();
        Assert.Equal([0.25f, 0.25f, 0.25f, 0.25f], network.ParameterOf("prelu1.slope").ToArray());
        Assert.Equal([0.1f], network.ParameterOf("prelu2.slope").ToArray());
        Assert.Same(Initialize.He, new PRelu().PreferredInitializer);
        Assert.Equal("slope", Assert.Throws<ArgumentOutOfRangeException>(() => new PRelu(double.NaN)).ParamName);
    }

    [Theory, InlineData(3), InlineData(700)]
    public void The_same_bits_on_1_2_3_and_8_threads(int channels)
    {
        double[] x = Numbers(300 * channels, 1), dy = Numbers(300 * channels, 2), slopes = Numbers(channels, 3);
        Threads.AssertSameBits<float>(context =>
        {
            var run = new LayerRun<float>(new PRelu(), new Shape(channels), Single(x), Single(dy), Single(slopes), context);
            return [.. run.Y, .. run.Dx, .. run.Gradients];
        });
    }

    private static double[] Numbers(int count, ulong seed)
    {
        var random = new TestRandom(seed);
        var numbers = new double[count];
        for (var i = 0; i < count; i++)
            numbers[i] = (float)random.Signed<double>();
        return numbers;
    }

    private static float[] Single(double[] numbers) => [.. numbers.Select(n => (float)n)];
}
