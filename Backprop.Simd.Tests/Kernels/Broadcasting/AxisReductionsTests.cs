using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels.Broadcasting;

public sealed class AxisReductionsTests
{
    /// <summary>A shape, and the shape that it is reduced to: rows, columns narrow and wide, all, none, and by turns.</summary>
    public static TheoryData<int[], int[]> Shapes => new()
    {
        { [], [] }, { [5], [5] }, { [7], [1] }, { [1000], [1] }, { [30, 3], [1, 3] }, { [300, 3], [1, 3] }, { [30, 3], [30, 1] },
        { [20, 129], [20, 1] }, { [300, 129], [1, 129] }, { [4, 50, 6], [4, 1, 6] }, { [4, 50, 40], [4, 1, 40] }, { [4, 5, 6], [1, 5, 1] },
        { [2, 3, 4, 5], [2, 1, 4, 1] }, { [2, 3, 4, 5], [1, 3, 1, 5] }, { [2, 3, 2, 3, 2, 3], [1, 3, 1, 3, 1, 3] }, { [1, 1, 9], [1, 1, 1] },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Values_and_gradients_are_those_of_the_reference(int[] shape, int[] reduced)
    {
        using var team = new ComputeContext(3);
        var random = new Random(1);
        double[] x = [.. Enumerable.Range(0, BroadcastReference.Count(shape)).Select(_ => Math.Round(random.NextDouble() * 8 - 4, 1))];
        var groups = BroadcastReference.Groups(x, shape, reduced);
        double[] y = new double[groups.Length], means = new double[y.Length], scratch = new double[AxisReductions.Scratch(x.Length)], dx = new double[x.Length];
        double[] dy = [.. y.Select(_ => random.NextDouble())];

        Run("sum", g => g.Sum(), (g, v, s) => 1, () => AxisReductions.Sum(new(x, shape), reduced, new Destination<double>(y), scratch, team),
            d => AxisReductions.SumGradient(new(dy, reduced), shape, 1, d, team));
        Run("max", g => g.Max(), (g, v, s) => v == s ? 1.0 / g.Count(t => t == s) : 0, () => AxisReductions.Max(new(x, shape), reduced, y, scratch, team),
            d => AxisReductions.ExtremeGradient(dy, new(x, shape), y, reduced, d, scratch, team));
        Run("min", g => g.Min(), (g, v, s) => v == s ? 1.0 / g.Count(t => t == s) : 0, () => AxisReductions.Min(new(x, shape), reduced, y, scratch, team),
            d => AxisReductions.ExtremeGradient(dy, new(x, shape), y, reduced, d, scratch, team));
        Run("logsumexp", g => Math.Log(g.Sum(Math.Exp)), (g, v, s) => Math.Exp(v - s),
            () => AxisReductions.LogSumExp(new(x, shape), reduced, y, scratch, team),
            d => AxisReductions.LogSumExpGradient(dy, new(x, shape), y, reduced, d, team));
        Run("norm", g => Math.Sqrt(g.Sum(v => v * v)), (g, v, s) => s == 0 ? 0 : v / s, () => AxisReductions.Norm(new(x, shape), reduced, y, scratch, team),
            d => AxisReductions.NormGradient(dy, new(x, shape), y, reduced, d, team));
        Run("variance", g => g.Sum(v => Math.Pow(v - g.Average(), 2)) / g.Length, (g, v, s) => 2 * (v - g.Average()) / g.Length,
            () => AxisReductions.Variance(new(x, shape), reduced, 0, means, y, scratch, team),
            d => AxisReductions.VarianceGradient(dy, new(x, shape), means, reduced, 0, d, team));

        void Run(string name, Func<double[], double> value, Func<double[], double, double, double> slope, Action forward, Gradient backward)
        {
            Array.Fill(y, double.NaN);
            forward();
            for (var i = 0; i < y.Length; i++)
                Close(name, value(groups[i]), y[i]);
            foreach (var adds in (bool[])[false, true])
            {
                Array.Fill(dx, adds ? 2 : double.NaN);
                backward(new Destination<double>(dx, adds));
                for (var i = 0; i < x.Length; i++)
                {
                    var at = BroadcastReference.Source(reduced, shape, i);
                    Close(name, (adds ? 2 : 0) + dy[at] * slope(groups[at], x[i], y[at]), dx[i]);
                }
            }
        }
    }

    private delegate void Gradient(Destination<double> dx);

    [Theory]
    [InlineData(1, 5)]
    [InlineData(3, 40)]
    [InlineData(40, 3)]
    [InlineData(5, 1)]
    public void NaN_and_infinities_are_those_of_PyTorch(int before, int behind)
    {
        // Along the middle: the columns hold NaN, +inf, -inf, both infinities, and -inf alone, by turns.
        double[][] kinds = [[1, double.NaN, 2], [1, double.PositiveInfinity, 3], [1, double.NegativeInfinity, 3],
            [double.NegativeInfinity, 0, double.PositiveInfinity], [double.NegativeInfinity, double.NegativeInfinity, double.NegativeInfinity]];
        int[] shape = [before, 3, behind], reduced = [before, 1, behind];
        double[] x = new double[before * 3 * behind], y = new double[before * behind], scratch = new double[AxisReductions.Scratch(x.Length)];
        for (var i = 0; i < x.Length; i++)
            x[i] = kinds[BroadcastReference.Source(reduced, shape, i) % 5][i / behind % 3];
        AxisReductions.Max(new(x, shape), reduced, y, scratch);
        AssertKinds([double.NaN, double.PositiveInfinity, 3, double.PositiveInfinity, double.NegativeInfinity]);
        AxisReductions.LogSumExp(new(x, shape), reduced, y, scratch);
        AssertKinds([double.NaN, double.PositiveInfinity, 3 + Math.Log(1 + Math.Exp(-2)), double.PositiveInfinity, double.NegativeInfinity]);
        AxisReductions.Min(new(x, shape), reduced, y, scratch);
        AssertKinds([double.NaN, 1, double.NegativeInfinity, double.NegativeInfinity, double.NegativeInfinity]);

        void AssertKinds(double[] expected) => Assert.All(y.Index(), v => Assert.Equal(expected[v.Index % 5], v.Item, 1e-14));
    }

    [Theory]
    [InlineData(3, 1)]
    [InlineData(40, 1)]
    [InlineData(3, 5)]
    [InlineData(1, 1)]
    public void The_gradient_of_LogSumExp_is_NaN_where_nothing_is_above_minus_infinity(int length, int behind)
    {
        // The first part holds -infinity alone, the second -infinity beside zeros, the third +infinity.
        double[] x = new double[3 * length * behind], y = new double[3 * behind], dx = new double[x.Length];
        double[] dy = [.. y.Select((_, i) => i + 1.0)];
        Array.Fill(x, double.NegativeInfinity, 0, length * behind + behind);
        Array.Fill(x, double.PositiveInfinity, 2 * length * behind, behind);
        int[] shape = [3, length, behind], reduced = [3, 1, behind];
        AxisReductions.LogSumExp(new(x, shape), reduced, y, new double[AxisReductions.Scratch(x.Length)]);
        AxisReductions.LogSumExpGradient(dy, new(x, shape), y, reduced, dx);
        for (var i = 0; i < x.Length; i++)
        {
            var (part, j) = (i / (length * behind), i / behind % length);
            var share = length == 1 ? double.NaN : j == 0 ? 0 : 1.0 / (length - 1);
            Assert.Equal(part == 0 || part == 2 && j == 0 ? double.NaN : part == 2 ? 0 : share * dy[part * behind + i % behind], dx[i], 1e-14);
        }

        float[] single = [.. x.Select(v => (float)v)], sums = new float[y.Length], gradient = new float[x.Length];
        AxisReductions.LogSumExp(new(single, shape), reduced, sums, new float[AxisReductions.Scratch(x.Length)]);
        AxisReductions.LogSumExpGradient([.. dy.Select(v => (float)v)], new(single, shape), sums, reduced, gradient);
        for (var i = 0; i < x.Length; i++)
            Assert.Equal((float)dx[i], gradient[i], 1e-5f);
    }

    [Fact]
    public void NaN_elements_share_the_gradient_of_a_NaN()
    {
        double[] x = [1, double.NaN, double.NaN, 4], dx = new double[4];
        AxisReductions.ExtremeGradient([6.0], new(x, 4), [double.NaN], [1], dx, new double[12]);
        Assert.Equal([0, 3, 3, 0], dx);
    }

    [Fact]
    public void The_place_of_the_largest_is_the_first_and_NaN_is_the_largest()
    {
        float[] x = [1, 5, 5, float.NaN, 7, float.NaN, -0f, 0, float.NegativeInfinity, float.NegativeInfinity], y = new float[2];
        AxisReductions.ArgMax(x.AsSpan(0, 6), 2, 3, 1, y);
        Assert.Equal([1, 0], y);
        AxisReductions.ArgMax(x.AsSpan(6, 4), 1, 2, 2, y);
        Assert.Equal([0, 0], y);
        Assert.Throws<ArgumentException>(() => AxisReductions.ArgMax(x.AsSpan(0, 5), 2, 3, 1, y));
        Assert.Throws<ArgumentOutOfRangeException>(() => AxisReductions.ArgMax<float>([], 2, 0, 1, y));
    }

    [Fact]
    public void Misfits_are_refused()
    {
        double[] x = new double[6], y = new double[2], scratch = new double[18];
        Assert.Contains("[2, 3]", Assert.Throws<ArgumentException>(() => AxisReductions.Sum(new(x, 2, 3), [3], new Destination<double>(y), scratch)).Message,
            StringComparison.Ordinal);
        Assert.Equal("y", Assert.Throws<ArgumentException>(() => AxisReductions.Max(new(x, 2, 3), [1, 3], y, scratch)).ParamName);
        Assert.Equal("scratch", Assert.Throws<ArgumentException>(() => AxisReductions.Norm(new(x, 2, 3), [2, 1], y, scratch.AsSpan(1))).ParamName);
        Assert.Equal("scratch", Assert.Throws<ArgumentException>(() => AxisReductions.Max(new(x, 2, 3), [2, 1], scratch.AsSpan(0, 2), scratch)).ParamName);
        Assert.Equal("x", Assert.Throws<ArgumentException>(() => AxisReductions.Max<double>(new([], 2, 0), [2, 1], y, scratch)).ParamName);
        AxisReductions.Sum<double>(new([], 2, 0), [2, 1], new Destination<double>(y), scratch);
        Assert.Equal([0, 0], y);
    }

    private static void Close(string name, double expected, double actual) =>
        Assert.True(Math.Abs(expected - actual) <= 1e-12 * (1 + Math.Abs(expected)), $"{name}: {expected} and {actual}");
}
