using System.Numerics;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;

namespace Backprop.Simd.Tests.Optimizers;

/// <content>Where rounding hides what a step promises.</content>
public partial class LbfgsTests
{
    [Theory]
    [InlineData(0, -1)]
    [InlineData(1e3, -1)]
    [InlineData(1, -1e-3)]
    [InlineData(1e3, 0)]
    public void A_wrong_gradient_is_no_floor(double offset, double factor)
    {
        Check<float>();
        Check<double>();

        // The value does not fall along the second parameter, or it rises along both.
        void Check<T>() where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] w = [T.CreateTruncating(3), T.CreateTruncating(4)];
            var result = new Lbfgs<T>(2).Minimize(w, (x, g) =>
            {
                var (a, b) = (double.CreateTruncating(x[0]), double.CreateTruncating(x[1]));
                g[0] = T.CreateTruncating(factor * a);
                g[1] = T.CreateTruncating(factor == 0 ? b : factor * b);
                return double.CreateTruncating(T.CreateTruncating(offset + (factor == 0 ? a * a : a * a + b * b)));
            });
            Assert.Equal(LbfgsOutcome.NoDescent, result.Outcome);
            Assert.Equal(3, double.CreateTruncating(w[0]));
        }
    }

    [Fact]
    public void At_the_rounding_floor_a_minimization_has_converged()
    {
        float[] w = [1, 1];
        var result = new Lbfgs<float>(2, changeTolerance: 0).Minimize(w, Bowl<float>(1, 1));
        Assert.Equal(LbfgsOutcome.ChangeIsSmall, result.Outcome);
        Assert.InRange(result.Evaluations, 1, 10);
        Assert.Equal([1 / 3f, -2 / 7f], w);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(-1, 1)]
    [InlineData(1e6, 1)]
    [InlineData(0, 1e-6)]
    [InlineData(1, 1e6)]
    public void No_evaluation_repeats_the_one_before_and_the_floor_is_told_from_a_wrong_gradient(double offset, double scale)
    {
        Check(Bowl<float>(offset, scale), [1, 1]);
        Check(Bowl<double>(offset, scale), [1, 1]);
        Check<float>(TestObjectives.Rosenbrock, [-1.2f, 1, 3, 0.1f]);
        Check<double>(TestObjectives.Rosenbrock, [-1.2, 1, 3, 0.1]);

        static void Check<T>(Objective<T> objective, T[] w) where T : unmanaged, IFloatingPointIeee754<T>
        {
            T[] last = [];
            var result = new Lbfgs<T>(w.Length, gradientTolerance: 0, changeTolerance: 0).Minimize(w, (x, g) =>
            {
                Assert.NotEqual(last, x.ToArray());
                last = x.ToArray();
                return objective(x, g);
            }, 1000);
            Assert.True(result.Outcome is LbfgsOutcome.ChangeIsSmall or LbfgsOutcome.GradientIsSmall, $"{result}");
            Assert.InRange(result.Evaluations, 1, 3 * result.Iterations + 60);
        }
    }

    [Fact]
    public void A_first_step_that_rounding_swallows_is_made_longer()
    {
        // The gradient, 1e-9, is far below the rounding of 2; the minimum is at 1.
        float[] w = [2];
        var result = new Lbfgs<float>(1, gradientTolerance: 1e-13, changeTolerance: 0).Minimize(w, (x, g) =>
        {
            g[0] = 1e-9f * (x[0] - 1);
            return 0.5e-9 * (x[0] - 1.0) * (x[0] - 1.0);
        });
        Assert.Equal(1, w[0], 1e-4);
        Assert.Equal(LbfgsOutcome.GradientIsSmall, result.Outcome);
    }

    [Fact]
    public void A_first_step_that_promises_less_than_the_rounding_of_the_value_is_made_longer()
    {
        float[] w = [0];
        new Lbfgs<float>(1).Minimize(w, (p, g) =>
        {
            var d = p[0] - 5.0;
            g[0] = (float)(1e-6 * d);
            return (float)(1 + 0.5e-6 * d * d);
        });
        Assert.Equal(5, w[0], 0.11);
        double[] far = [0];
        new Lbfgs<double>(1, gradientTolerance: 1e-9).Minimize(far, (p, g) =>
        {
            g[0] = 1e-9 * (p[0] - 1e4);
            return 1e6 + 0.5e-9 * (p[0] - 1e4) * (p[0] - 1e4);
        });
        Assert.Equal(1e4, far[0], 2.0);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_step_that_rounding_swallows_is_no_evaluation(int maximumEvaluations)
    {
        float[] w = [1e8f];
        var result = new Lbfgs<float>(1, maximumEvaluations: maximumEvaluations).Minimize(w, (p, g) =>
        {
            g[0] = p[0] - 2e8f;
            return 0.5 * (p[0] - 2e8) * (p[0] - 2e8);
        });
        Assert.Equal(LbfgsOutcome.GradientIsSmall, result.Outcome);
        Assert.Equal(2e8f, w[0]);
    }

    [Theory]
    [InlineData(-1.33039908f, 1.9111020210716418, 100)]
    [InlineData(0.109466068f, -1.3483628888374022, 1)]
    public void The_floor_of_a_rounded_value_is_no_wrong_gradient(float start, double least, double scale)
    {
        float[] w = [start], last = [];
        var result = new Lbfgs<float>(1).Minimize(w, (p, g) =>
        {
            Assert.NotEqual(last, p.ToArray());
            last = p.ToArray();
            var d = p[0] - least;
            g[0] = (float)(2 * scale * d);
            return (float)(0.01 + scale * d * d);
        });
        // At some widths the search ends where the gradient itself is small: converged too.
        Assert.True(result.Outcome is LbfgsOutcome.ChangeIsSmall or LbfgsOutcome.GradientIsSmall, $"{result.Outcome}");
        Assert.Equal(least, w[0], 1e-3);
    }

    [Fact]
    public void Random_quadratics_end_at_their_floor_without_repeats()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            for (var n = 1; n <= 8; n++)
            {
                foreach (var changeTolerance in (double[])[0, 1e-9])
                {
                    Check<float>(n, seed, changeTolerance, 1.2e-7);
                    Check<double>(n, seed, changeTolerance, 2.3e-16);
                }
            }
        }

        static void Check<T>(int n, int seed, double changeTolerance, double rounding) where T : unmanaged, IFloatingPointIeee754<T>
        {
            var random = new TestRandom((ulong)(seed * 8 + n));
            double offset = Math.Pow(10, 3 * random.Signed<double>()), worst = 0;
            double[] least = new double[n], scales = new double[n];
            var w = new T[n];
            for (var i = 0; i < n; i++)
                (least[i], scales[i], w[i]) = (2 * random.Signed<double>(), Math.Pow(10, 2 * random.Signed<double>()), random.Signed<T>());
            T[] last = [];
            var result = new Lbfgs<T>(n, changeTolerance: changeTolerance).Minimize(w, (p, g) =>
            {
                Assert.False(p.SequenceEqual(last), $"seed {seed}, {n} dimensions, {typeof(T)}");
                last = p.ToArray();
                return double.CreateTruncating(T.CreateTruncating(offset + Value(p, g)));
            }, 1000);
            Assert.True(result.Outcome is LbfgsOutcome.ChangeIsSmall or LbfgsOutcome.GradientIsSmall, $"seed {seed}, {n}: {result}");
            for (var i = 0; i < n; i++)
                worst += scales[i] * Math.Pow(rounding * Math.Abs(least[i]), 2);
            var excess = Value(w, new T[n]);

            // A gradient of 1e-7 leaves 1e-14 / (4 x 0.01) in each dimension; a small change of the value says less.
            Assert.True(changeTolerance > 0 || excess <= 100 * (rounding * offset + worst) + n * 2.5e-13,
                $"seed {seed}, {n}, {typeof(T)}: {excess} over {offset}");

            double Value(ReadOnlySpan<T> p, Span<T> g)
            {
                var sum = 0.0;
                for (var i = 0; i < n; i++)
                {
                    var d = double.CreateTruncating(p[i]) - least[i];
                    g[i] = T.CreateTruncating(2 * scales[i] * d);
                    sum += scales[i] * d * d;
                }

                return sum;
            }
        }
    }

    /// <summary>offset + scale ((w0 - 1/3)^2 / 2 + 5 (w1 + 2/7)^2).</summary>
    private static Objective<T> Bowl<T>(double offset, double scale) where T : unmanaged, IFloatingPointIeee754<T> => (w, g) =>
    {
        double x = double.CreateTruncating(w[0]) - 1 / 3.0, y = double.CreateTruncating(w[1]) + 2 / 7.0;
        g[0] = T.CreateTruncating(scale * x);
        g[1] = T.CreateTruncating(scale * 10 * y);
        return offset + scale * (x * x / 2 + 5 * y * y);
    };
}
