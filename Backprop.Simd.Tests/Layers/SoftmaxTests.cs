using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Memory;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Layers;

public sealed class SoftmaxTests
{
    private const double Inf = double.PositiveInfinity;

    public static TheoryData<int, int> Sizes
    {
        get
        {
            var data = new TheoryData<int, int>();
            foreach (var size in (int[])[1, 2, 3, 7, 8, 17, 31, 64, 128, 129, 150, 257, 1001])
                data.Add(size > 100 ? 3 : 21, size);
            return data;
        }
    }

    [Theory, MemberData(nameof(Sizes))]
    public void Both_follow_the_definition(int rows, int size)
    {
        double[] x = Numbers(rows * size, 3, 1), dy = Numbers(rows * size, 1, 2);
        Check(new Softmax(), SoftmaxReference.Softmax(x, size), SoftmaxReference.SoftmaxBackward(x, dy, size));
        Check(new LogSoftmax(), SoftmaxReference.LogSoftmax(x, size), SoftmaxReference.LogSoftmaxBackward(x, dy, size));

        void Check(Layer layer, double[] y, double[] dx)
        {
            var run = new LayerRun<double>(layer, new Shape(size), x, dy);
            AssertClose(y, run.Y, 1e-13);
            AssertClose(dx, run.Dx, 1e-13);
            var single = new LayerRun<float>(layer, new Shape(size), Single(x), Single(dy));
            AssertClose(y, single.Y, 3e-6);
            AssertClose(dx, single.Dx, 3e-6);
        }
    }

    [Fact]
    public void Each_position_is_a_row_of_its_own()
    {
        double[] x = Numbers(60, 3, 1), dy = Numbers(60, 1, 2);
        foreach (var layer in (Layer[])[new Softmax(), new LogSoftmax()])
        {
            var flat = new LayerRun<double>(layer, new Shape(5), x, dy);
            foreach (var shape in (Shape[])[new(4, 5), new(2, 3, 5), new(1, 2, 2, 5)])
            {
                var run = new LayerRun<double>(layer, shape, x, dy);
                Assert.Equal(flat.Y, run.Y);
                Assert.Equal(flat.Dx, run.Dx);
            }
        }
    }

    [Fact]
    public void Large_logits_neither_overflow_nor_cancel()
    {
        foreach (var size in (int[])[3, 200])
        {
            double[] x = [.. Enumerable.Repeat(1e8, size)];
            Assert.All(Forward(new Softmax(), x), y => Assert.Equal(1.0 / size, y, 1e-15));
            Assert.All(Forward(new LogSoftmax(), x), y => Assert.Equal(-Math.Log(size), y, 1e-14));
        }

        Assert.Equal([-1000, 0], Forward(new LogSoftmax(), [-1000, 0]));
    }

    [Theory, InlineData(2), InlineData(3), InlineData(200)]
    public void Minus_infinity_has_probability_0_and_no_gradient_and_a_row_of_it_is_NaN(int size)
    {
        double[] x = [.. Enumerable.Repeat(0.0, size)], dy = Numbers(size, 1, 3);
        x[1] = -Inf;
        var run = new LayerRun<double>(new Softmax(), new Shape(size), x, dy);
        Assert.Equal(0, run.Y[1]);
        Assert.Equal(0, run.Dx[1]);
        Assert.Equal(1.0 / (size - 1), run.Y[0], 1e-15);
        run = new LayerRun<double>(new LogSoftmax(), new Shape(size), x, dy);
        Assert.Equal(-Inf, run.Y[1]);
        Assert.Equal(dy[1], run.Dx[1]);
        Assert.Equal(-Math.Log(size - 1), run.Y[0], 1e-14);
        foreach (var bad in (double[])[-Inf, Inf, double.NaN])
        {
            var row = Enumerable.Repeat(bad == -Inf ? -Inf : 1, size).ToArray();
            row[size - 1] = bad;
            foreach (var layer in (Layer[])[new Softmax(), new LogSoftmax()])
            {
                run = new LayerRun<double>(layer, new Shape(size), [.. row, .. x], [.. dy, .. dy]);
                Assert.All(run.Y[..size], v => Assert.Equal(double.NaN, v));
                Assert.All(run.Dx[..size], v => Assert.Equal(double.NaN, v));
                Assert.All(run.Dx[size..], v => Assert.True(double.IsFinite(v))); // Not the row beside it.
            }
        }
    }

    [Fact]
    public void A_row_of_one_element_is_certain_and_has_no_gradient()
    {
        var run = new LayerRun<double>(new Softmax(), new Shape(1), [7, -1e300], [2, 3]);
        Assert.Equal([1, 1], run.Y);
        Assert.Equal([0, 0], run.Dx);
        run = new LayerRun<double>(new LogSoftmax(), new Shape(1), [7, -1e300], [2, 3]);
        Assert.Equal([0, 0], run.Y);
        Assert.Equal([0, 0], run.Dx);
    }

    [Fact]
    public void In_place_gives_the_same_bits()
    {
        double[] x = Numbers(30, 3, 1), dy = Numbers(30, 1, 2);
        foreach (var layer in (Layer[])[new Softmax(), new LogSoftmax()])
        {
            var node = GraphBuilder.Chain(10).Apply(new Backprop.Simd.Layers.Gates.Scale(1)).Apply(layer).Apply(new Backprop.Simd.Layers.Gates.Scale(1));
            var network = node.Build<double>();
            var workspace = network.CreateWorkspace(3, new WorkspaceOptions { InputGradients = true }, ComputeContext.SingleThreaded);
            workspace.SetInput("x", x);
            network.Forward(workspace);
            dy.CopyTo(workspace.OutputGradient(network.Definition.OutputNames.Single()));
            network.Backward(workspace);
            var apart = new LayerRun<double>(layer, new Shape(10), x, dy);
            Assert.Equal(apart.Y, workspace.Output().ToArray());
            Assert.Equal(apart.Dx, workspace.GradientOf("x").ToArray());
        }
    }

    [Fact]
    public void A_scalar_has_no_last_dimension()
    {
        foreach (var layer in (Layer[])[new Softmax(), new LogSoftmax()])
        {
            var graph = new GraphBuilder();
            var exception = Assert.Throws<ArgumentException>(() => graph.Input("x").Apply(layer));
            Assert.Contains("values []", exception.Message, StringComparison.Ordinal);
            Assert.Throws<ArgumentException>(() => graph.IndexInput("i", 3).Apply(layer));
        }
    }

    [Theory, InlineData(5), InlineData(300)]
    public void Kernels_have_the_same_bits_on_any_threads_in_place_and_with_strides(int size)
    {
        const int rows = 300;
        float[] x = Single(Numbers(rows * size, 4, 1)), dy = Single(Numbers(rows * size, 1, 2)), start = Single(Numbers(rows * size, 1, 3));
        Threads.AssertSameBits<float>(context =>
        {
            float[] y = new float[x.Length], dx = new float[x.Length], logs = (float[])x.Clone(), sum = (float[])start.Clone(), inPlace = (float[])dy.Clone();
            SoftmaxKernels.LogSoftmax(new(x, rows, size), new Matrix<float>(y, rows, size), context);
            SoftmaxKernels.LogSoftmax(new(logs, rows, size), new Matrix<float>(logs, rows, size), context);
            Guarded<float>.AssertSameBits(y, logs);
            SoftmaxKernels.LogSoftmaxBackward<float>(new(dy, rows, size), new(y, rows, size), dx, context);
            SoftmaxKernels.LogSoftmaxBackward<float>(new(dy, rows, size), new(y, rows, size), new(sum, adds: true), context);
            SoftmaxKernels.SoftmaxBackward<float>(new(inPlace, rows, size), new(y, rows, size), inPlace, context);
            Guarded<float>.AssertSameBits(start.Zip(dx, (a, b) => a + b).ToArray(), sum);
            return [.. y, .. dx, .. inPlace];
        });

        var strided = new float[(rows - 1) * (size + 3) + size];
        var dense = new float[x.Length];
        SoftmaxKernels.LogSoftmax(new(x, rows, size), new Matrix<float>(strided, rows, size, size + 3));
        SoftmaxKernels.LogSoftmax(new(x, rows, size), new Matrix<float>(dense, rows, size));
        for (var row = 0; row < rows; row++)
            Guarded<float>.AssertSameBits(dense.AsSpan(row * size, size), strided.AsSpan(row * (size + 3), size));
        Assert.Equal(0, strided[size]);
    }

    [Fact]
    public void Kernels_check_shapes_and_overlap()
    {
        var a = new float[40];
        Assert.Equal("logits", Assert.Throws<ArgumentException>(() =>
            SoftmaxKernels.LogSoftmax(new(a, 3, 0), new Matrix<float>(a, 3, 0))).ParamName);
        Assert.Equal("logProbabilities", Assert.Throws<ArgumentException>(() =>
            SoftmaxKernels.LogSoftmax(new(a, 3, 2), new Matrix<float>(new float[6], 2, 3))).ParamName);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => SoftmaxKernels.SoftmaxBackward<float>(
            new(a, 3, 2), new(new float[6], 2, 3), a)).ParamName);
        Assert.Equal("dx", Assert.Throws<ArgumentException>(() => SoftmaxKernels.SoftmaxBackward<float>(
            new(new float[6], 3, 2), new(a, 3, 2), a)).ParamName);
        Assert.Equal("dx", Assert.Throws<ArgumentException>(() => SoftmaxKernels.LogSoftmaxBackward<float>(
            new(a.AsSpan(1), 3, 2), new(new float[6], 3, 2), a)).ParamName);
        Assert.Equal("dx", Assert.Throws<ArgumentException>(() => SoftmaxKernels.SoftmaxBackward<float>(
            new(a, 3, 2), new(new float[6], 3, 2), new float[5])).ParamName);
    }

    private static double[] Forward(Layer layer, double[] x) => new LayerRun<double>(layer, new Shape(x.Length), x, x).Y;

    private static double[] Numbers(int count, double scale, ulong seed)
    {
        var random = new TestRandom(seed);
        var numbers = new double[count];
        for (var i = 0; i < count; i++)
            numbers[i] = (float)(scale * random.Signed<double>());
        return numbers;
    }

    private static float[] Single(double[] numbers) => [.. numbers.Select(n => (float)n)];

    private static void AssertClose<T>(double[] expected, T[] actual, double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - double.CreateTruncating(actual[i])) <= tolerance * (1 + Math.Abs(expected[i])),
                $"[{i}]: {actual[i]}, expected {expected[i]}.");
    }
}
