using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Paddings, reversals and tilings on small integers: every order of sums gives the same number.</summary>
public sealed class ArraysTests
{
    public static TheoryData<int[], int[], int[]> Paddings => new()
    {
        { [], [], [] }, { [5], [2], [1] }, { [5], [0], [0] }, { [3, 4], [2, 0], [0, 3] }, { [3, 4], [0, 1], [0, 2] }, { [3, 4], [1, 0], [2, 0] },
        { [2, 3, 4, 5], [0, 2, 1, 0], [0, 1, 3, 0] }, { [2, 3, 4, 5], [1, 0, 0, 2], [0, 0, 0, 3] }, { [3, 1, 4, 1, 2], [0, 0, 2, 0, 1], [1, 0, 3, 0, 0] },
        { [2, 2, 2, 2, 2, 2, 2, 2], [1, 0, 1, 0, 1, 0, 1, 0], [0, 1, 0, 1, 0, 1, 0, 1] }, { [300, 3], [299, 0], [298, 1] },
        { [70, 9, 33], [0, 8, 0], [1, 0, 0] },
    };

    [Theory, MemberData(nameof(Paddings))]
    public void Paddings_and_their_gradients_are_those_of_the_reference(int[] shape, int[] before, int[] after)
    {
        foreach (var mode in Enum.GetValues<PaddingMode>())
        {
            int[] result = [.. shape.Select((n, d) => before[d] + n + after[d])];
            var sources = ArrayReference.Sources(shape, result, (d, i) => ArrayReference.Padded($"{mode}", i, shape[d], before[d]));
            Check(shape, result, sources, -7,
                (x, y, context) => Arrays.Pad(new(x, shape), before, after, mode, -7.0, y.Span, context),
                (dy, dx, context) => Arrays.PadGradient<double>(dy, shape, before, after, mode, dx, context));
        }
    }

    [Fact]
    public void An_edge_may_be_longer_than_the_array()
    {
        int[] shape = [3, 2, 1], before = [200, 0, 3], after = [140, 5, 0], result = [343, 7, 4];
        Check(shape, result, ArrayReference.Sources(shape, result, (d, i) => ArrayReference.Padded("Edge", i, shape[d], before[d])), 0,
            (x, y, context) => Arrays.Pad(new(x, shape), before, after, PaddingMode.Edge, 0.0, y.Span, context),
            (dy, dx, context) => Arrays.PadGradient<double>(dy, shape, before, after, PaddingMode.Edge, dx, context));
        var none = new double[4];
        Arrays.Pad(new([], 0), [1], [3], PaddingMode.Constant, 2.0, none);
        Assert.Equal([2, 2, 2, 2], none);
    }

    public static TheoryData<int[], int[]> Repeats => new()
    {
        { [], [] }, { [5], [3] }, { [3, 4], [1, 1] }, { [3, 4], [2, 1] }, { [3, 4], [1, 2] }, { [2, 3, 4], [3, 1, 2] }, { [2, 1, 3], [1, 5, 1] },
        { [2, 1, 2, 1, 2, 1, 2, 1], [1, 2, 1, 2, 1, 2, 2, 2] }, { [3, 2], [300, 1] }, { [3, 2], [1, 300] }, { [1, 1, 2], [17, 18, 2] }, { [40, 50], [3, 2] },
    };

    [Theory, MemberData(nameof(Repeats))]
    public void Tilings_and_reversals_are_those_of_the_reference(int[] shape, int[] repeats)
    {
        int[] result = [.. shape.Select((n, d) => n * repeats[d])];
        Check(shape, result, ArrayReference.Sources(shape, result, (d, i) => i % shape[d]), 0,
            (x, y, context) => Arrays.Tile(new(x, shape), repeats, y.Span, context),
            (dy, dx, context) => Arrays.TileGradient<double>(dy, shape, repeats, dx, context));

        // The repeats choose dimensions, too.
        int[] axes = [.. Enumerable.Range(0, shape.Length).Where(d => repeats[d] > 1)];
        var sources = ArrayReference.Sources(shape, shape, (d, i) => axes.Contains(d) ? shape[d] - 1 - i : i);
        Check(shape, shape, sources, 0, (x, y, context) => Arrays.Reverse(new(x, shape), axes, y, context),
            (dy, dx, context) => Arrays.Reverse(new(dy, shape), axes, dx, context));
    }

    [Fact]
    public void A_long_sum_keeps_the_error_of_pairwise_sums()
    {
        const int N = 1 << 18;
        float[] dy = new float[3 * N], dx = new float[3];
        Array.Fill(dy, 0.1f);
        Arrays.TileGradient(dy, [3], [N], dx);
        Assert.All(dx, d => Assert.InRange(Math.Abs(d / (N * (double)0.1f) - 1), 0, 60 * Math.ScaleB(1, -23)));
        Arrays.PadGradient(dy, [3], [3 * N - 3], [0], PaddingMode.Edge, dx);
        Assert.InRange(Math.Abs(dx[0] / ((3 * N - 2) * (double)0.1f) - 1), 0, 60 * Math.ScaleB(1, -23));
    }

    [Fact]
    public void Misfits_are_refused()
    {
        double[] x = new double[6], y = new double[10];
        Assert.Equal("before", Assert.Throws<ArgumentException>(() => Arrays.Pad(new(x, 2, 3), [-1, 0], [1, 0], PaddingMode.Edge, 0.0, y)).ParamName);
        Assert.Equal("after", Assert.Throws<ArgumentException>(() => Arrays.Pad(new(x, 2, 3), [1, 0], [2, 0], PaddingMode.Reflect, 0.0, y)).ParamName);
        Assert.Equal("after", Assert.Throws<ArgumentException>(() => Arrays.Pad(new(x, 6), [0], [0, 0], PaddingMode.Edge, 0.0, y)).ParamName);
        Assert.Contains("must have length 12", Assert.Throws<ArgumentException>("y", () =>
            Arrays.Pad(new(x, 2, 3), [1, 0], [1, 0], PaddingMode.Edge, 0.0, y)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>("mode", () => Arrays.Pad(new(x, 6), [0], [0], (PaddingMode)3, 0.0, x));
        Assert.Throws<ArgumentException>("axes", () => Arrays.Reverse(new(x, 2, 3), [1, 1], new Destination<double>(y.AsSpan(0, 6))));
        Assert.Throws<ArgumentException>("axes", () => Arrays.Reverse(new(x, 2, 3), [2], new Destination<double>(y.AsSpan(0, 6))));
        Assert.Throws<ArgumentException>("y", () => Arrays.Reverse(new(x, 2, 3), [0], new Destination<double>(x)));
        Assert.Throws<ArgumentException>("repeats", () => Arrays.Tile(new(x, 2, 3), [0, 1], y));
        Assert.Throws<ArgumentException>("y", () => Arrays.Tile(new(x, 2, 3), [int.MaxValue, int.MaxValue], y));
    }

    private delegate void Forward(double[] x, Destination<double> y, ComputeContext? context);

    private delegate void Backward(double[] dy, Destination<double> dx, ComputeContext? context);

    private static void Check(int[] shape, int[] result, int[] sources, double otherwise, Forward forward, Backward backward)
    {
        using var team = new ComputeContext(3);
        double[] x = [.. Enumerable.Range(0, BroadcastReference.Count(shape)).Select(i => (double)(i * 5 % 17))];
        double[] dy = [.. Enumerable.Range(0, BroadcastReference.Count(result)).Select(i => (double)(i * 7 % 11 - 4))];
        foreach (var context in (ComputeContext?[])[null, team])
        {
            double[] y = new double[dy.Length], dx = new double[x.Length];
            Array.Fill(y, double.NaN);
            Array.Fill(dx, double.NaN);
            forward(x, y, context);
            Assert.Equal(ArrayReference.Take(x, sources, otherwise), y);
            backward(dy, dx, context);
            var expected = ArrayReference.Scatter(dy, sources, x.Length);
            Assert.Equal(expected, dx);
            backward(dy, new(dx, adds: true), context);
            Assert.Equal(expected.Select(d => 2 * d), dx);
        }
    }
}
