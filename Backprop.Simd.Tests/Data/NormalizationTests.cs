using System.Numerics;
using Backprop.Simd.Data;
using Backprop.Simd.Kernels;
using Backprop.Simd.Layers;
using Backprop.Simd.Networks;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Data;

public sealed class NormalizationTests
{
    private static readonly Shape Image = new(3, 5, 4);

    [Theory]
    [InlineData(NormalizationScope.Element, 0)]
    [InlineData(NormalizationScope.Channel, 0)]
    [InlineData(NormalizationScope.Whole, 0)]
    [InlineData(NormalizationScope.Element, 1e4)]
    [InlineData(NormalizationScope.Channel, 1e4)]
    [InlineData(NormalizationScope.Whole, 1e4)]
    public void Statistics_are_those_of_two_passes_at_any_offset(NormalizationScope scope, double offset)
    {
        var (set, numbers) = Set<double>(130, Image, offset);
        var rows = Enumerable.Range(0, 130).Where(row => row % 3 != 0).Reverse().ToArray();
        var normalization = Normalization.Standardize(set, "x", scope, rows);
        var scaling = Normalization.Scale(set, "x", scope, rows);
        var features = scope switch { NormalizationScope.Element => Image.Size, NormalizationScope.Channel => 4, _ => 1 };
        Assert.Equal((features, features), (normalization.Offsets.Length, scaling.Factors.Length));
        for (var i = 0; i < features; i++)
        {
            var seen = rows.SelectMany(row =>
                Enumerable.Range(0, Image.Size).Where(j => j % features == i).Select(j => numbers[row * Image.Size + j])).ToArray();
            var mean = seen.Average(x => x - offset);
            var deviation = Math.Sqrt(seen.Average(x => Math.Pow(x - offset - mean, 2)));
            Assert.Equal(offset + mean, normalization.Offsets[i], 1e-11);
            Assert.Equal(1, normalization.Factors[i] * deviation, 1e-10);
            Assert.Equal(seen.Min(), scaling.Offsets[i]);
            Assert.Equal(1 / (seen.Max() - seen.Min()), scaling.Factors[i]);
        }
    }

    [Fact]
    public void Float_images_keep_their_digits_behind_a_large_offset()
    {
        var (set, numbers) = Set<float>(200, Image, 1e4);
        var normalization = Normalization.Standardize(set, "x", NormalizationScope.Channel);
        var actual = numbers.ToArray();
        normalization.Apply<float>(actual, 200);
        for (var i = 0; i < actual.Length; i++)
        {
            var expected = (numbers[i] - normalization.Offsets[i % 4]) * normalization.Factors[i % 4];
            Assert.Equal(expected, actual[i], 1e-6);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(63)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(784)]
    public void Rows_of_any_size_are_normalized_and_nothing_behind_them(int size)
    {
        var offsets = Enumerable.Range(0, size).Select(i => i * 0.5).ToArray();
        var factors = Enumerable.Range(0, size).Select(i => 1.0 / (i + 1)).ToArray();
        var normalization = new Normalization("x", new Shape(size), offsets, factors);
        using var context = new ComputeContext(3) { InlineNanoseconds = 0 };
        foreach (var rows in (int[])[0, 1, 2, 7, 130])
        {
            var values = Enumerable.Range(0, rows * size + 1).Select(i => i * 0.25).ToArray();
            var before = values.ToArray();
            var shared = values.ToArray();
            normalization.Apply<double>(values, rows);
            normalization.Apply<double>(shared, rows, context);
            Bits.AssertEqual<double>(values, shared, "three threads");
            for (var i = 0; i < rows * size; i++)
                Assert.Equal((before[i] - offsets[i % size]) * factors[i % size], values[i], 1e-9);
            Assert.Equal(before[^1], values[^1]);
        }
    }

    [Fact]
    public void Every_width_stays_inside_its_operands()
    {
        foreach (var width in (SimdWidth[])[SimdWidth.Portable, SimdWidth.Bits128, SimdWidth.Bits256, SimdWidth.Bits512])
        {
            foreach (var (length, pattern) in (ReadOnlySpan<(int, int)>)[(1, 1), (15, 64), (131, 65), (300, 100)])
            {
                using GuardedMemory memory = new(4 * length), offsets = new(4 * pattern), factors = new(4 * pattern), shifts = new(4 * pattern);
                Span<float> x = memory.AtEnd<float>(length), o = offsets.AtEnd<float>(pattern), f = factors.AtEnd<float>(pattern),
                    s = shifts.AtEnd<float>(pattern);
                (int i, float one) = (0, 1);
                for (; i < length; i++)
                    x[i] = i;
                o.Fill(one);
                f.Fill(2);
                s.Fill(3);
                using GuardedMemory other = new(4 * length);
                var y = other.AtEnd<float>(length);
                RowScaling.Restore<float>(x, f, s, o, y, null, width);
                for (i = 0; i < length; i++)
                    Assert.Equal(2 * i + 3 + 1, y[i]);
                RowScaling.Gradient<float>(x, f, y, null, width);
                RowScaling.Gradient<float>(x, s, new(y, adds: true), null, width);
                for (i = 0; i < length; i++)
                    Assert.Equal(5 * i, y[i]);
                RowScaling.Normalize<float>(x, o, f, s, x, null, width);
                for (i = 0; i < length; i++)
                    Assert.Equal((i - 1) * 2 + 3, x[i]);
            }
        }
    }

    [Fact]
    public void A_constant_feature_becomes_zero()
    {
        var set = new Dataset<float>(Columns.Values<float>("x", new Shape(2), new float[] { 0.1f, 1, 0.1f, 3, 0.1f, 5 }));
        foreach (var normalization in (Normalization[])[Normalization.Standardize(set, "x"), Normalization.Scale(set, "x")])
        {
            Assert.Equal((0.1f, 1), (normalization.Offsets[0], normalization.Factors[0]));
            float[] values = [0.1f, 3];
            normalization.Apply<float>(values, 1);
            Assert.Equal(0, values[0]);
        }
    }

    [Fact]
    public void A_saved_normalization_is_the_same()
    {
        var (set, numbers) = Set<float>(40, Image, 3);
        var fitted = Normalization.Standardize(set, "x", NormalizationScope.Channel);
        var rebuilt = new Normalization(fitted.Column, fitted.Shape, fitted.Offsets, fitted.Factors);
        float[] expected = [.. numbers], actual = [.. numbers];
        fitted.Apply<float>(expected, 40);
        rebuilt.Apply<float>(actual, 40);
        Bits.AssertEqual<float>(expected, actual, "rebuilt");
    }

    [Theory]
    [InlineData(NormalizationScope.Element)]
    [InlineData(NormalizationScope.Channel)]
    [InlineData(NormalizationScope.Whole)]
    public void Undo_takes_a_normalization_back(NormalizationScope scope)
    {
        var (set, numbers) = Set<double>(40, Image, 1000);
        var fitted = Normalization.Standardize(set, "x", scope);
        double[] values = [.. numbers, 5];
        fitted.Apply<double>(values, 40);
        fitted.Undo<double>(values, 40);
        for (var i = 0; i < numbers.Length; i++)
            Assert.Equal(numbers[i], values[i], 1e-9);
        Assert.Equal(5, values[^1]);
        Assert.Throws<ArgumentException>(() => fitted.Undo<double>(new double[59], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => fitted.Undo<double>(new double[60], -1));
        Assert.Throws<InvalidOperationException>(() => new Normalization("x", Image, [0], [0]).Undo<double>(new double[60], 1));
    }

    [Fact]
    public void What_cannot_be_is_refused()
    {
        Assert.Throws<ArgumentException>(() => new Normalization("", Image, [0], [1]));
        Assert.Throws<ArgumentException>(() => new Normalization("x", Image, [0, 0], [1, 1]));
        Assert.Throws<ArgumentException>(() => new Normalization("x", Image, [0], [1, 1]));
        Assert.Throws<ArgumentException>(() => new Normalization("x", Image, [double.NaN], [1]));
        Assert.Throws<ArgumentException>(() => new Normalization("x", Image, [0], [double.PositiveInfinity]));
        var set = new Dataset<float>(Columns.Values<float>("x", Shape.Scalar, new[] { 1, float.NaN }), Columns.Labels("labels", new byte[2]));
        Assert.Contains("not finite", Assert.Throws<ArgumentException>(() => Normalization.Standardize(set, "x")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => Normalization.Scale(set, "x"));
        Assert.Throws<ArgumentException>(() => Normalization.Scale(set, "labels"));
        Assert.Throws<ArgumentException>(() => Normalization.Scale(set, "z"));
        Assert.Throws<ArgumentException>(() => Normalization.Scale(set, "x", rows: []));
        Assert.Equal(1, Normalization.Scale(set, "x", rows: [0]).Offsets[0]);
        Assert.Throws<ArgumentException>(() => new Normalization("x", Image, [0], [1]).Apply<float>(new float[59], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Normalization("x", Image, [0], [1]).Apply<float>(new float[59], -1));
    }

    [Theory]
    [InlineData(1, 64)]
    [InlineData(784, 64)]
    [InlineData(1 << 20, 1)]
    [InlineData(1 << 26, 1)] // 64 rows have 2^32 elements.
    [InlineData(int.MaxValue, 1)]
    public void Large_rows_are_fitted_few_at_a_time(int size, int rows) => Assert.Equal(rows, Normalization.RowsAtATime(size));

    [Fact]
    public void Numbers_beyond_the_range_of_the_type_are_refused_where_they_would_be_applied()
    {
        var set = new Dataset<double>(Columns.Values<double>("x", Shape.Scalar, new[] { -1e300, 1e300 }));
        var normalization = Normalization.Scale(set, "x");
        var one = new[] { 1e300 };
        normalization.Apply<double>(one, 1);
        Assert.Equal(1, one[0]);
        var same = new[] { 1f };
        Assert.Contains("Single", Assert.Throws<ArgumentException>(() => normalization.Apply<float>(same, 1)).Message, StringComparison.Ordinal);
        Assert.Equal(1, same[0]);
        Assert.Throws<ArgumentException>(() => new GraphBuilder().Input("x").Normalize(normalization));
    }

    private static (Dataset<T> Set, T[] Numbers) Set<T>(int rows, Shape shape, double offset) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var random = new TestRandom(7);
        var numbers = new T[rows * shape.Size];
        for (var i = 0; i < numbers.Length; i++)
            numbers[i] = T.CreateTruncating(offset + random.Signed<double>() * (1 + i % 4) + i % 3);
        return (new Dataset<T>(Columns.Values<T>("x", shape, numbers)), numbers);
    }
}
