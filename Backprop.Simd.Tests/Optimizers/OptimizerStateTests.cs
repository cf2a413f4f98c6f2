using Backprop.Simd.Memory;
using Backprop.Simd.Optimizers;
using Backprop.Simd.Threading;
using Xunit;

namespace Backprop.Simd.Tests.Optimizers;

/// <summary>What is saved of an optimizer is all that its next steps depend on.</summary>
public sealed class OptimizerStateTests
{
    private const int Count = 37;

    public static TheoryData<string> All =>
        [.. OptimizerCases.Names, "adam", "adamw", "sgd", "sgd momentum", "sgd nesterov", "sgd dampening"];

    [Theory]
    [MemberData(nameof(All))]
    public void Restored_state_gives_the_bits_of_an_undisturbed_run(string name)
    {
        var (undisturbed, parameters) = (Create(name), Parameters());
        for (var step = 0; step < 7; step++)
            undisturbed.Step(parameters, Gradients(step));
        var blocks = undisturbed.StateNames.ToDictionary(n => n, n => undisturbed.State(n).ToArray());
        var (steps, saved) = (undisturbed.Steps, parameters.ToArray());
        for (var step = 7; step < 12; step++)
            undisturbed.Step(parameters, Gradients(step));

        // Another one, of the same settings, that has gone further; and the same one, taken back.
        var other = Create(name);
        for (var step = 0; step < 20; step++)
            other.Step(Parameters(), Gradients(step + 100));
        foreach (var optimizer in new[] { other, undisturbed })
        {
            optimizer.RestoreSteps(steps);
            foreach (var block in blocks)
                block.Value.CopyTo(optimizer.State(block.Key));
            var resumed = saved.ToArray();
            for (var step = 7; step < 12; step++)
                optimizer.Step(resumed, Gradients(step));
            Assert.Equal(parameters, resumed);
            Assert.Equal(12, optimizer.Steps);
        }
    }

    /// <summary>Nothing of a step may take as long as the steps before it: this test would not end.</summary>
    [Theory]
    [InlineData("adam")]
    [InlineData("adamw")]
    [InlineData("amsgrad")]
    [InlineData("nadam")]
    [InlineData("adagrad decay")]
    [InlineData("rmsprop centered momentum")]
    [InlineData("lion")]
    [InlineData("adadelta decay")]
    [InlineData("adamax")]
    [InlineData("radam")]
    public void A_step_after_any_number_of_steps_is_a_step(string name)
    {
        foreach (var steps in (long[])[2_000_000_000, 1L << 60])
        {
            // Corrections are 1 by then: they stay what they are with the next step.
            var (first, second) = (Parameters(), Parameters());
            Optimizer<float> one = Create(name), other = Create(name);
            one.RestoreSteps(steps);
            other.RestoreSteps(steps + 1);
            one.Step(first, Gradients(1));
            other.Step(second, Gradients(1));
            Assert.All(first, w => Assert.True(float.IsFinite(w)));
            Assert.Equal(first, second);
        }
    }

    [Theory]
    [InlineData(0.9, 0.004)]
    [InlineData(0.9, 0)]
    [InlineData(0.9999, 0.4)]
    [InlineData(0.9999, 1)]
    [InlineData(0.5, 1e300)]
    public void Corrections_are_a_function_of_the_number_of_the_step(double beta1, double momentumDecay)
    {
        var (adam, nadam, average) = (NewAdam(), NewNAdam(), NewAverage());
        double[] w = [1, -2], v = [1, -2];
        var product = 1.0;
        for (var t = 1; t <= 6000; t++)
        {
            double[] g = [Math.Sin(t), Math.Cos(3 * t)];
            double[] wBefore = [.. w], vBefore = [.. v];
            var (m, u) = (nadam.FirstMoment[0], nadam.SecondMoment[0]);
            var compared = t is <= 4 or 57 or 58 or 59 or 1000 or 6000;
            if (compared)
            {
                var (restoredAdam, restoredNAdam, restoredAverage) = (NewAdam(), NewNAdam(), NewAverage());
                Restore(restoredAdam, adam);
                Restore(restoredNAdam, nadam);
                restoredAverage.Restore(average.Average, average.Updates);
                restoredAdam.Step(wBefore, g);
                restoredNAdam.Step(vBefore, g);
                restoredAverage.Update(g);
                average.Update(g);
                Assert.Equal(average.Average.ToArray(), restoredAverage.Average.ToArray());
            }
            else
            {
                average.Update(g);
            }

            var before = v[0];
            adam.Step(w, g);
            nadam.Step(v, g);
            product *= Mu(t);
            if (!compared)
                continue;
            Assert.Equal(w, wBefore);
            Assert.Equal(v, vBefore);

            // PyTorch's formulas.
            (m, u) = (beta1 * m + (1 - beta1) * g[0], 0.999 * u + 0.001 * g[0] * g[0]);
            var root = Math.Sqrt(u / (1 - Math.Pow(0.999, t))) + 1e-8;
            var step = -0.05 * (1 - Mu(t)) / (1 - product) * g[0] / root - 0.05 * Mu(t + 1) / (1 - product * Mu(t + 1)) * m / root;
            Assert.Equal(before + step, v[0], 1e-11);
        }

        double Mu(int t) => beta1 * (1 - 0.5 * Math.Pow(0.96, t * momentumDecay));
        Adam<double> NewAdam() => new(2, 0.05, beta1);
        NAdam<double> NewNAdam() => new(2, 0.05, beta1, momentumDecay: momentumDecay);
        ExponentialMovingAverage<double> NewAverage() => new(2, beta1, AverageStart.BiasCorrected);

        static void Restore(Optimizer<double> restored, Optimizer<double> optimizer)
        {
            restored.RestoreSteps(optimizer.Steps);
            foreach (var block in optimizer.StateNames)
                optimizer.State(block).CopyTo(restored.State(block));
        }
    }

    [Fact]
    public void State_is_named_and_what_is_not_there_is_told()
    {
        Assert.Equal(["first", "second"], new Adam<float>(3).StateNames);
        Assert.Equal(["first", "second", "largest"], new AdamW<float>(3, amsGrad: true).StateNames);
        Assert.Equal(["velocity"], new Sgd<float>(3, 0.1, 0.9).StateNames);
        Assert.Empty(new Sgd<float>(3, 0.1).StateNames);
        var error = Assert.Throws<ArgumentException>(() => new Adam<float>(3).State("velocity").Length);
        Assert.Contains("'velocity'", error.Message, StringComparison.Ordinal);
        Assert.Contains("first, second", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam<float>(3).RestoreSteps(-1));
        Assert.Throws<ArgumentException>(() => new TwoOfOneName());
    }

    private static Optimizer<float> Create(string name) => name switch
    {
        "adam" => new Adam<float>(Count, 0.05, weightDecay: 0.01),
        "adamw" => new AdamW<float>(Count, 0.05),
        "sgd" => new Sgd<float>(Count, 0.05, weightDecay: 0.1),
        "sgd momentum" => new Sgd<float>(Count, 0.05, 0.9),
        "sgd nesterov" => new Sgd<float>(Count, 0.05, 0.9, nesterov: true),
        "sgd dampening" => new Sgd<float>(Count, 0.05, 0.9, dampening: 0.3),
        _ => OptimizerCases.Create<float>(name, Count),
    };

    private static float[] Parameters() => [.. Enumerable.Range(0, Count).Select(i => MathF.Sin(i))];

    private static float[] Gradients(int step) => [.. Enumerable.Range(0, Count).Select(i => MathF.Cos((3 * i) + (step * step)))];

    private sealed class TwoOfOneName : Optimizer<float>
    {
        public TwoOfOneName()
            : base(1, 0.1)
        {
            AddState("a");
            AddState("a");
        }

        protected override void Update(Span<float> parameters, ReadOnlySpan<float> gradients, BlockRange range, ComputeContext? context)
        {
        }
    }
}
