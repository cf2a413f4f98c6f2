using System.Numerics;
using Backprop.Simd.Memory;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;
using Backprop.Simd.Threading;

namespace Backprop.Simd.Tests.Optimizers;

/// <summary>AdaGrad, RMSProp, AMSGrad, NAdam, Lion, AdaDelta, AdaMax and RAdam.</summary>
public class AdaptiveOptimizerTests
{
    public static TheoryData<string> Cases => [.. OptimizerCases.Names];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Twelve_steps_follow_the_formulas_at_every_length(string name)
    {
        Check<float>(3e-5);
        Check<double>(1e-12);

        void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            var formula = OptimizerCases.FormulaOf(name);
            foreach (var n in Samples.Lengths<T>())
            {
                var optimizer = OptimizerCases.Create<T>(name, n);
                var parameters = new Guarded<T>(Samples.Ordinary<T>(n, n));
                var expected = Array.ConvertAll(parameters.Span.ToArray(), double.CreateTruncating);
                var states = Enumerable.Range(0, n).Select(_ => new double[3]).ToArray();
                for (var step = 0; step < 12; step++)
                {
                    var gradients = new Guarded<T>(Samples.Ordinary<T>(n, 100 + step));
                    var before = gradients.Span.ToArray();
                    optimizer.Step(parameters.Span, gradients.Span);
                    for (var i = 0; i < n; i++)
                        expected[i] = formula(expected[i], double.CreateTruncating(before[i]), states[i], step + 1);
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

    [Theory]
    [MemberData(nameof(Cases))]
    public void Only_the_given_ranges_change_and_all_count_the_same_steps(string name)
    {
        const int n = 100;
        BlockRange[] ranges = [new(3, 1), new(10, 0), new(17, 21), new(38, 2), new(60, 40)];
        var optimizer = OptimizerCases.Create<double>(name, n);
        var formula = OptimizerCases.FormulaOf(name);
        var start = Samples.Ordinary<double>(n, 1);
        var (w, expected) = (start.ToArray(), start.ToArray());
        var states = Enumerable.Range(0, n).Select(_ => new double[3]).ToArray();
        // An odd number of steps: equal ones cannot cancel.
        for (var step = 0; step < 9; step++)
        {
            // The last range joins later: its state starts then, the number of the step does not.
            var active = step < 4 ? ranges[..^1] : ranges;
            var g = Samples.Ordinary<double>(n, step + 5);
            optimizer.Step(w, g, active);
            foreach (var range in active)
            {
                for (var i = range.Start; i < range.End; i++)
                    expected[i] = formula(expected[i], g[i], states[i], step + 1);
            }
        }

        for (var i = 0; i < n; i++)
        {
            var inside = ranges.Any(range => i >= range.Start && i < range.End);
            Assert.Equal(expected[i], w[i], 1e-12);
            Assert.Equal(inside, w[i] != start[i]);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_same_bits_on_1_2_3_and_8_threads(string name)
    {
        const int n = 8 * 512 + 100;
        Threads.AssertSameBits<float>(context =>
        {
            var optimizer = OptimizerCases.Create<float>(name, n);
            var w = Samples.Ordinary<float>(n, 1);
            for (var step = 0; step < 4; step++)
                optimizer.Step(w, Samples.Ordinary<float>(n, step + 2), [new BlockRange(0, 7), new BlockRange(16, n - 16)], context);
            return w;
        });
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Zeros_and_subnormal_gradients_give_no_NaN_and_padding_stays_zero(string name)
    {
        Check<float>();
        Check<double>();

        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] tiny = [T.Zero, T.Epsilon, -T.Epsilon, T.CreateTruncating(typeof(T) == typeof(float) ? 1e-39 : 1e-309), T.NegativeZero];
            var optimizer = OptimizerCases.Create<T>(name, 20);
            T[] w = new T[20], g = new T[20];
            for (var step = 0; step < 200; step++)
            {
                for (var i = 0; i < 10; i++)
                    g[i] = step < 100 ? tiny[i % tiny.Length] : T.Zero;
                optimizer.Step(w, g);
            }

            Assert.All(w, value => Assert.True(T.IsFinite(value)));
            Assert.All(w[10..], value => Assert.Equal(T.Zero, value));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void NaN_gradients_reach_their_own_parameter_only(string name)
    {
        var optimizer = OptimizerCases.Create<float>(name, 20);
        var (w, g) = (new float[20], new float[20]);
        g[3] = float.NaN;
        g[19] = float.NaN;
        optimizer.Step(w, g);
        for (var i = 0; i < 20; i++)
            Assert.Equal(i is 3 or 19, float.IsNaN(w[i]));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void A_step_allocates_nothing(string name)
    {
        // Counted on this thread only, which does all the work of a call without a context.
        float[] w = Samples.Ordinary<float>(1000, 1), g = Samples.Ordinary<float>(1000, 2);
        var optimizer = OptimizerCases.Create<float>(name, 1000);
        Assert.Equal(0, ThreadAllocations.Least(() =>
        {
            for (var step = 0; step < 100; step++)
                optimizer.Step(w, g, [new(0, 400), new(416, 500)], ComputeContext.SingleThreaded);
        }));
    }

    [Fact]
    public void A_centered_root_of_what_rounding_made_negative_is_zero()
    {
        // A constant gradient: v and a^2 come to meet.
        var optimizer = new RmsProp<float>(3, 1e-6, alpha: 0.5, epsilon: 1e-3, centered: true);
        float[] w = new float[3], g = [0.1f, -0.7f, 123.456f];
        for (var step = 0; step < 500; step++)
        {
            optimizer.Step(w, g);
            Assert.All(w, value => Assert.True(float.IsFinite(value)));
        }
    }

    [Fact]
    public void Moments_that_decay_do_not_rest_among_the_subnormal()
    {
        var optimizer = new RmsProp<float>(16, 1e-6, 0.5, centered: true);
        var nadam = new NAdam<float>(16, 1e-6, 0.5, 0.75);
        var adadelta = new AdaDelta<float>(16, 1e-6, 0.5);
        float[] w = new float[16], g = [.. Enumerable.Range(0, 16).Select(i => MathF.ScaleB(1, -4 * i))];
        for (var step = 0; step < 1000; step++)
        {
            optimizer.Step(w, g);
            nadam.Step(w, g);
            adadelta.Step(w, g);
            Array.Clear(g);
        }

        Assert.All(
            (float[])[.. optimizer.SecondMoment, .. optimizer.Mean, .. nadam.FirstMoment, .. nadam.SecondMoment,
                .. adadelta.SecondMoment, .. adadelta.SquaredSteps],
            m => Assert.Equal(0, m));
    }

    [Fact]
    public void The_state_can_be_read()
    {
        var adagrad = new AdaGrad<double>(2, 0.1, start: 0.5);
        Assert.Equal([0.5, 0.5], adagrad.SumOfSquares.ToArray());
        adagrad.Step(new double[2], [1, 2]);
        Assert.Equal([1.5, 4.5], adagrad.SumOfSquares.ToArray());
        var amsgrad = new Adam<double>(1, beta2: 0.5, amsGrad: true);
        amsgrad.Step([0], [2]);
        amsgrad.Step([0], [0]);
        Assert.Equal((2.0, 1.0), (amsgrad.LargestSecondMoment[0], Math.Round(amsgrad.SecondMoment[0], 9)));
        Assert.True(new Adam<double>(1).LargestSecondMoment.IsEmpty && !new Adam<double>(1).AmsGrad && new AdamW<double>(1, amsGrad: true).AmsGrad);
        var rmsprop = new RmsProp<double>(1, alpha: 0.5, momentum: 0.5, centered: true);
        rmsprop.Step([0], [2]);
        Assert.Equal((2, 1, 2), (Math.Round(rmsprop.SecondMoment[0], 9), rmsprop.Mean[0], Math.Round(rmsprop.Velocity[0], 6)));
        Assert.True(new RmsProp<double>(1).Mean.IsEmpty && new RmsProp<double>(1).Velocity.IsEmpty);
        var lion = new Lion<double>(1, beta2: 0.75);
        lion.Step([0], [4]);
        Assert.Equal(1, lion.Momentum[0]);
    }

    [Fact]
    public void Defaults_are_those_of_PyTorch_and_of_the_paper()
    {
        var adagrad = new AdaGrad<float>(1);
        Assert.Equal((0.01, 1e-10, 0, 0, 0), (adagrad.LearningRate, adagrad.Epsilon, adagrad.WeightDecay, adagrad.RateDecay, adagrad.Start));
        var rmsprop = new RmsProp<float>(1);
        Assert.Equal((0.01, 0.99, 1e-8, 0, 0, false),
            (rmsprop.LearningRate, rmsprop.Alpha, rmsprop.Epsilon, rmsprop.WeightDecay, rmsprop.Momentum, rmsprop.Centered));
        var nadam = new NAdam<float>(1);
        Assert.Equal((0.002, 0.9, 0.999, 1e-8, 0, 0.004, false),
            (nadam.LearningRate, nadam.Beta1, nadam.Beta2, nadam.Epsilon, nadam.WeightDecay, nadam.MomentumDecay, nadam.Decoupled));
        var lion = new Lion<float>(1);
        Assert.Equal((1e-4, 0.9, 0.99, 0), (lion.LearningRate, lion.Beta1, lion.Beta2, lion.WeightDecay));
        var adadelta = new AdaDelta<float>(1);
        Assert.Equal((1, 0.9, 1e-6, 0), (adadelta.LearningRate, adadelta.Rho, adadelta.Epsilon, adadelta.WeightDecay));
        var adamax = new AdaMax<float>(1);
        Assert.Equal((0.002, 0.9, 0.999, 1e-8, 0), (adamax.LearningRate, adamax.Beta1, adamax.Beta2, adamax.Epsilon, adamax.WeightDecay));
        var radam = new RAdam<float>(1);
        Assert.Equal((0.001, 0.9, 0.999, 1e-8, 0, false),
            (radam.LearningRate, radam.Beta1, radam.Beta2, radam.Epsilon, radam.WeightDecay, radam.Decoupled));
    }

    [Fact]
    public void Options_are_validated()
    {
        Throws("epsilon", () => new AdaGrad<float>(1, epsilon: 0));
        Throws("epsilon", () => new AdaGrad<float>(1, epsilon: 1e-50));
        Throws("rateDecay", () => new AdaGrad<float>(1, rateDecay: -1));
        Throws("start", () => new AdaGrad<float>(1, start: -1));
        Throws("weightDecay", () => new AdaGrad<float>(1, weightDecay: -1));
        Throws("learningRate", () => new AdaGrad<float>(1, double.NaN));
        Throws("alpha", () => new RmsProp<float>(1, alpha: 1));
        Throws("epsilon", () => new RmsProp<float>(1, epsilon: 0));
        Throws("momentum", () => new RmsProp<float>(1, momentum: 1));
        Throws("weightDecay", () => new RmsProp<float>(1, weightDecay: double.NaN));
        Throws("beta1", () => new NAdam<float>(1, beta1: 1));
        Throws("beta2", () => new NAdam<float>(1, beta2: -0.1));
        Throws("epsilon", () => new NAdam<float>(1, epsilon: 0));
        Throws("momentumDecay", () => new NAdam<float>(1, momentumDecay: -1));
        Throws("beta1", () => new Lion<float>(1, beta1: 1));
        Throws("beta2", () => new Lion<float>(1, beta2: 1));
        Throws("parameterCount", () => new Lion<float>(-1));
        Throws("rho", () => new AdaDelta<float>(1, rho: 1));
        Throws("epsilon", () => new AdaDelta<float>(1, epsilon: 0));
        Throws("weightDecay", () => new AdaDelta<float>(1, weightDecay: -1));
        Throws("beta1", () => new AdaMax<float>(1, beta1: 1));
        Throws("beta2", () => new AdaMax<float>(1, beta2: double.NaN));
        Throws("epsilon", () => new AdaMax<float>(1, epsilon: 1e-50));
        Throws("beta2", () => new RAdam<float>(1, beta2: 1));
        Assert.Throws<NotSupportedException>(() => new RmsProp<Half>(1));

        static void Throws(string name, Func<object> create) =>
            Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(create).ParamName);
    }
}
