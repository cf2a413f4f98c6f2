using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Optimizers;

public class AdamTests
{
    private const double Rate = 0.05;

    /// <summary>Adam or AdamW, weight decay.</summary>
    public static TheoryData<bool, double> Options => new() { { false, 0 }, { false, 0.1 }, { true, 0 }, { true, 0.1 } };

    /// <summary>Algorithm 1 of Kingma and Ba, and Algorithm 2 of Loshchilov and Hutter, line by line, in double.</summary>
    private sealed class Reference(int count, bool decoupled, double weightDecay, double beta1 = 0.9, double beta2 = 0.999, double epsilon = 1e-8)
    {
        private readonly double[] _m = new double[count], _v = new double[count];
        private int _t;

        public void Step(double[] theta, double[] gradients, params BlockRange[] ranges)
        {
            _t++;
            foreach (var range in ranges)
            {
                for (var i = range.Start; i < range.End; i++)
                {
                    var g = gradients[i] + (decoupled ? 0 : weightDecay * theta[i]);
                    _m[i] = beta1 * _m[i] + (1 - beta1) * g;
                    _v[i] = beta2 * _v[i] + (1 - beta2) * g * g;
                    var corrected = _m[i] / (1 - Math.Pow(beta1, _t));
                    var square = _v[i] / (1 - Math.Pow(beta2, _t));
                    theta[i] -= Rate * (corrected / (Math.Sqrt(square) + epsilon)) + (decoupled ? Rate * weightDecay * theta[i] : 0);
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Twelve_steps_follow_the_algorithm_at_every_length(bool decoupled, double weightDecay)
    {
        Check<float>(2e-5);
        Check<double>(1e-12);

        void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            foreach (var n in Samples.Lengths<T>())
            {
                var optimizer = Create<T>(n, decoupled, weightDecay);
                var reference = new Reference(n, decoupled, weightDecay);
                var parameters = new Guarded<T>(Samples.Ordinary<T>(n, n));
                var expected = Doubles<T>(parameters.Span);
                for (var step = 0; step < 12; step++)
                {
                    var gradients = new Guarded<T>(Samples.Ordinary<T>(n, 100 + step));
                    var before = gradients.Span.ToArray();
                    optimizer.Step(parameters.Span, gradients.Span);
                    reference.Step(expected, Doubles<T>(before), new BlockRange(0, n));
                    Assert.Equal(before, gradients.Span.ToArray());
                    gradients.AssertIntact();
                }

                Assert.Equal(12, optimizer.Steps);
                for (var i = 0; i < n; i++)
                    Assert.Equal(expected[i], double.CreateTruncating(parameters.Span[i]), tolerance);
                parameters.AssertIntact();
            }
        }
    }

    [Fact]
    public void A_constant_gradient_moves_by_the_rate_whatever_its_size()
    {
        // m_hat = g and v_hat = g^2 in every step: w moves by rate g / (|g| + epsilon).
        foreach (var gradient in (double[])[1e-6, 1, -1e6])
        {
            var optimizer = new Adam<double>(3, 0.25, 0.5, 0.75);
            var w = new double[3];
            double[] g = [gradient, gradient, gradient];
            for (var step = 1; step <= 20; step++)
            {
                optimizer.Step(w, g);
                Assert.All(w, value => Assert.Equal(-0.25 * step * gradient / (Math.Abs(gradient) + 1e-8), value, 1e-12));
            }
        }
    }

    [Fact]
    public void Other_betas_and_epsilon_are_used()
    {
        var optimizer = new AdamW<double>(5, Rate, 0.5, 0.75, 0.125, 0.2);
        var reference = new Reference(5, decoupled: true, 0.2, 0.5, 0.75, 0.125);
        double[] w = Samples.Ordinary<double>(5, 1), expected = [.. w];
        for (var step = 0; step < 10; step++)
        {
            var g = Samples.Ordinary<double>(5, 2 + step);
            optimizer.Step(w, g);
            reference.Step(expected, g, new BlockRange(0, 5));
        }

        for (var i = 0; i < 5; i++)
            Assert.Equal(expected[i], w[i], 1e-13);
        Assert.Equal((0.5, 0.75, 0.125, 0.2), (optimizer.Beta1, optimizer.Beta2, optimizer.Epsilon, optimizer.WeightDecay));
        var adam = new Adam<float>(1);
        Assert.Equal((0.001, 0.9, 0.999, 1e-8, 0), (adam.LearningRate, adam.Beta1, adam.Beta2, adam.Epsilon, adam.WeightDecay));
        Assert.Equal(0.01, new AdamW<float>(1).WeightDecay);
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void Only_the_given_ranges_change_and_all_count_the_same_steps(bool decoupled, double weightDecay)
    {
        const int n = 100;
        BlockRange[] ranges = [new(3, 1), new(10, 0), new(17, 21), new(38, 2), new(60, 40)];
        var optimizer = Create<double>(n, decoupled, weightDecay);
        var reference = new Reference(n, decoupled, weightDecay);
        var start = Samples.Ordinary<double>(n, 1);
        var (w, expected) = (start.ToArray(), start.ToArray());
        for (var step = 0; step < 10; step++)
        {
            // The last range joins later: its moments start then, its corrections do not.
            var active = step < 4 ? ranges[..^1] : ranges;
            var g = Samples.Ordinary<double>(n, step + 5);
            optimizer.Step(w, g, active);
            reference.Step(expected, g, active);
            Assert.Equal(step >= 4, w[70] != start[70]);
        }

        var (m, v) = Moments(optimizer);
        for (var i = 0; i < n; i++)
        {
            var inside = ranges.Any(range => i >= range.Start && i < range.End);
            Assert.Equal(expected[i], w[i], 1e-12);
            Assert.Equal(inside, w[i] != start[i]);
            Assert.Equal(inside, m[i] != 0);
            Assert.Equal(inside, v[i] != 0);
        }
    }

    [Theory]
    [MemberData(nameof(Options))]
    public void The_same_bits_on_1_2_3_and_8_threads(bool decoupled, double weightDecay)
    {
        const int n = 8 * 512 + 100;
        Threads.AssertSameBits<float>(context =>
        {
            var optimizer = Create<float>(n, decoupled, weightDecay);
            var w = Samples.Ordinary<float>(n, 1);
            for (var step = 0; step < 3; step++)
                optimizer.Step(w, Samples.Ordinary<float>(n, step + 2), [new BlockRange(0, 7), new BlockRange(16, n - 16)], context);
            var (m, v) = Moments(optimizer);
            return [.. w, .. m, .. v];
        });
    }

    [Fact]
    public void Zero_padding_stays_zero()
    {
        foreach (var decoupled in (bool[])[false, true])
        {
            var optimizer = Create<float>(20, decoupled, 0.1);
            var w = new float[20];
            for (var step = 0; step < 3; step++)
                optimizer.Step(w, new float[20]);
            Assert.All(w, value => Assert.Equal(0, value));
        }
    }

    [Fact]
    public void Moments_that_decay_end_at_zero_and_do_not_rest_among_the_subnormal()
    {
        Check<float>();
        Check<double>();

        static void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            // Gradients of all sizes, then none: the moments shrink by 0.5 and 0.75 a step.
            const int n = 64;
            var optimizer = new Adam<T>(n, 0.001, 0.5, 0.75);
            var (w, g, subnormal) = (new T[n], new T[n], new int[n]);
            for (var i = 0; i < n; i++)
                g[i] = T.CreateTruncating(Math.ScaleB(1, i * (typeof(T) == typeof(float) ? -2 : -16)));
            for (var step = 0; step < 8000; step++)
            {
                optimizer.Step(w, g);
                Array.Clear(g);
                for (var i = 0; i < n; i++)
                {
                    Assert.False(T.IsSubnormal(optimizer.FirstMoment[i]));
                    subnormal[i] = T.IsSubnormal(optimizer.SecondMoment[i]) ? subnormal[i] + 1 : 0;
                    Assert.InRange(subnormal[i], 0, 1);
                }
            }

            Assert.All(optimizer.FirstMoment.ToArray(), m => Assert.Equal(T.Zero, m));
            Assert.All(optimizer.SecondMoment.ToArray(), v => Assert.Equal(T.Zero, v));
            Assert.All(w, value => Assert.True(T.IsFinite(value)));
        }
    }

    [Fact]
    public void What_is_dropped_does_not_show_in_a_step()
    {
        // Gradients around and far below epsilon, where the square of a gradient stops to matter.
        foreach (var epsilon in (double[])[1e-8, 1e-12])
        {
            for (var exponent = -30; exponent <= 0; exponent++)
            {
                var optimizer = new Adam<float>(4, Rate, epsilon: epsilon);
                var reference = new Reference(4, decoupled: false, 0, epsilon: epsilon);
                var (w, expected) = (new float[4], new double[4]);
                for (var step = 0; step < 10; step++)
                {
                    float[] g = [.. Samples.Ordinary<float>(4, step).Select(x => x * (float)(epsilon * Math.Pow(2, exponent)))];
                    optimizer.Step(w, g);
                    reference.Step(expected, Doubles<float>(g), new BlockRange(0, 4));
                }

                for (var i = 0; i < 4; i++)
                    Assert.Equal(1, w[i] / expected[i], 1e-4);
            }
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void NaN_gradients_reach_their_own_parameter_only(bool decoupled)
    {
        var optimizer = Create<float>(20, decoupled, 0);
        var (w, g) = (new float[20], new float[20]);
        g[3] = float.NaN;
        g[19] = float.NaN;
        optimizer.Step(w, g);
        for (var i = 0; i < 20; i++)
            Assert.Equal(i is 3 or 19, float.IsNaN(w[i]));
    }

    [Fact]
    public void Options_are_validated()
    {
        foreach (var decoupled in (bool[])[false, true])
        {
            Throws("learningRate", decoupled, learningRate: -0.1);
            Throws("learningRate", decoupled, learningRate: double.NaN);
            Throws("beta1", decoupled, beta1: 1);
            Throws("beta1", decoupled, beta1: -0.1);
            Throws("beta2", decoupled, beta2: 1);
            Throws("beta2", decoupled, beta2: double.NaN);
            Throws("epsilon", decoupled, epsilon: 0);
            Throws("epsilon", decoupled, epsilon: 1e-50);
            Throws("epsilon", decoupled, epsilon: double.PositiveInfinity);
            Throws("weightDecay", decoupled, weightDecay: -1);
            Throws("parameterCount", decoupled, count: -1);
        }

        Assert.Throws<NotSupportedException>(() => new Adam<Half>(1));
        Assert.Equal(1e-50, new Adam<double>(1, epsilon: 1e-50).Epsilon);

        static void Throws(string name, bool decoupled, int count = 1, double learningRate = 0.1, double beta1 = 0.9, double beta2 = 0.9,
            double epsilon = 1e-8, double weightDecay = 0) =>
            Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(() => decoupled
                ? (object)new AdamW<float>(count, learningRate, beta1, beta2, epsilon, weightDecay)
                : new Adam<float>(count, learningRate, beta1, beta2, epsilon, weightDecay)).ParamName);
    }

    [Fact]
    public void A_step_allocates_nothing()
    {
        // Counted on this thread only, which does all the work of a call without a context.
        float[] w = Samples.Ordinary<float>(1000, 1), g = Samples.Ordinary<float>(1000, 2);
        foreach (var optimizer in (Optimizer<float>[])[new Adam<float>(1000), new AdamW<float>(1000)])
        {
            Assert.Equal(0, ThreadAllocations.Least(() =>
            {
                for (var step = 0; step < 1000; step++)
                    optimizer.Step(w, g, [new(0, 400), new(416, 500)], ComputeContext.SingleThreaded);
            }));
        }
    }

    private static Optimizer<T> Create<T>(int count, bool decoupled, double weightDecay) where T : unmanaged, IFloatingPointIeee754<T> =>
        decoupled ? new AdamW<T>(count, Rate, weightDecay: weightDecay) : new Adam<T>(count, Rate, weightDecay: weightDecay);

    private static (T[] First, T[] Second) Moments<T>(Optimizer<T> optimizer) where T : unmanaged, IFloatingPointIeee754<T> => optimizer switch
    {
        Adam<T> adam => (adam.FirstMoment.ToArray(), adam.SecondMoment.ToArray()),
        AdamW<T> adam => (adam.FirstMoment.ToArray(), adam.SecondMoment.ToArray()),
        _ => throw new ArgumentException("No moments.", nameof(optimizer)),
    };

    private static double[] Doubles<T>(ReadOnlySpan<T> values) where T : unmanaged, IFloatingPointIeee754<T> =>
        Array.ConvertAll(values.ToArray(), double.CreateTruncating);
}
