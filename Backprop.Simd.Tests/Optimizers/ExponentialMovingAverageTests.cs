using System.Numerics;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Optimizers;

public class ExponentialMovingAverageTests
{
    [Theory]
    [InlineData(AverageStart.First)]
    [InlineData(AverageStart.BiasCorrected)]
    [InlineData(AverageStart.WarmUp)]
    public void Twenty_updates_follow_the_formulas_at_every_length(AverageStart start)
    {
        Check<float>(1e-5);
        Check<double>(1e-13);

        void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            const double d = 0.8;
            foreach (var n in Samples.Lengths<T>())
            {
                var average = new ExponentialMovingAverage<T>(n, d, start);
                var sum = new double[n];
                for (var t = 1; t <= 20; t++)
                {
                    var w = new Guarded<T>(Samples.Ordinary<T>(n, t));
                    average.Update(w.Span);
                    w.AssertIntact();
                    var decay = start == AverageStart.WarmUp ? Math.Min(d, (1.0 + t) / (10 + t)) : d;
                    for (var i = 0; i < n; i++)
                    {
                        var value = double.CreateTruncating(w.Span[i]);
                        sum[i] = t == 1 && start != AverageStart.BiasCorrected ? value : decay * sum[i] + (1 - decay) * value;
                        var expected = start == AverageStart.BiasCorrected ? sum[i] / (1 - Math.Pow(d, t)) : sum[i];
                        Assert.Equal(expected, double.CreateTruncating(average.Average[i]), tolerance);
                    }
                }

                Assert.Equal(20, average.Updates);
            }
        }
    }

    [Fact]
    public void What_does_not_change_is_its_own_average()
    {
        var w = Samples.Ordinary<float>(37, 1);
        foreach (var start in Enum.GetValues<AverageStart>())
        {
            var average = new ExponentialMovingAverage<float>(37, 0.9, start);
            for (var t = 0; t < 50; t++)
                average.Update(w);
            Guarded<float>.AssertSameBits(w, average.Average.ToArray());
        }
    }

    [Fact]
    public void It_is_copied_swapped_and_swapped_back()
    {
        const int n = 1300;
        var average = new ExponentialMovingAverage<double>(n, 0.5);
        double[] first = Samples.Ordinary<double>(n, 1), w = Samples.Ordinary<double>(n, 2), before = [.. w], copy = new double[n];
        average.Update(first);
        average.Update(w);
        average.CopyTo(copy);
        for (var i = 0; i < n; i++)
            Assert.Equal(0.5 * (first[i] + w[i]), copy[i], 1e-14);
        average.Swap(w);
        Assert.Equal(copy, w);
        Assert.Equal(before, average.Average.ToArray());
        Assert.True(average.IsSwapped);
        Assert.Throws<InvalidOperationException>(() => average.Update(w));
        Assert.Throws<InvalidOperationException>(() => average.CopyTo(w));
        average.Swap(w);
        Assert.Equal(before, w);
        Assert.Equal(copy, average.Average.ToArray());
        Assert.False(average.IsSwapped);
    }

    [Fact]
    public void A_restored_average_goes_on_with_the_same_bits()
    {
        ExponentialMovingAverage<float> whole = new(9, 0.9, AverageStart.BiasCorrected), second = new(9, 0.9, AverageStart.BiasCorrected);
        for (var t = 0; t < 6; t++)
        {
            if (t == 3)
                second.Restore(whole.Average, whole.Updates);
            var w = Samples.Ordinary<float>(9, t);
            whole.Update(w);
            if (t >= 3)
                second.Update(w);
        }

        Guarded<float>.AssertSameBits(whole.Average.ToArray(), second.Average.ToArray());
        Assert.Equal(6, second.Updates);
    }

    [Fact]
    public void The_same_bits_on_1_2_3_and_8_threads_and_nothing_allocated()
    {
        const int n = 8 * 512 + 100;
        Threads.AssertSameBits<float>(context =>
        {
            var average = new ExponentialMovingAverage<float>(n, 0.9);
            for (var t = 0; t < 4; t++)
                average.Update(Samples.Ordinary<float>(n, t), context);
            return average.Average.ToArray();
        });

        var single = new ExponentialMovingAverage<float>(n, 0.9);
        var w = Samples.Ordinary<float>(n, 1);
        Assert.Equal(0, ThreadAllocations.Least(() =>
        {
            for (var t = 0; t < 100; t++)
            {
                single.Update(w, ComputeContext.SingleThreaded);
                single.Swap(w);
                single.Swap(w);
            }
        }));
    }

    [Fact]
    public void Arguments_are_validated()
    {
        Throws("parameterCount", () => new ExponentialMovingAverage<float>(-1));
        Throws("decay", () => new ExponentialMovingAverage<float>(1, 1));
        Throws("decay", () => new ExponentialMovingAverage<float>(1, double.NaN));
        Throws("start", () => new ExponentialMovingAverage<float>(1, 0.9, (AverageStart)7));
        Assert.Throws<NotSupportedException>(() => new ExponentialMovingAverage<Half>(1));
        var average = new ExponentialMovingAverage<float>(2);
        Assert.Throws<InvalidOperationException>(() => average.CopyTo(new float[2]));
        Assert.Throws<InvalidOperationException>(() => average.Swap(new float[2]));
        Assert.Equal("parameters", Assert.Throws<ArgumentException>(() => average.Update(new float[3])).ParamName);
        Assert.Equal("parameters", Assert.Throws<ArgumentException>(() => average.Swap(new float[3])).ParamName);
        Assert.Equal("average", Assert.Throws<ArgumentException>(() => average.Restore(new float[3], 1)).ParamName);
        Throws("updates", () =>
        {
            average.Restore(new float[2], -1);
            return average;
        });

        static void Throws(string name, Func<object> create) =>
            Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(create).ParamName);
    }
}
