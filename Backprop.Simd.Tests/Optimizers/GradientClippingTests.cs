using System.Numerics;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Optimizers;

public class GradientClippingTests
{
    [Fact]
    public void A_norm_above_the_maximum_is_brought_to_it_at_every_length()
    {
        Check<float>(1e-5);
        Check<double>(1e-13);

        static void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var n in Samples.Lengths<T>().Skip(1))
            {
                var g = new Guarded<T>(Samples.Ordinary<T>(n, n));
                var before = Array.ConvertAll(g.Span.ToArray(), double.CreateTruncating);
                var norm = Math.Sqrt(before.Sum(x => x * x));
                Assert.Equal(norm, GradientClipping.Norm<T>(g.Span), norm * tolerance);
                Assert.Equal(norm, GradientClipping.ByNorm(g.Span, 0.25 * norm), norm * tolerance);
                for (var i = 0; i < n; i++)
                    Assert.Equal(before[i] * 0.25, double.CreateTruncating(g.Span[i]), tolerance * Math.Abs(before[i]));
                g.AssertIntact();
            }
        }
    }

    [Fact]
    public void A_norm_up_to_the_maximum_keeps_all_bits()
    {
        float[] g = [3, -4, -0f, float.Epsilon], before = [.. g];
        Assert.Equal(5, GradientClipping.ByNorm<float>(g, 5));
        Assert.Equal(5, GradientClipping.ByNorm<float>(g, 1e300));
        Guarded<float>.AssertSameBits(before, g);
        Assert.Equal(0, GradientClipping.ByNorm<float>([], 1));
        Assert.Equal(0, GradientClipping.ByNorm<float>(new float[7], 1));
    }

    [Fact]
    public void Large_and_small_gradients_neither_overflow_nor_vanish()
    {
        float[] g = [3e20f, -4e20f, 0];
        Assert.Equal(5e20, GradientClipping.ByNorm<float>(g, 1), 1e14);
        Assert.Equal(0.6, g[0], 1e-6);
        Assert.Equal(-0.8, g[1], 1e-6);

        g = [.. Enumerable.Repeat(float.MaxValue, 100_000)];
        Assert.Equal(float.MaxValue * Math.Sqrt(100_000), GradientClipping.ByNorm<float>(g, 1), 1e36);
        Assert.Equal(1 / Math.Sqrt(100_000), g[99_999], 1e-8);

        double[] wide = [3e200, 4e200];
        Assert.Equal(1, GradientClipping.ByNorm<double>(wide, 1) / 5e200, 1e-14);
        Assert.Equal(0.6, wide[0], 1e-14);
        g = [3e-30f, 4e-30f];
        Assert.Equal(1, GradientClipping.ByNorm<float>(g, 1e-30) / 5e-30, 1e-6);
        Assert.Equal(1, g[0] / 0.6e-30f, 1e-5);

        // maximum / norm is below the normal numbers, the result is not.
        g = [3e30f, 4e30f];
        GradientClipping.ByNorm<float>(g, 1e-12);
        Assert.Equal(1, g[0] / 0.6e-12, 1e-5);
    }

    [Fact]
    public void A_norm_that_is_not_finite_changes_nothing_and_is_reported()
    {
        foreach (var bad in (float[])[float.NaN, float.PositiveInfinity, float.NegativeInfinity])
        {
            var g = Samples.Ordinary<float>(100_000, 1);
            g[77_777] = bad;
            var before = g.ToArray();
            var norm = GradientClipping.ByNorm<float>(g, 1e-3);
            Assert.Equal(float.IsNaN(bad) ? double.NaN : double.PositiveInfinity, norm);
            Guarded<float>.AssertSameBits(before, g);
        }
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads()
    {
        foreach (var scale in (float[])[1, 1e30f])
        {
            Threads.AssertSameBits<double>(context =>
            {
                float[] g = [.. Samples.Ordinary<float>(300_001, 1).Select(x => x * scale)];
                var norm = GradientClipping.ByNorm<float>(g, 1, context);
                Assert.Equal(norm, GradientClipping.Norm<float>([.. Samples.Ordinary<float>(300_001, 1).Select(x => x * scale)]));
                return [norm, .. g.Select(x => (double)x)];
            });
        }
    }

    [Fact]
    public void By_value_every_element_is_bounded_and_NaN_stays()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var n in Samples.Lengths<T>())
            {
                var g = new Guarded<T>(Samples.Ordinary<T>(n, n));
                var bound = T.CreateTruncating(0.5);
                if (n > 4)
                    (g.Span[0], g.Span[1], g.Span[2], g.Span[n - 1]) = (T.NaN, T.PositiveInfinity, T.NegativeInfinity, T.NegativeZero);
                T[] expected = [.. g.Span.ToArray().Select(x => T.IsNaN(x) ? x : x > bound ? bound : x < -bound ? -bound : x)];
                GradientClipping.ByValue(g.Span, 0.5);
                Guarded<T>.AssertSameBits(expected, g.Span.ToArray());
                g.AssertIntact();
            }
        }
    }

    [Fact]
    public void Nothing_is_allocated()
    {
        var g = Samples.Ordinary<float>(40_000, 1);
        Assert.Equal(0, ThreadAllocations.Least(Run));

        void Run()
        {
            for (var i = 0; i < 20; i++)
            {
                GradientClipping.ByNorm<float>(g, 1, ComputeContext.SingleThreaded);
                GradientClipping.ByValue<float>(g, 1);
            }
        }
    }

    [Fact]
    public void The_maximum_is_validated()
    {
        foreach (var maximum in (double[])[0, -1, double.NaN, double.PositiveInfinity])
        {
            Assert.Equal("maximum", Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByNorm<float>(new float[1], maximum)).ParamName);
            Assert.Equal("maximum", Assert.Throws<ArgumentOutOfRangeException>(() => GradientClipping.ByValue<float>(new float[1], maximum)).ParamName);
        }

        Assert.Throws<NotSupportedException>(() => GradientClipping.ByNorm<Half>(new Half[1], 1));
        Assert.Throws<NotSupportedException>(() => GradientClipping.ByValue<Half>(new Half[1], 1));
    }
}
