using System.Numerics;
using Backprop.Simd.Initializers;
using Backprop.Simd.Kernels;
using Backprop.Simd.Networks;

namespace Backprop.Simd.Tests.Initializers;

/// <summary>The uniform and normal twins, truncated, orthogonal and given values.</summary>
public class FurtherInitializerTests
{
    private static T[] Fill<T>(Initializer initializer, int length, int fanIn = 300, int fanOut = 100, ulong seed = 1)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var values = new T[length];
        var random = new Philox(seed, 0);
        initializer.Fill(values.AsSpan(), fanIn, fanOut, ref random);
        return values;
    }

    [Fact]
    public void He_and_Xavier_have_the_same_variance_uniform_and_normal()
    {
        // Mean, variance and fourth moment: 9/5 of the square of the variance where uniform, 3 where normal.
        Check(Initialize.HeUniform, 2.0 / 300, 1.8);
        Check(Initialize.XavierNormal, 2.0 / 400, 3);

        static void Check(Initializer initializer, double variance, double kurtosis)
        {
            var values = Fill<double>(initializer, 200_000);
            Assert.Equal(0, values.Average(), 1e-3);
            Assert.Equal(1, values.Average(v => v * v) / variance, 0.015);
            Assert.Equal(kurtosis, values.Average(v => v * v * v * v) / (variance * variance), 0.1);
        }
    }

    [Fact]
    public void Uniform_lies_in_its_bounds()
    {
        var values = Fill<double>(Initialize.Uniform(-1, 3), 100_000);
        Assert.All(values, v => Assert.InRange(v, -1, 3));
        Assert.Equal(-1, values.Min(), 1e-3);
        Assert.Equal(3, values.Max(), 1e-3);
        Assert.Equal(1, values.Average(), 0.02);
        Assert.Equal(16.0 / 12, values.Average(v => (v - 1) * (v - 1)), 0.02);
        Assert.All(Fill<float>(Initialize.Uniform(2, 2), 5), v => Assert.Equal(2, v));
        var limit = Math.Sqrt(6.0 / 300);
        Assert.All(Fill<double>(Initialize.HeUniform, 100_000), v => Assert.InRange(v, -limit, limit));
        Assert.Equal(limit, Fill<double>(Initialize.HeUniform, 100_000).Max(), 1e-4);
    }

    [Theory]
    [InlineData(2, 0.7737413)]
    [InlineData(0.5, 0.0805892)]
    [InlineData(1, 0.2911251)]
    public void Truncated_normal_has_the_variance_of_its_formula(double bound, double variance)
    {
        // 1 - 2 b phi(b) / (2 Phi(b) - 1).
        var values = Fill<double>(Initialize.TruncatedNormal(0.1, bound), 200_000);
        Assert.All(values, v => Assert.InRange(v, -0.1 * bound, 0.1 * bound));
        Assert.Equal(0.1 * bound, values.Max(), 1e-3);
        Assert.Equal(0, values.Average(), 1e-3);
        Assert.Equal(variance, values.Average(v => v * v) / 0.01, 0.01 * variance);
        Assert.Equal(Fill<double>(Initialize.Normal(0.1), 100), Fill<double>(Initialize.TruncatedNormal(0.1, double.PositiveInfinity), 100));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 7)]
    [InlineData(7, 1)]
    [InlineData(2, 2)]
    [InlineData(16, 16)]
    [InlineData(33, 20)]
    [InlineData(20, 33)]
    [InlineData(100, 100)]
    [InlineData(128, 50)]
    public void Orthogonal_columns_or_rows(int rows, int columns)
    {
        Check<double>(1, 1e-15 * 16);
        Check<double>(1.5, 1e-15 * 32);
        Check<float>(0.5, 1e-6);

        void Check<T>(double gain, double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            var q = Array.ConvertAll(Fill<T>(Initialize.Orthogonal(gain), rows * columns, rows, columns), double.CreateTruncating);
            var byColumns = rows >= columns;
            var (count, length) = byColumns ? (columns, rows) : (rows, columns);
            double At(int vector, int i) => byColumns ? q[i * columns + vector] : q[vector * columns + i];
            for (var a = 0; a < count; a++)
            {
                for (var b = 0; b <= a; b++)
                {
                    var dot = 0.0;
                    for (var i = 0; i < length; i++)
                        dot += At(a, i) * At(b, i);
                    Assert.Equal(a == b ? gain * gain : 0, dot, tolerance);
                }
            }
        }
    }

    [Fact]
    public void Orthogonal_is_the_Q_of_a_positive_R()
    {
        // The first column is the first draw's direction; the draws have positive parts along their own columns.
        const int rows = 9, columns = 4;
        var q = Fill<double>(Initialize.Orthogonal(), rows * columns, rows, columns);
        var random = new Philox(1, 0);
        for (var c = 0; c < columns; c++)
        {
            var draw = Enumerable.Range(0, rows).Select(_ => random.NextNormal()).ToArray();
            var along = Enumerable.Range(0, rows).Sum(r => draw[r] * q[r * columns + c]);
            Assert.True(along > 0);
            for (var later = c + 1; later < columns; later++)
                Assert.Equal(0, Enumerable.Range(0, rows).Sum(r => draw[r] * q[r * columns + later]), 1e-14);
        }
    }

    [Fact]
    public void Orthogonal_matrices_are_uniform()
    {
        // Of a uniform one in 3 dimensions every element has mean 0 and variance 1/3, the trace mean 0 and variance 1.
        double sum = 0, squares = 0, traces = 0, traceSquares = 0;
        for (var seed = 0UL; seed < 4000; seed++)
        {
            var q = Fill<double>(Initialize.Orthogonal(), 9, 3, 3, seed);
            var trace = q[0] + q[4] + q[8];
            (sum, squares, traces, traceSquares) = (sum + q[4], squares + q[4] * q[4], traces + trace, traceSquares + trace * trace);
        }

        Assert.Equal(0, sum / 4000, 0.04);
        Assert.Equal(1.0 / 3, squares / 4000, 0.02);
        Assert.Equal(0, traces / 4000, 0.06);
        Assert.Equal(1, traceSquares / 4000, 0.08);
    }

    [Fact]
    public void Given_values_are_rounded_and_draw_nothing()
    {
        var initializer = Initialize.FromValues(0.1, -2, double.MaxValue);
        Assert.Equal([0.1, -2, double.MaxValue], Fill<double>(initializer, 3));
        Assert.Equal([0.1f, -2, float.PositiveInfinity], Fill<float>(initializer, 3));
        var random = new Philox(1, 0);
        initializer.Fill<float>(new float[3], 0, 0, ref random);
        Assert.True(random == new Philox(1, 0));
        var error = Assert.Throws<ArgumentException>(() => Fill<float>(initializer, 2));
        Assert.Equal("values", error.ParamName);
        Assert.Contains("3", error.Message, StringComparison.Ordinal);
        double[] source = [1, 2];
        var copied = new ValuesInitializer(source);
        source[0] = 9;
        Assert.Equal([1, 2], copied.Values.ToArray());
    }

    [Fact]
    public void A_layer_takes_any_of_them()
    {
        var network = GraphBuilder.Chain(6).Affine(4, Initialize.Orthogonal(2)).Build<float>(seed: 5);
        var w = network.ParameterOf("affine1.weight");
        Assert.Equal(4, Enumerable.Range(0, 6)
            .Sum(i => (double)network.ParameterOf("affine1.weight")[i * 4] * network.ParameterOf("affine1.weight")[i * 4]), 1e-5);
        Assert.Equal(24, w.Length);
    }

    [Fact]
    public void Floats_are_the_rounded_doubles()
    {
        foreach (var initializer in (Initializer[])[Initialize.HeUniform, Initialize.XavierNormal, Initialize.Uniform(-1, 2), Initialize.TruncatedNormal(3),
            Initialize.Orthogonal(3), Initialize.FromValues([.. Enumerable.Range(0, 100).Select(i => i / 7.0)])])
            Assert.Equal(Fill<double>(initializer, 100, 10, 10).Select(v => (float)v), Fill<float>(initializer, 100, 10, 10));
    }

    /// <summary>The same bits on every machine. An independent implementation in another language gave the same ones.</summary>
    [Fact]
    public void The_bits_are_golden()
    {
        AssertBits(Initialize.HeUniform, [0x3FBC777434C9CABA, 0xBFB0849D838F8585, 0xBFB12FD430E0E354, 0x3F6C419722D0119C]);
        AssertBits(Initialize.XavierNormal, [0x3FA3563C654DA7E7, 0xBF9670D815D704EE, 0xBFBF2E338E720CD9, 0x3F79A19DB3250FE5]);
        AssertBits(Initialize.Uniform(-0.3, 0.7), [0x3FE2FB07B1D76410, 0xBF9CCCD9D576F010, 0xBFA321169B3C7538, 0x3FCB2934042108DA]);
        AssertBits(Initialize.Orthogonal(), [0x3FEBAD8977D97BE8, 0xBFE00F73773231E3, 0xBFE00F73773231E3, 0xBFEBAD8977D97BE7], 2);
        Assert.Equal(0x3232A49EC9FEE837u, Hash(Fill<double>(Initialize.TruncatedNormal(0.02, 0.75), 100, seed: 20240229)));
        Assert.Equal(0xA585153A5FB6DCCEu, Hash(Fill<double>(Initialize.Orthogonal(1.5), 45 * 21, 45, 21, 20240229)));
        Assert.Equal(0x60B3D9D342AE3FE4u, Hash(Fill<double>(Initialize.Orthogonal(), 5 * 37, 5, 37, 20240229)));

        static void AssertBits(Initializer initializer, ulong[] golden, int fanIn = 300) =>
            Assert.Equal(golden, Fill<double>(initializer, 4, fanIn, seed: 20240229).Select(BitConverter.DoubleToUInt64Bits));

        static ulong Hash(double[] values) => values.Aggregate(0UL, (hash, x) => unchecked(hash * 31 + BitConverter.DoubleToUInt64Bits(x)));
    }

    [Fact]
    public void Arguments_are_validated()
    {
        Throws("low", () => Initialize.Uniform(double.NaN, 1));
        Throws("high", () => Initialize.Uniform(1, 0));
        Throws("high", () => Initialize.Uniform(-1e308, 1e308));
        Throws("standardDeviation", () => Initialize.TruncatedNormal(-1));
        Throws("bound", () => Initialize.TruncatedNormal(1, 0.4));
        Throws("bound", () => Initialize.TruncatedNormal(1, double.NaN));
        Throws("gain", () => Initialize.Orthogonal(-1));
        Throws("gain", () => Initialize.Orthogonal(double.NaN));
        Throws("fanIn", () => Fill<float>(Initialize.HeUniform, 1, 0));
        Throws("fanIn", () => Fill<float>(Initialize.XavierNormal, 1, 0));
        Throws("fanOut", () => Fill<float>(Initialize.XavierNormal, 1, 1, 0));
        Throws("fanIn", () => Fill<float>(Initialize.Orthogonal(), 1, 0));
        Assert.Equal("values", Assert.Throws<ArgumentException>(() => Fill<float>(Initialize.Orthogonal(), 7, 3)).ParamName);
        Assert.Empty(Fill<float>(Initialize.Orthogonal(), 0, 3));

        static void Throws(string name, Func<object> create) =>
            Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(create).ParamName);
    }
}
