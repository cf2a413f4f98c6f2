using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Windows whose cells lie apart, and sequences of different lengths, against the definition.</summary>
public sealed class DilatedPoolingTests
{
    public static TheoryData<string> Widths => [.. Enum.GetNames<SimdWidth>()];

    private static readonly (int Height, int Width, Extent Kernel, Extent Stride, Padding Padding, bool Ceiling, Extent Dilation)[] Cases =
    [
        (5, 6, 2, 1, 0, false, 2), (7, 9, new(2, 3), new(1, 2), 1, false, new(3, 2)), (6, 6, 3, 2, new(2, 1, 0, 3), true, new(1, 2)),
        (1, 7, new(1, 2), new(1, 1), Padding.Sides(1, 2), false, new(1, 4)), (4, 4, 2, 2, 0, false, new(2, 1)),
    ];

    [Theory]
    [MemberData(nameof(Widths))]
    public void Dilated_maxima_equal_the_definition(string name)
    {
        var width = Enum.Parse<SimdWidth>(name);
        Check<float>(width);
        Check<double>(width);
    }

    private static void Check<T>(SimdWidth width) where T : unmanaged, IFloatingPointIeee754<T>
    {
        const int Images = 2;
        foreach (var (height, wide, kernel, stride, padding, ceiling, dilation) in Cases)
        {
            foreach (var channels in (int[])[1, 3, 8, 19])
            {
                var shape = PoolingShape.Windows(height, wide, channels, kernel, stride, padding, ceiling, dilation);
                var (rows, columns) = (shape.Rows.Outputs, shape.Columns.Outputs);
                int down = (kernel.Height - 1) * dilation.Height + 1, across = (kernel.Width - 1) * dilation.Width + 1;
                Assert.Equal(PoolingReference.Outputs(height, down, stride.Height, padding.Top, padding.Bottom, ceiling), rows);
                Assert.Equal(PoolingReference.Outputs(wide, across, stride.Width, padding.Left, padding.Right, ceiling), columns);
                var random = new TestRandom((ulong)channels);
                double[] x = Eighths(ref random, Images * shape.InputSize), dy = Eighths(ref random, Images * shape.OutputSize);
                var (best, winners) = PoolingReference.Max(x, Images, height, wide, channels, kernel, stride, padding, rows, columns, dilation);
                T[] image = Narrow<T>(x), y = new T[dy.Length], dx = Narrow<T>(x);
                var cells = new int[dy.Length];
                MaxPooling.Forward<T>(shape, image, y, cells, null, width);
                Assert.Equal(Narrow<T>(best), y);
                Assert.Equal(winners, cells);
                var expected = PoolingReference.MaxGradient(dy, winners, Images, height, wide, channels, kernel, stride, padding, rows, columns, dilation);
                MaxPooling.Backward<T>(shape, Narrow<T>(dy), cells, new(dx, adds: true), null, width);
                Assert.Equal(Narrow<T>([.. expected.Zip(x, (a, b) => a + b)]), dx);
                MaxPooling.Backward<T>(shape, Narrow<T>(dy), cells, dx, null, width);
                Assert.Equal(Narrow<T>(expected), dx);
            }
        }
    }

    [Theory]
    [InlineData(1, 7)]
    [InlineData(3, 300)]
    [InlineData(19, 7)]
    [InlineData(40, 300)]
    public void Means_and_maxima_of_sequences_stop_at_their_ends(int channels, int steps)
    {
        int[] lengths = [steps, 1, steps / 2];
        var random = new TestRandom(3);
        double[] x = Eighths(ref random, 3 * steps * channels), dy = Eighths(ref random, 3 * channels);
        double[] mean = new double[3 * channels], best = new double[mean.Length], meanDx = new double[x.Length], bestDx = new double[x.Length];
        for (var i = 0; i < mean.Length; i++)
        {
            var (row, channel) = (i / channels, i % channels);
            int At(int step) => (row * steps + step) * channels + channel;
            var winner = Enumerable.Range(0, lengths[row]).MaxBy(t => x[At(t)]);
            (mean[i], best[i]) = (Enumerable.Range(0, lengths[row]).Average(t => x[At(t)]), x[At(winner)]);
            bestDx[At(winner)] = dy[i];
            for (var t = 0; t < lengths[row]; t++)
                meanDx[At(t)] = dy[i] / lengths[row];
            for (var t = lengths[row]; t < steps; t++)
                x[At(t)] = double.NaN; // Nothing depends on the padding.
        }

        foreach (var threads in (int[])[1, 3])
        {
            using var compute = new ComputeContext(threads);
            double[] y = new double[mean.Length], dx = new double[x.Length];
            var winners = new int[best.Length];
            SequencePooling.Forward<double>(new(steps, channels, false), lengths, x, y, [], compute);
            AssertNear(mean, y);
            SequencePooling.Backward<double>(new(steps, channels, false), lengths, dy, [], dx, compute);
            AssertNear(meanDx, dx);
            SequencePooling.Backward<double>(new(steps, channels, false), lengths, dy, [], new(dx, adds: true), compute);
            AssertNear([.. meanDx.Select(d => 2 * d)], dx);
            SequencePooling.Forward<double>(new(steps, channels, true), lengths, x, y, winners, compute);
            Assert.Equal(best, y);
            SequencePooling.Backward<double>(new(steps, channels, true), lengths, dy, winners, dx, compute);
            Assert.Equal(bestDx, dx);
        }
    }

    [Fact]
    public void A_window_without_a_cell_and_lengths_out_of_range_are_refused()
    {
        static string? Refused(Padding padding) =>
            Assert.Throws<ArgumentException>(() => PoolingShape.Windows(1, 2, 1, new(1, 2), 1, padding, false, new(1, 3))).ParamName;
        Assert.Equal("padding", Refused(Padding.Sides(4, 2)));
        Assert.Equal("dilation", Refused(Padding.Sides(1, 2)));
        Assert.Equal("dilation", Assert.Throws<ArgumentException>(() => PoolingShape.Check(2, 1, 0, 0)).ParamName);
        foreach (var length in (int[])[0, 4, -1, int.MinValue])
        {
            var error = Assert.Throws<ArgumentException>(() => SequencePooling.Forward<float>(new(3, 1, true), [length], new float[3], new float[1], [], null));
            Assert.Contains($"row 0 has {length}", error.Message, StringComparison.Ordinal);
        }
    }

    private static double[] Eighths(ref TestRandom random, int length)
    {
        var values = new double[length];
        foreach (ref var value in values.AsSpan())
            value = random.Integer(-6, 6) / 8.0;
        return values;
    }

    private static T[] Narrow<T>(double[] values) where T : unmanaged, IFloatingPointIeee754<T> => [.. values.Select(T.CreateChecked)];

    private static void AssertNear(double[] expected, double[] actual)
    {
        for (var i = 0; i < expected.Length; i++)
            Assert.Equal(expected[i], actual[i], 1e-14);
    }
}
