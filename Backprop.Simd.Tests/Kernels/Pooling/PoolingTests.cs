using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Poolings against the definition, on guarded pages, in every width; special values; threads.</summary>
public sealed class PoolingTests
{
    public static TheoryData<string> Widths => [.. Enum.GetNames<SimdWidth>()];

    private static readonly int[] Channels = [1, 2, 3, 4, 5, 8, 9, 16, 17, 30, 33];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Float_equals_the_definition(string width) => CheckAll<float>(Enum.Parse<SimdWidth>(width));

    [Theory]
    [MemberData(nameof(Widths))]
    public void Double_equals_the_definition(string width) => CheckAll<double>(Enum.Parse<SimdWidth>(width));

    /// <summary>Values are multiples of 1/8 with ties, and divisors of any size: max is exact, means within rounding.</summary>
    private static void CheckAll<T>(SimdWidth width) where T : unmanaged, IFloatingPointIeee754<T>
    {
        using GuardedMemory xPages = new(1 << 20), yPages = new(1 << 20), cellPages = new(1 << 20);
        foreach (var (height, wide, kernel, stride, padding, ceiling) in Cases())
        {
            foreach (var channels in IsaOfProcess.IsSoftware ? [3, 9] : Channels)
            {
                var images = 1 + channels % 3;
                var shape = PoolingShape.Windows(height, wide, channels, kernel, stride, padding, ceiling);
                var what = $"{typeof(T).Name} {width} [{height}, {wide}, {channels}] x {images}, "
                    + $"kernel {kernel}, stride {stride}, padding {padding}, ceiling {ceiling}";
                Assert.Equal(PoolingReference.Outputs(height, kernel.Height, stride.Height, padding.Top, padding.Bottom, ceiling), shape.Rows.Outputs);
                Assert.Equal(PoolingReference.Outputs(wide, kernel.Width, stride.Width, padding.Left, padding.Right, ceiling), shape.Columns.Outputs);
                var random = new TestRandom((ulong)(channels + 100 * height));
                double[] image = Eighths(ref random, images * shape.InputSize), gradient = Eighths(ref random, images * shape.OutputSize);
                var (best, winners) = PoolingReference.Max(image, images, height, wide, channels, kernel, stride, padding, shape.Rows.Outputs,
                    shape.Columns.Outputs);
                var expected = PoolingReference.MaxGradient(gradient, winners, images, height, wide, channels, kernel, stride, padding,
                    shape.Rows.Outputs, shape.Columns.Outputs);

                Span<T> x = xPages.AtEnd<T>(image.Length), y = yPages.AtEnd<T>(gradient.Length);
                var cells = cellPages.AtEnd<int>(gradient.Length);
                Fill(x, image);
                y.Fill(T.NaN);
                MaxPooling.Forward(shape, x, y, [], null, width);
                AssertNear(best, y, 0, what + " max without cells");
                y.Fill(T.NaN);
                cells.Fill(-1);
                MaxPooling.Forward(shape, x, y, cells, null, width);
                AssertNear(best, y, 0, what + " max");
                Assert.Equal(winners, cells.ToArray());
                Fill(y, gradient);
                x.Fill(T.NaN);
                MaxPooling.Backward(shape, y, cells, x, null, width);
                AssertNear(expected, x, 0, what + " max dx");
                Fill(x, image);
                MaxPooling.Backward(shape, y, cells, new(x, adds: true), null, width);
                AssertNear([.. expected.Zip(image, (a, b) => a + b)], x, 0, what + " max dx added");

                foreach (var includePadding in (bool[])[true, false])
                {
                    var down = PoolingReference.Windows(height, kernel.Height, stride.Height, padding.Top, padding.Bottom, shape.Rows.Outputs, includePadding);
                    var across = PoolingReference.Windows(wide, kernel.Width, stride.Width, padding.Left, padding.Right, shape.Columns.Outputs, includePadding);
                    CheckAverage(shape, includePadding, image, gradient, images, down, across, x, y, width, what);
                }

                x = xPages.AtStart<T>(image.Length);
                y = yPages.AtStart<T>(gradient.Length);
                cells = cellPages.AtStart<int>(gradient.Length);
                Fill(x, image);
                MaxPooling.Forward(shape, x, y, cells, null, width);
                AssertNear(best, y, 0, what + " max");
                MaxPooling.Backward(shape, y, cells, x, null, width);
                xPages.AssertUntouched<T>(x, what);
                yPages.AssertUntouched<T>(y, what);
                cellPages.AssertUntouched<int>(cells, what);
            }
        }

        foreach (var (height, wide, outputs) in ((int, int, Extent)[])[(7, 5, new(3, 2)), (6, 4, new(3, 2)), (1, 1, 1), (3, 2, 5), (9, 9, 1),
            (5, 8, new(2, 8))])
        {
            foreach (var channels in IsaOfProcess.IsSoftware ? [3, 9] : Channels)
            {
                var shape = PoolingShape.Bins(height, wide, channels, outputs);
                var random = new TestRandom((ulong)channels);
                double[] image = Eighths(ref random, 2 * shape.InputSize), gradient = Eighths(ref random, 2 * shape.OutputSize);
                CheckAverage(shape, false, image, gradient, 2, PoolingReference.Bins(height, outputs.Height), PoolingReference.Bins(wide, outputs.Width),
                    xPages.AtEnd<T>(image.Length), yPages.AtEnd<T>(gradient.Length), width, $"[{height}, {wide}, {channels}] to {outputs}");
            }
        }
    }

    private static void CheckAverage<T>(PoolingShape shape, bool includePadding, double[] image, double[] gradient, int images,
        (bool[,] Covers, int[] Cells) down, (bool[,] Covers, int[] Cells) across, Span<T> x, Span<T> y, SimdWidth width, string what)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var tolerance = typeof(T) == typeof(float) ? 1e-6 : 1e-14;
        Fill(x, image);
        y.Fill(T.NaN);
        AveragePooling.Forward(shape, includePadding, x, y, null, width);
        AssertNear(PoolingReference.Average(image, images, shape.Channels, down, across), y, tolerance, what + " mean");
        var expected = PoolingReference.AverageGradient(gradient, images, shape.Channels, down, across);
        Fill(y, gradient);
        x.Fill(T.NaN);
        AveragePooling.Backward(shape, includePadding, y, x, null, width);
        AssertNear(expected, x, 4 * tolerance, what + " mean dx");
        Fill(x, image);
        AveragePooling.Backward(shape, includePadding, y, new(x, adds: true), null, width);
        AssertNear([.. expected.Zip(image, (a, b) => a + b)], x, 4 * tolerance, what + " mean dx added");
    }

    private static IEnumerable<(int Height, int Width, Extent Kernel, Extent Stride, Padding Padding, bool Ceiling)> Cases()
    {
        yield return (4, 6, 2, 2, 0, false);
        yield return (5, 7, 2, 2, 0, false);
        yield return (5, 7, 2, 2, 0, true);
        yield return (7, 6, 3, 2, 1, false);
        yield return (6, 6, 3, 2, 1, true);
        yield return (9, 7, 3, 3, 0, false);
        yield return (5, 4, 3, 1, 1, false);
        yield return (1, 1, 1, 1, 0, false);
        yield return (6, 5, new(2, 1), new(3, 2), 0, false);
        yield return (5, 5, new(3, 4), new(2, 3), new(2, 0, 1, 3), false);
        yield return (4, 5, new(3, 4), new(2, 3), new(2, 0, 1, 3), true);
        yield return (2, 3, 3, 2, 0, true);
        yield return (5, 9, new(5, 9), 1, 0, false);
    }

    [Fact]
    public void NaN_wins_infinities_stay_and_the_first_of_equals_gets_the_gradient()
    {
        foreach (var width in Enum.GetValues<SimdWidth>())
        {
            foreach (var channels in (int[])[1, 5, 19])
            {
                foreach (var kernel in (Extent[])[2, new(2, 3)])
                {
                    double[][] windows = [[1, double.NaN, 2, double.NaN],
                        [double.NegativeInfinity, double.NegativeInfinity, double.NegativeInfinity, double.NegativeInfinity],
                        [-1, 3, 3, 3], [double.NaN, 1, 2, double.PositiveInfinity], [0, -0.0, 0, 0],
                        [double.NegativeInfinity, 0, double.PositiveInfinity, double.NaN]];
                    int[] expected = kernel.Width == 2 ? [1, 0, 1, 0, 0, 3] : [1, 0, 1, 0, 0, 4];
                    for (var w = 0; w < windows.Length; w++)
                    {
                        // A window of 2 x 3 sees a column of padding on the right.
                        var shape = PoolingShape.Windows(2, 2, channels, kernel, kernel, new(0, 0, 0, kernel.Width - 2), false);
                        float[] x = [.. windows[w].SelectMany(v => Enumerable.Repeat((float)v, channels))], y = new float[channels];
                        var cells = new int[channels];
                        MaxPooling.Forward<float>(shape, x, y, cells, null, width);
                        var at = expected[w] / kernel.Width * 2 + expected[w] % kernel.Width;
                        Assert.All(cells, c => Assert.Equal(expected[w], c));
                        Assert.All(y, v => Assert.Equal((float)windows[w][at], v));
                        float[] dy = [.. Enumerable.Repeat(float.NaN, channels)], dx = [.. Enumerable.Repeat(7f, x.Length)];
                        MaxPooling.Backward<float>(shape, dy, cells, dx, null, width);
                        for (var i = 0; i < dx.Length; i++)
                            Assert.Equal(i / channels == at ? float.NaN : 0, dx[i]);
                    }
                }
            }
        }
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        foreach (var (kernel, stride, padding) in ((Extent, Extent, Padding)[])[(2, 2, 0), (3, 2, 1)])
        {
            var shape = PoolingShape.Windows(9, 11, 30, kernel, stride, padding, false);
            Threads.AssertSameBits<float>(context =>
            {
                var random = new TestRandom(5);
                float[] x = new float[9 * shape.InputSize], y = new float[9 * shape.OutputSize], mean = new float[y.Length],
                    dx = new float[x.Length], da = new float[x.Length];
                var cells = new int[y.Length];
                foreach (ref var value in x.AsSpan())
                    value = random.Signed<float>();
                MaxPooling.Forward(shape, x, y, cells, context);
                MaxPooling.Backward(shape, y, cells, dx, context);
                AveragePooling.Forward(shape, true, x, mean, context);
                AveragePooling.Backward(shape, true, mean, da, context);
                return [.. y, .. mean, .. dx, .. da, .. cells.Select(c => (float)c)];
            });
        }
    }

    [Fact]
    public void No_images_give_nothing()
    {
        var shape = PoolingShape.Windows(4, 4, 3, 2, 2, 0, false);
        MaxPooling.Forward<float>(shape, [], [], [], null);
        AveragePooling.Backward<float>(shape, true, [], Array.Empty<float>(), null);
        Assert.ThrowsAny<ArgumentException>(() => MaxPooling.Forward<float>(shape, new float[48], new float[11], [], null));
        Assert.ThrowsAny<ArgumentException>(() => MaxPooling.Backward<float>(shape, new float[12], new int[11], new float[48], null));
    }

    /// <summary>Few values, so that there are ties.</summary>
    private static double[] Eighths(ref TestRandom random, int length)
    {
        var values = new double[length];
        foreach (ref var value in values.AsSpan())
            value = random.Integer(-6, 6) / 8.0;
        return values;
    }

    private static void Fill<T>(Span<T> span, double[] values) where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < values.Length; i++)
            span[i] = T.CreateChecked(values[i]);
    }

    private static void AssertNear<T>(double[] expected, ReadOnlySpan<T> actual, double tolerance, string what) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
        {
            if (!(Math.Abs(double.CreateChecked(actual[i]) - expected[i]) <= tolerance))
                Assert.Fail($"{what}: [{i}] is {actual[i]}, expected {expected[i]}.");
        }
    }
}
