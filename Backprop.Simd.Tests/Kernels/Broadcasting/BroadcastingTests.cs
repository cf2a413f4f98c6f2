using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers.Gates;
using Backprop.Simd.Memory;
using Backprop.Simd.Tests.Reference;
using Backprop.Simd.Threading;
using Xunit;
using Broadcasts = Backprop.Simd.Kernels.Broadcasting;

namespace Backprop.Simd.Tests.Kernels.Broadcasting;

public sealed class BroadcastingTests
{
    /// <summary>Pairs of shapes: equal, scalars, channels, rows, both sides, one to six levels, runs short and long, around every limit.</summary>
    public static TheoryData<int[], int[]> Shapes => new()
    {
        { [], [] }, { [5], [] }, { [], [7] }, { [1], [1, 1] }, { [3, 4], [3, 4] },
        { [100, 3], [3] }, { [100, 10], [10] }, { [9, 130], [130] }, { [3, 2000], [2000] }, { [2000, 1], [2000, 3] },
        { [50, 7], [50, 1] }, { [3, 200], [3, 1] }, { [3, 2000], [3, 1] }, { [4, 1], [1, 5] }, { [300, 1], [1, 300] },
        { [2, 5, 6, 3], [2, 1, 1, 3] }, { [3, 20, 20, 16], [3, 1, 1, 16] }, { [2, 9, 7, 150], [2, 1, 1, 150] },
        { [2, 3, 4, 5], [3, 1, 5] }, { [2, 1, 4, 1, 3], [1, 3, 1, 5, 1] }, { [2, 3, 2, 3, 2, 3], [2, 1, 2, 1, 2, 1] },
        { [1, 200, 1, 9], [5, 1, 3, 1] }, { [6, 1, 1, 1, 40], [6, 2, 3, 2, 1] }, { [2, 64, 1], [2, 64, 5] }, { [1, 1, 129], [3, 2, 1] },
        { [0, 3], [3] }, { [2, 0], [1] },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Results_and_gradients_are_those_of_the_reference(int[] xShape, int[] yShape)
    {
        Check<double, Multiply>(xShape, yShape, (x, y) => x * y, (dz, x, y) => dz * y, (dz, x, y) => dz * x);
        Check<double, Add>(xShape, yShape, (x, y) => x + y, (dz, x, y) => dz, (dz, x, y) => dz);
        Check<double, Subtract>(xShape, yShape, (x, y) => x - y, (dz, x, y) => dz, (dz, x, y) => -dz);
        Check<double, Divide>(xShape, yShape, (x, y) => x / y, (dz, x, y) => dz / y, (dz, x, y) => -dz * x / y / y);
        Check<double, Maximum>(xShape, yShape, Math.Max, (dz, x, y) => x > y ? dz : 0, (dz, x, y) => y > x ? dz : 0);
        Check<float, Minimum>(xShape, yShape, Math.Min, (dz, x, y) => x < y ? dz : 0, (dz, x, y) => y < x ? dz : 0);
        Check<float, Multiply>(xShape, yShape, (x, y) => x * y, (dz, x, y) => dz * y, (dz, x, y) => dz * x);
    }

    [Fact]
    public void Threads_do_not_change_a_bit()
    {
        using var team = new ComputeContext(3);
        foreach (var shapes in Shapes)
        {
            var (xShape, yShape) = (Times((int[])shapes[0]), Times((int[])shapes[1]));
            var (x, y) = (Numbers<float>(xShape, 1), Numbers<float>(yShape, 2));
            var n = x.Length * y.Length == 0 ? 0 : BroadcastReference.Count(BroadcastReference.Shape(xShape, yShape));
            var dz = Numbers<float>([n], 3);
            Assert.Equal(Run(null), Run(team));

            float[] Run(ComputeContext? context)
            {
                float[] z = new float[n], dx = new float[x.Length], dy = new float[y.Length], scratch = new float[Broadcasts.Scratch(n)];
                Broadcasts.Forward(default(Multiply), new(x, xShape), new ShapedSpan<float>(y, yShape), z, context);
                Broadcasts.LeftGradient(default(Multiply), dz, new(x, xShape), new(y, yShape), dx, scratch, context);
                Broadcasts.RightGradient(default(Multiply), dz, new(x, xShape), new(y, yShape), dy, scratch, context);
                return [.. z, .. dx, .. dy];
            }
        }

        static int[] Times(int[] shape) => [.. shape.Select(size => size > 1 ? size * 2 : size)];
    }

    [Fact]
    public void Shapes_that_do_not_fit_are_named()
    {
        var error = Assert.Throws<ArgumentException>(() => Broadcasts.Shape([2, 3, 4], [2, 4], new int[3]));
        Assert.Contains("[2, 3, 4] and [2, 4] do not broadcast: aligned at the last dimension, sizes must be equal or 1", error.Message,
            StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Broadcasts.Shape([2, 3], [3], new int[1]));
        Assert.Throws<ArgumentException>(() => Broadcasts.Shape([0], [2], new int[1]));
        Assert.Throws<ArgumentException>(() => new ShapedSpan<float>(new float[6], [2, 4]));
        Assert.Throws<ArgumentException>(() => new ShapedSpan<float>(new float[6], [-2, -3]));
        Assert.Throws<ArgumentException>(() => new ShapedSpan<float>([], [1 << 20, 1 << 20, 1 << 20, 0, 1 << 20, 1, 1, 1, 1]));
        Assert.Throws<ArgumentException>(() => new ShapedSpan<float>(new float[1], [1 << 16, 1 << 16]));
    }

    [Fact]
    public void An_operand_that_is_repeated_cannot_be_the_destination()
    {
        var memory = new float[12];
        Assert.Equal("z", Assert.Throws<ArgumentException>(() =>
            Broadcasts.Forward(default(Add), new(memory.AsSpan(0, 4), 4), new ShapedSpan<float>(new float[12], 3, 4), memory)).ParamName);
        Assert.Equal("z", Assert.Throws<ArgumentException>(() =>
            Broadcasts.Forward(default(Add), new(new float[4], 4), new ShapedSpan<float>(memory.AsSpan(1, 8), 2, 4), memory)).ParamName);
        Broadcasts.Forward(default(Add), new([1f, 2, 3, 4], 4), new ShapedSpan<float>(memory, 3, 4), memory);
        Assert.Equal([1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4], memory);
    }

    [Fact]
    public void Gradients_that_are_sums_need_scratch_apart_from_all_else()
    {
        float[] x = [1, 2], y = [1, 2, 3, 4], dz = [1, 1, 1, 1], dx = new float[2], scratch = new float[(int)Broadcasts.Scratch(4)];
        Assert.Equal("scratch", Assert.Throws<ArgumentException>(() =>
            Broadcasts.LeftGradient(default(Multiply), dz, new(x, 2), new(y, 2, 2), dx, scratch.AsSpan(1))).ParamName);
        Assert.Equal("scratch", Assert.Throws<ArgumentException>(() =>
            Broadcasts.LeftGradient(default(Multiply), dz, new(x, 2), new(y, 2, 2), scratch.AsSpan(0, 2), scratch)).ParamName);
        Assert.Equal("dx", Assert.Throws<ArgumentException>(() =>
            Broadcasts.LeftGradient(default(Multiply), dz, new(x, 2), new(y, 2, 2), new float[3], scratch)).ParamName);
        Assert.Equal("dz", Assert.Throws<ArgumentException>(() =>
            Broadcasts.LeftGradient(default(Multiply), dz.AsSpan(1), new(x, 2), new(y, 2, 2), dx, scratch)).ParamName);
        Broadcasts.LeftGradient(default(Multiply), dz, new(x, 2), new(y, 2, 2), dx, scratch);
        Assert.Equal([4, 6], dx);
    }

    [Fact]
    public void A_long_sum_keeps_the_error_of_pairwise_sums()
    {
        const int N = 1 << 20;
        float[] dz = new float[N], dx = new float[1], scratch = new float[Broadcasts.Scratch(N)];
        Array.Fill(dz, 0.1f);
        Broadcasts.LeftGradient(default(Add), dz, new([0f]), new(dz, N), dx, scratch);
        Assert.InRange(Math.Abs(dx[0] / (N * (double)0.1f) - 1), 0, 60 * Math.ScaleB(1, -23));
        dx = new float[2];
        Broadcasts.LeftGradient(default(Add), dz, new([0f, 0], 2), new(dz, N / 2, 2), dx, scratch);
        Assert.All(dx, d => Assert.InRange(Math.Abs(d / (N / 2 * (double)0.1f) - 1), 0, 60 * Math.ScaleB(1, -23)));
    }

    private static void Check<T, TFunction>(int[] xShape, int[] yShape, Func<double, double, double> f,
        Func<double, double, double, double> left, Func<double, double, double, double> right)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TFunction : struct, IBinaryFunction
    {
        T[] x = Numbers<T>(xShape, 1), y = Numbers<T>(yShape, 2);
        double[] wideX = Wide(x), wideY = Wide(y);
        var shape = BroadcastReference.Shape(xShape, yShape);
        if (x.Length == 0 || y.Length == 0)
            shape = [0];
        var n = BroadcastReference.Count(shape);
        var dz = Numbers<T>([n], 3);
        var wideDz = Wide(dz);
        T[] z = new T[n + 1], scratch = new T[Broadcasts.Scratch(n)];
        z[n] = T.CreateChecked(7);
        Array.Fill(scratch, T.NaN);
        Broadcasts.Forward(default(TFunction), new(x, xShape), new ShapedSpan<T>(y, yShape), z);
        Assert.Equal(T.CreateChecked(7), z[n]);
        AssertClose<T>(n == 0 ? [] : BroadcastReference.Map(wideX, xShape, wideY, yShape, f), z.AsSpan(0, n), 1);

        foreach (var adds in (bool[])[false, true])
        {
            T[] dx = new T[x.Length], dy = new T[y.Length];
            Array.Fill(dx, adds ? T.One : T.NaN);
            Array.Fill(dy, adds ? T.One : T.NaN);
            Broadcasts.LeftGradient(default(TFunction), dz, new(x, xShape), new ShapedSpan<T>(y, yShape), new Destination<T>(dx, adds), scratch);
            Broadcasts.RightGradient(default(TFunction), dz, new(x, xShape), new ShapedSpan<T>(y, yShape), new Destination<T>(dy, adds), scratch);
            AssertSums<T>(Terms(left), shape, xShape, dx, adds);
            AssertSums<T>(Terms(right), shape, yShape, dy, adds);
        }

        double[] Terms(Func<double, double, double, double> gradient) => [.. Enumerable.Range(0, n).Select(i =>
            gradient(wideDz[i], wideX[BroadcastReference.Source(xShape, shape, i)], wideY[BroadcastReference.Source(yShape, shape, i)]))];
    }

    private static void AssertSums<T>(double[] terms, int[] shape, int[] operand, T[] actual, bool adds)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (terms.Length == 0)
        {
            Assert.All(actual, a => Assert.Equal(adds ? T.One : T.Zero, a));
            return;
        }

        var groups = BroadcastReference.Groups(terms, shape, operand);
        AssertClose<T>([.. groups.Select(g => g.Sum() + (adds ? 1 : 0))], actual, 1 + groups.Max(g => g.Sum(Math.Abs)));
    }

    private static void AssertClose<T>(double[] expected, ReadOnlySpan<T> actual, double size) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Assert.Equal(expected.Length, actual.Length);
        var eps = typeof(T) == typeof(float) ? Math.ScaleB(1, -21) : Math.ScaleB(1, -50);
        for (var i = 0; i < expected.Length; i++)
            Assert.InRange(double.CreateChecked(actual[i]) - expected[i], -eps * (size + Math.Abs(expected[i])), eps * (size + Math.Abs(expected[i])));
    }

    /// <summary>Numbers away from 0, no two alike.</summary>
    private static T[] Numbers<T>(int[] shape, int seed) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, BroadcastReference.Count(shape)).Select(_ => T.CreateChecked((random.Next(2) * 2 - 1) * (0.5 + random.NextDouble())))];
    }

    private static double[] Wide<T>(T[] values) where T : unmanaged, IFloatingPointIeee754<T> => [.. values.Select(double.CreateChecked)];
}
