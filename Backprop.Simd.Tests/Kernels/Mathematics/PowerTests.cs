using System.Numerics;
using Backprop.Simd.Kernels;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Reference;
using Ops = Backprop.Simd.Kernels.Elementwise;

namespace Backprop.Simd.Tests.Kernels;

/// <summary>Powers: special values as C99's pow has them, and the digits of the others.</summary>
public class PowerTests
{
    private static T[] Evaluate<T>(T[] x, T[] y, SimdWidth width = SimdWidth.Widest) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var z = new T[x.Length];
        Map.Binary(default(Ops.PowOperator<T>), x, y, z, 1, null, width);
        return z;
    }

    [Fact]
    public void Every_pair_of_special_values_is_as_C99_has_it()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            double[] further = [2, -2, 3, -3, 1.5, -1.5, 1e5, -1e5, 1e300, 8388609, 16777215, 9007199254740991];
            T[] values = [.. Samples.Special<T>(), .. further.Select(T.CreateTruncating)];
            var pairs = values.SelectMany(x => values.Select(y => (x, y))).ToArray();
            T[] bases = [.. pairs.Select(pair => pair.x)], exponents = [.. pairs.Select(pair => pair.y)];
            foreach (var width in Functions.Widths)
            {
                var z = Evaluate(bases, exponents, width);
                for (var i = 0; i < z.Length; i++)
                {
                    var (x, y) = pairs[i];
                    var exact = Math.Pow(double.CreateTruncating(x), double.CreateTruncating(y));
                    var what = $"{width}: {typeof(T).Name} {x:R}^{y:R} = {z[i]:R}, not {exact:R}";
                    Assert.True(UlpTable.Error(z[i], exact) <= 2, what);
                    Assert.True(T.IsNaN(z[i]) || T.IsNegative(z[i]) == double.IsNegative(exact), what);
                }
            }
        }
    }

    [Fact]
    public void Floats_stay_within_one_and_a_half_units_in_the_last_place()
    {
        var (x, y) = Pairs(2_000_000, 120, float.Epsilon, float.MaxValue);
        var z = Evaluate([.. x.Select(v => (float)v)], y.Select(v => (float)v).ToArray());
        var (worst, at) = (0.0, 0);
        for (var i = 0; i < z.Length; i++)
        {
            var error = UlpTable.Error(z[i], Math.Pow((float)x[i], (float)y[i]));
            if (error > worst)
                (worst, at) = (error, i);
        }

        Assert.True(worst <= 1.5, $"{(float)x[at]:R}^{(float)y[at]:R} is {worst} ULP off.");
    }

    [Fact]
    public void Doubles_stay_within_one_and_a_half_units_in_the_last_place_of_50_digits()
    {
        var (x, y) = Pairs(12_000, 740, double.Epsilon, double.MaxValue);
        foreach (var width in (SimdWidth[])[SimdWidth.Widest, SimdWidth.Bits128])
        {
            var z = Evaluate(x, y, width);
            var (worst, at) = (0.0, 0);
            for (var i = 0; i < z.Length; i++)
            {
                if (z[i] == 0 || double.IsInfinity(z[i]))
                    continue;
                var error = Big.Exp(y[i] * Big.Ln(x[i])).UlpsTo(z[i]);
                if (error > worst)
                    (worst, at) = (error, i);
            }

            Assert.True(worst <= 1.5, $"{width}: {x[at]:R}^{y[at]:R} is {worst} ULP off.");
        }
    }

    [Fact]
    public void Every_register_width_gives_the_same_bits_and_a_constant_exponent_those_of_an_array()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] x = Samples.Mixed<T>(3001, 1), y = Samples.Mixed<T>(3001, 2), z = Evaluate(x, y), constant = new T[x.Length];
            foreach (var width in Functions.Widths)
                Guarded<T>.AssertSameBits(z, Evaluate(x, y, width));
            var exponent = T.CreateTruncating(-1.75);
            Ops.Pow(x, exponent, constant);
            Guarded<T>.AssertSameBits(Evaluate(x, [.. x.Select(_ => exponent)]), constant);
        }
    }

    [Fact]
    public void Floor_is_the_largest_integer_below()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] x = [.. Samples.Special<T>(), .. Samples.Mixed<T>(500, 4)];
            foreach (var width in Functions.Widths)
            {
                var y = new T[x.Length];
                Map.Unary(default(Ops.FloorOperator<T>), x, y, 1, null, width);
                Guarded<T>.AssertSameBits(x.Select(T.Floor).ToArray(), y);
            }
        }
    }

    /// <summary>Bases of all sizes and near 1, with exponents whose powers fill the range.</summary>
    private static (double[] X, double[] Y) Pairs(int count, double range, double least, double most)
    {
        var random = new Random(17);
        double[] x = new double[count], y = new double[count];
        for (var i = 0; i < count; i++)
        {
            x[i] = (i & 3) switch
            {
                0 => Math.Exp(Math.Log(least) + random.NextDouble() * (Math.Log(most) - Math.Log(least))),
                1 => 0.5 + random.NextDouble(),
                2 => 1 + (random.NextDouble() - 0.5) * Math.Pow(10, -7 * random.NextDouble()),
                _ => 10 * random.NextDouble(),
            };
            y[i] = (2 * random.NextDouble() - 1) * ((i & 4) == 0 ? range / Math.Max(Math.Abs(Math.Log(x[i])), 1e-9) : 8);
        }

        return (x, y);
    }
}
