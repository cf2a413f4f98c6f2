using System.Numerics;
using Backprop.Simd.Networks;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Tests.Infrastructure;
using Backprop.Simd.Tests.Kernels;

namespace Backprop.Simd.Tests.Optimizers;

public partial class LbfgsTests
{
    [Fact]
    public void Rosenbrock_in_double_to_the_last_digits()
    {
        var optimizer = new Lbfgs<double>(2, gradientTolerance: 1e-9, changeTolerance: 0);
        double[] w = [-1.2, 1];
        var result = optimizer.Minimize(w, TestObjectives.Rosenbrock);
        Assert.Equal(LbfgsOutcome.GradientIsSmall, result.Outcome);
        Assert.InRange(result.Iterations, 10, 50);
        Assert.InRange(result.Evaluations, result.Iterations, 70);
        Assert.InRange(result.Value, 0, 1e-18);
        Assert.Equal(1, w[0], 1e-9);
        Assert.Equal(1, w[1], 1e-9);
        Assert.InRange(result.LargestGradient, 0, 1e-9);
    }

    [Fact]
    public void Many_dimensions_and_a_bad_condition()
    {
        Check<double>(1e-12);
        Check<float>(1e-4);

        static void Check<T>(double tolerance) where T : unmanaged, IFloatingPointIeee754<T>
        {
            var w = Samples.Ordinary<T>(50, 3);
            var result = new Lbfgs<T>(50, gradientTolerance: 1e-6, changeTolerance: 0).Minimize(w, TestObjectives.Quadratic, 500);
            Assert.InRange(result.Value, 0, tolerance);
            w = [.. Enumerable.Range(0, 40).Select(i => T.CreateTruncating(i % 2 == 0 ? -1.2 : 1))];
            result = new Lbfgs<T>(40, changeTolerance: 0).Minimize(w, TestObjectives.Rosenbrock, 500);
            Assert.InRange(result.Value, 0, tolerance);
        }
    }

    [Fact]
    public void Each_iteration_satisfies_the_strong_Wolfe_conditions_and_lowers_the_value()
    {
        foreach (var objective in (Objective<double>[])[TestObjectives.Rosenbrock, TestObjectives.Quadratic])
        {
            var optimizer = new Lbfgs<double>(6, historySize: 3);
            double[] w = [-1.2, 1, 0.7, -3, 2, 0.1], g = new double[6], gNext = new double[6];
            for (var iteration = 0; iteration < 30; iteration++)
            {
                var before = w.ToArray();
                var value = objective(before, g);
                if (optimizer.Minimize(w, objective, 1).Outcome == LbfgsOutcome.GradientIsSmall)
                    break;
                var next = objective(w, gNext);
                double slope = 0, slopeNext = 0;
                for (var i = 0; i < 6; i++)
                {
                    slope += g[i] * (w[i] - before[i]);
                    slopeNext += gNext[i] * (w[i] - before[i]);
                }

                Assert.True(slope < 0);
                Assert.True(next <= value + 1e-4 * slope + 1e-15 * value);
                Assert.True(Math.Abs(slopeNext) <= 0.9000001 * Math.Abs(slope));
            }
        }
    }

    /// <summary>The inverse Hessian of the BFGS formula, as a matrix, gives the direction of the two loops.</summary>
    [Fact]
    public void Two_loops_are_the_recursion_of_the_matrix()
    {
        const int n = 5, history = 3;
        var optimizer = new Lbfgs<double>(n, history, 0, 0);
        var w = Samples.Ordinary<double>(n, 5);
        var (pairs, g) = (new List<(double[] S, double[] Y)>(), new double[n]);
        for (var iteration = 0; iteration < 8; iteration++)
        {
            var before = w.ToArray();
            TestObjectives.Quadratic(before, g);
            var gBefore = g.ToArray();
            Assert.Equal(LbfgsOutcome.IterationLimit, optimizer.Minimize(w, TestObjectives.Quadratic, 1).Outcome);
            TestObjectives.Quadratic(w, g);
            double[] s = [.. w.Zip(before, (a, b) => a - b)];
            if (pairs.Count > 0)
            {
                // The step is along -H g: the sine of the angle between them is 0.
                var d = Apply(pairs, gBefore);
                double dot = Dot(d, s), cosine = -dot / Math.Sqrt(Dot(d, d) * Dot(s, s));
                Assert.Equal(1, cosine, 1e-9);
            }

            pairs.Add((s, [.. g.Zip(gBefore, (a, b) => a - b)]));
            if (pairs.Count > history)
                pairs.RemoveAt(0);
        }

        static double[] Apply(List<(double[] S, double[] Y)> pairs, double[] g)
        {
            // H' = (I - s y^T / s.y) H (I - y s^T / s.y) + s s^T / s.y, from (s.y / y.y) I.
            var (last, h) = (pairs[^1], new double[n, n]);
            for (var i = 0; i < n; i++)
                h[i, i] = Dot(last.S, last.Y) / Dot(last.Y, last.Y);
            foreach (var (s, y) in pairs)
            {
                var (product, next) = (Dot(s, y), new double[n, n]);
                for (var i = 0; i < n; i++)
                {
                    for (var j = 0; j < n; j++)
                    {
                        next[i, j] = s[i] * s[j] / product;
                        for (var a = 0; a < n; a++)
                        {
                            for (var b = 0; b < n; b++)
                                next[i, j] += ((i == a ? 1 : 0) - s[i] * y[a] / product) * h[a, b] * ((b == j ? 1 : 0) - y[b] * s[j] / product);
                        }
                    }
                }

                h = next;
            }

            return [.. Enumerable.Range(0, n).Select(i => Enumerable.Range(0, n).Sum(j => h[i, j] * g[j]))];
        }

        static double Dot(double[] x, double[] y) => x.Zip(y, (a, b) => a * b).Sum();
    }

    [Fact]
    public void A_network_is_minimized_in_place()
    {
        var network = GraphBuilder.Chain(4).Affine(6).Tanh().Affine(3).SoftmaxCrossEntropy().Build<double>(seed: 3);
        var workspace = network.CreateWorkspace(12);
        var random = new TestRandom(5);
        foreach (ref var x in workspace.Input())
            x = random.Signed<double>();
        for (var i = 0; i < 12; i++)
            workspace.IndexInput()[i] = i % 3;
        network.Freeze("affine2.bias");
        var optimizer = new Lbfgs<double>(network.Parameters.Length);
        var result = optimizer.Minimize(network.Parameters, Evaluate, 200);
        Assert.InRange(result.Value, 0, 1e-3);
        Assert.All(network.ParameterOf("affine2.bias").ToArray(), b => Assert.Equal(0, b));

        double Evaluate(ReadOnlySpan<double> parameters, Span<double> gradient)
        {
            var loss = network.Forward(workspace);
            network.Backward(workspace);
            workspace.Gradients.CopyTo(gradient);
            return loss;
        }
    }

    [Fact]
    public void Values_that_are_not_finite_are_stepped_back_from()
    {
        // -ln x + x has no value below 0; a first step to there must come back.
        double[] w = [1e-3];
        var result = new Lbfgs<double>(1, changeTolerance: 0).Minimize(w, (x, g) =>
        {
            g[0] = 1 - 1 / x[0];
            return x[0] - Math.Log(x[0]);
        });
        Assert.Equal(1, w[0], 1e-7);
        Assert.Equal(LbfgsOutcome.GradientIsSmall, result.Outcome);
    }

    [Fact]
    public void A_start_that_is_not_finite_is_left_alone()
    {
        double[] w = [3, 4];
        var optimizer = new Lbfgs<double>(2);
        Assert.Equal(LbfgsOutcome.NotFinite, optimizer.Minimize(w, (_, g) =>
        {
            g.Clear();
            return double.NaN;
        }).Outcome);
        Assert.Equal(LbfgsOutcome.NotFinite, optimizer.Minimize(w, (_, g) =>
        {
            g.Fill(double.PositiveInfinity);
            return 1;
        }).Outcome);
        Assert.Equal([3, 4], w);
    }

    [Fact]
    public void A_wrong_gradient_ends_without_a_step()
    {
        // It points uphill: no step along it is lower.
        double[] w = [3, 4];
        var result = new Lbfgs<double>(2).Minimize(w, (x, g) =>
        {
            g[0] = -x[0];
            g[1] = -x[1];
            return 0.5 * (x[0] * x[0] + x[1] * x[1]);
        });
        Assert.Equal((LbfgsOutcome.NoDescent, 0, 12.5), (result.Outcome, result.Iterations, result.Value));
        Assert.Equal([3, 4], w);
    }

    [Fact]
    public void A_gradient_of_zero_ends_at_once_and_so_does_nothing_to_do()
    {
        double[] w = [0.0, 0];
        Assert.Equal(new LbfgsResult(0, 0, 0, 1, LbfgsOutcome.GradientIsSmall), new Lbfgs<double>(2).Minimize(w, TestObjectives.Quadratic));
        Assert.Equal(new LbfgsResult(0, 0, 0, 1, LbfgsOutcome.GradientIsSmall), new Lbfgs<float>(0).Minimize([], TestObjectives.Rosenbrock));
        double[] far = [-1.2, 1];
        Assert.Equal(LbfgsOutcome.IterationLimit, new Lbfgs<double>(2).Minimize(far, TestObjectives.Rosenbrock, 0).Outcome);
        Assert.Equal([-1.2, 1], far);
        Assert.Equal(LbfgsOutcome.ChangeIsSmall, new Lbfgs<double>(2, gradientTolerance: 0, changeTolerance: 1e-3)
            .Minimize(far, TestObjectives.Rosenbrock).Outcome);
    }

    [Fact]
    public void A_minimization_allocates_nothing()
    {
        var optimizer = new Lbfgs<double>(2, changeTolerance: 0);
        Objective<double> objective = TestObjectives.Rosenbrock;
        Assert.Equal(0, ThreadAllocations.Least(Run));

        void Run()
        {
            Span<double> w = [-1.2, 1];
            optimizer.Reset();
            optimizer.Minimize(w, objective);
        }
    }

    [Fact]
    public void Options_are_validated()
    {
        Throws("parameterCount", () => new Lbfgs<float>(-1));
        Throws("historySize", () => new Lbfgs<float>(1, 0));
        Throws("historySize", () => new Lbfgs<float>(1 << 28, 8));
        Throws("gradientTolerance", () => new Lbfgs<float>(1, gradientTolerance: -1));
        Throws("changeTolerance", () => new Lbfgs<float>(1, changeTolerance: double.NaN));
        Throws("maximumEvaluations", () => new Lbfgs<float>(1, maximumEvaluations: 0));
        Throws("maximumIterations", () => new Lbfgs<float>(1).Minimize(new float[1], TestObjectives.Quadratic, -1));
        Assert.Throws<NotSupportedException>(() => new Lbfgs<Half>(1));
        Assert.Throws<ArgumentNullException>(() => new Lbfgs<float>(1).Minimize(new float[1], null!));
        Assert.Equal("parameters", Assert.Throws<ArgumentException>(() => new Lbfgs<float>(1).Minimize(new float[2], TestObjectives.Quadratic)).ParamName);

        static void Throws(string name, Func<object> create) =>
            Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(create).ParamName);
    }
}
