using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Kernels;

public sealed class AxisScanTests
{
    public static TheoryData<int[], int> Shapes => new()
    {
        { [1], 0 }, { [7], 0 }, { [1000], 0 }, { [5, 40], 1 }, { [40, 5], 0 }, { [3, 20, 37], 1 }, { [2, 9, 4, 3], 1 }, { [300, 2], 1 }, { [2, 64], 1 },
        { [6, 17, 1], 1 }, { [2, 3, 4], 2 }, { [0, 3], 1 }, { [40, 300], 1 },
    };

    [Theory, MemberData(nameof(Shapes))]
    public void Prefix_sums_of_integers_are_exact(int[] shape, int axis)
    {
        using var team = new ComputeContext(3);
        double[] x = [.. Enumerable.Range(0, BroadcastReference.Count(shape)).Select(i => (double)(i * 7 % 19 - 9))];
        foreach (var (exclusive, reverse) in ((bool, bool)[])[(false, false), (true, false), (false, true), (true, true)])
        {
            var expected = ScanReference.Sums(x, shape, axis, exclusive, reverse);
            foreach (var context in (ComputeContext?[])[null, team])
            {
                var y = new double[x.Length];
                AxisScans.CumulativeSum(new(x, shape), axis, exclusive, reverse, new Destination<double>(y), context);
                Assert.Equal(expected, y);
                AxisScans.CumulativeSum(new(x, shape), axis, exclusive, reverse, new Destination<double>(y, adds: true), context);
                Assert.Equal(expected.Select(v => 2 * v), y);
                float[] single = [.. x.Select(v => (float)v)];
                AxisScans.CumulativeSum(new(single, shape), axis, exclusive, reverse, new Destination<float>(single), context);
                Assert.Equal(expected.Select(v => (float)v), single);
            }
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public void A_row_has_the_same_prefix_sums_among_others_as_alone(bool reverse)
    {
        const int Rows = 41, Columns = 83;
        float[] x = [.. Enumerable.Range(0, Rows * Columns).Select(i => MathF.Sin(i) * (1 + i % 7))], all = new float[x.Length], one = new float[x.Length];
        Array.Fill(all, 0.1f);
        Array.Fill(one, 0.1f);
        foreach (var adds in (bool[])[true, false])
        {
            AxisScans.CumulativeSum(new(x, Rows, Columns), 1, false, reverse, new Destination<float>(all, adds));
            for (var row = 0; row < Rows; row++)
            {
                AxisScans.CumulativeSum(
                    new(x.AsSpan(row * Columns, Columns), Columns), 0, false, reverse, new Destination<float>(one.AsSpan(row * Columns, Columns), adds));
            }

            Assert.Equal(one, all);
        }
    }

    [Fact]
    public void A_long_prefix_sum_is_as_exact_as_one_addition()
    {
        const int N = 1 << 18;
        float[] x = new float[3 * N], y = new float[3 * N];
        Array.Fill(x, 0.1f);
        AxisScans.CumulativeSum(new(x, 3 * N), 0, false, false, new Destination<float>(y));
        Check(1);
        AxisScans.CumulativeSum(new(x, N, 3), 0, false, false, new Destination<float>(y));
        Check(3);
        x[0] = 1;
        x[3] = float.PositiveInfinity;
        x[6] = float.NegativeInfinity;
        AxisScans.CumulativeSum(new(x, N, 3), 0, false, false, new Destination<float>(y));
        Assert.Equal([1, float.PositiveInfinity, float.NaN], [y[0], y[3], y[6]]);
        AxisScans.CumulativeSum(new(x, 3 * N), 0, false, false, new Destination<float>(y));
        Assert.Equal([1, float.PositiveInfinity, float.PositiveInfinity, float.NaN], [y[0], y[3], y[5], y[6]]);

        void Check(int columns)
        {
            for (var i = 0; i < y.Length; i += 997)
                Assert.InRange(Math.Abs(y[i] / ((i / columns + 1) * (double)0.1f) - 1), 0, Math.ScaleB(1, -23));
        }
    }

    [Theory, MemberData(nameof(Shapes))]
    public void The_first_of_all_are_those_of_a_stable_sort(int[] shape, int axis)
    {
        Check<float>(shape, axis);
        Check<double>(shape, axis);
    }

    private static void Check<T>(int[] shape, int axis) where T : unmanaged, IFloatingPointIeee754<T>
    {
        using var team = new ComputeContext(3);
        double[] special = [double.NaN, double.PositiveInfinity, double.NegativeInfinity, 0, -0.0, float.MaxValue, -float.MaxValue, 1e-40f, -1e-40f];
        double[] x = [.. Enumerable.Range(0, BroadcastReference.Count(shape)).Select(i => i % 3 == 0 ? special[i / 3 % 9] : i * 7 % 23 - 11)];
        foreach (var count in (int[])[1, Math.Min(2, shape[axis]), Math.Min(60, shape[axis]), shape[axis]])
        {
            foreach (var largest in (bool[])[false, true])
            {
                var sources = ScanReference.Ranked(x, shape, axis, count, largest);
                foreach (var context in (ComputeContext?[])[null, team])
                {
                    T[] input = [.. x.Select(T.CreateTruncating)], values = new T[sources.Length], places = new T[sources.Length], dx = new T[x.Length];
                    AxisScans.TopK(new(input, shape), axis, count, largest, values, places, context);
                    Assert.Equal(sources.Select(s => input[s.Source]), values);
                    Assert.Equal(sources.Select(s => T.CreateTruncating(s.Place)), places);
                    Array.Fill(dx, T.NaN);
                    T[] dy = [.. values.Select((_, i) => T.CreateTruncating(i + 1))];
                    AxisScans.TopKGradient(dy, places, shape, axis, dx, context);
                    AxisScans.TopKGradient(dy, places, shape, axis, new Destination<T>(dx, adds: true), context);
                    var expected = new T[x.Length];
                    for (var i = 0; i < dy.Length; i++)
                        expected[sources[i].Source] += dy[i] + dy[i];
                    Assert.Equal(expected, dx);
                }
            }
        }
    }

    [Fact]
    public void Misfits_are_refused()
    {
        double[] x = new double[6], y = new double[2], z = new double[2];
        Assert.Throws<ArgumentOutOfRangeException>("axis", () => AxisScans.CumulativeSum(new(x, 2, 3), 2, false, false, new Destination<double>(y)));
        Assert.Throws<ArgumentException>("y", () => AxisScans.CumulativeSum(new(x, 2, 3), 1, false, false, new Destination<double>(y)));
        Assert.Throws<ArgumentException>("y", () => AxisScans.CumulativeSum(new(x, 2, 3), 1, false, false, new Destination<double>(x, adds: true)));
        Assert.Throws<ArgumentOutOfRangeException>("count", () => AxisScans.TopK(new(x, 2, 3), 1, 4, true, y, z));
        Assert.Throws<ArgumentException>("values", () => AxisScans.TopK(new(x, 2, 3), 1, 2, true, y, z));
        Assert.Throws<ArgumentException>("places", () => AxisScans.TopK(new(x, 2, 3), 1, 1, true, y, y));
        Assert.Throws<ArgumentException>("dy", () => AxisScans.TopKGradient(new double[3], new double[3], [2, 3], 1, new Destination<double>(x)));
        foreach (var bad in (double[])[-1, 3, double.PositiveInfinity, double.NaN, 0.5])
        {
            Assert.Contains("[0, 3)", Assert.Throws<ArgumentException>("places", () =>
                AxisScans.TopKGradient(y, [0, bad], [2, 3], 1, new Destination<double>(x))).Message, StringComparison.Ordinal);
        }
    }
}
