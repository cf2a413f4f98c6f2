using Backprop.Simd.Schedules;

namespace Backprop.Simd.Tests.Schedules;

/// <summary>Each schedule against PyTorch's recurrence or closed form.</summary>
public class ScheduleTests
{
    private const double Rate = 0.4;

    private static void AssertRates(Schedule schedule, int steps, Func<int, double> expected)
    {
        for (var step = 0; step < steps; step++)
            Assert.Equal(expected(step), schedule.At(step), 1e-13);

        // In any order, any number of times.
        for (var step = steps - 1; step >= 0; step -= 3)
            Assert.Equal(schedule.At(step), schedule.At(step));
        Assert.Equal(expected(0), schedule.At(0), 1e-13);
    }

    [Fact]
    public void Constant() => AssertRates(new ConstantSchedule(Rate), 20, _ => Rate);

    [Fact]
    public void Step()
    {
        var rate = Rate;
        AssertRates(new StepSchedule(Rate, 7, 0.3), 50, Chained(step => rate *= step > 0 && step % 7 == 0 ? 0.3 : 1));
    }

    [Fact]
    public void Multi_step()
    {
        var rate = Rate;
        long[] milestones = [0, 3, 4, 10, 10, 30];
        AssertRates(new MultiStepSchedule(Rate, milestones, 0.5), 40, Chained(step => rate *= Math.Pow(0.5, milestones.Count(m => m == step))));
        AssertRates(new MultiStepSchedule(Rate, []), 5, _ => Rate);
    }

    [Fact]
    public void Exponential()
    {
        var rate = Rate;
        AssertRates(new ExponentialSchedule(Rate, 0.97), 100, Chained(step => rate *= step > 0 ? 0.97 : 1));
    }

    [Fact]
    public void Cosine()
    {
        // The recurrence of CosineAnnealingLR, which the closed form solves.
        var rate = Rate;
        AssertRates(new CosineSchedule(Rate, 30, 0.01), 50, Chained(step =>
        {
            if (step is > 0 and <= 30)
                rate = (1 + Math.Cos(Math.PI * step / 30)) / (1 + Math.Cos(Math.PI * (step - 1) / 30)) * (rate - 0.01) + 0.01;
            return rate;
        }));
        Assert.Equal(0.01, new CosineSchedule(Rate, 30, 0.01).At(long.MaxValue));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Cosine_with_restarts(int multiplier)
    {
        // T_cur and T_i of CosineAnnealingWarmRestarts.
        var (current, period) = (-1, 5);
        AssertRates(new CosineRestartsSchedule(Rate, 5, multiplier, 0.02), 200, Chained(_ =>
        {
            current++;
            if (current >= period)
                (current, period) = (current - period, period * multiplier);
            return 0.02 + (Rate - 0.02) * (1 + Math.Cos(Math.PI * current / period)) / 2;
        }));
        Assert.InRange(new CosineRestartsSchedule(Rate, 5, multiplier).At(long.MaxValue), 0, Rate);
    }

    [Fact]
    public void Polynomial()
    {
        foreach (var power in (double[])[1, 2, 0.5])
        {
            var rate = Rate;
            AssertRates(new PolynomialSchedule(Rate, 20, power), 30, Chained(step =>
                rate *= step is > 0 and <= 20 ? Math.Pow((1 - step / 20.0) / (1 - (step - 1) / 20.0), power) : 1));
            AssertRates(new PolynomialSchedule(Rate, 20, power, 0.1), 30, step => 0.1 + 0.3 * Math.Pow(1 - Math.Min(step, 20) / 20.0, power));
        }
    }

    [Fact]
    public void Warm_up()
    {
        // LinearLR's recurrence.
        var factor = 0.25;
        AssertRates(new WarmUpSchedule(8, 0.25), 20, Chained(step => factor *= step is > 0 and <= 8 ? 1 + 0.75 / (8 * 0.25 + (step - 1) * 0.75) : 1));
        Assert.Equal([0, 0.25, 0.5, 0.75, 1, 1], Enumerable.Range(0, 6).Select(s => new WarmUpSchedule(4).At(s)));
    }

    [Theory]
    [InlineData(Annealing.Cosine, false)]
    [InlineData(Annealing.Cosine, true)]
    [InlineData(Annealing.Linear, false)]
    [InlineData(Annealing.Linear, true)]
    public void One_cycle(Annealing annealing, bool threePhases)
    {
        foreach (var (total, rise) in ((int, double)[])[(100, 0.3), (37, 0.25), (10, 0.5)])
        {
            double start = Rate / 20, end = start / 100;
            (double End, double From, double To)[] phases = threePhases
                ? [(rise * total - 1, start, Rate), (2 * rise * total - 2, Rate, start), (total - 1, start, end)]
                : [(rise * total - 1, start, Rate), (total - 1, Rate, end)];
            AssertRates(new OneCycleSchedule(Rate, total, rise, 20, 100, annealing, threePhases), total, step =>
            {
                var begin = 0.0;
                for (var i = 0; ; i++)
                {
                    if (step <= phases[i].End || i == phases.Length - 1)
                    {
                        var part = (step - begin) / (phases[i].End - begin);
                        return annealing == Annealing.Linear
                            ? (phases[i].To - phases[i].From) * part + phases[i].From
                            : phases[i].To + (phases[i].From - phases[i].To) / 2 * (Math.Cos(Math.PI * part) + 1);
                    }

                    begin = phases[i].End;
                }
            });
            Assert.Equal(end, new OneCycleSchedule(Rate, total, rise, 20, 100, annealing, threePhases).At(10_000));
        }

        Assert.Equal(Rate / 25 / 1e4, new OneCycleSchedule(Rate, 1).At(0), 1e-18);
        Assert.Equal(Rate, new OneCycleSchedule(Rate, 10, 0, threePhases: threePhases, annealing: annealing).At(0), threePhases ? Rate : 1e-15);
    }

    [Theory]
    [InlineData(Annealing.Cosine)]
    [InlineData(Annealing.Linear)]
    public void One_cycle_reaches_its_maximum_wherever_the_rise_ends_at_a_step(Annealing annealing)
    {
        // A rise over all steps has no fall: the last rate is the maximum, and stays.
        foreach (var steps in (long[])[1, 2, 10])
        {
            var schedule = new OneCycleSchedule(Rate, steps, rise: 1, annealing: annealing);
            Assert.Equal(Rate, schedule.At(steps - 1), 1e-16);
            Assert.Equal(schedule.At(steps - 1), schedule.At(10_000));
        }

        var rising = new OneCycleSchedule(Rate, 5, rise: 1, startDivisor: 25, annealing: Annealing.Linear);
        for (var step = 0; step < 5; step++)
            Assert.Equal(Rate / 25 + (Rate - Rate / 25) * step / 4, rising.At(step), 1e-15);
        foreach (var threePhases in (bool[])[false, true])
        {
            for (var peak = 0; peak < (threePhases ? 5 : 10); peak++)
                Assert.Equal(Rate, new OneCycleSchedule(Rate, 10, (peak + 1) / 10.0, annealing: annealing, threePhases: threePhases).At(peak), 1e-15);
        }
    }

    [Fact]
    public void A_rise_of_k_parts_in_n_reaches_the_maximum_at_step_k_minus_1()
    {
        for (var n = 1; n < 2000; n++)
        {
            for (var k = 1; k <= n; k++)
            {
                Assert.True(new OneCycleSchedule(1, n, k / (double)n).At(k - 1) == 1, $"{k} of {n}");
                Assert.True(2 * k > n || new OneCycleSchedule(1, n, k / (double)n, threePhases: true).At(k - 1) == 1, $"{k} of {n}, three phases");
            }
        }
    }

    [Fact]
    public void Schedules_are_composed()
    {
        var decay = new ExponentialSchedule(0.8, 0.9);
        AssertRates(new ConstantSchedule(Rate).Then(5, decay), 20, step => step < 5 ? Rate : 0.8 * Math.Pow(0.9, step - 5));
        AssertRates(decay.Times(new StepSchedule(1, 4, 0.5)), 20, step => 0.8 * Math.Pow(0.9, step) * Math.Pow(0.5, step / 4));
        AssertRates(decay.Scaled(3), 20, step => 2.4 * Math.Pow(0.9, step));
        AssertRates(decay.WithWarmUp(10, 0.1), 30, step => step < 10 ? 0.8 * (0.1 + 0.9 * step / 10) : 0.8 * Math.Pow(0.9, step - 10));
        AssertRates(decay.WithWarmUp(0), 5, step => 0.8 * Math.Pow(0.9, step));
        AssertRates(decay.Times(new WarmUpSchedule(10)), 30, step => 0.8 * Math.Pow(0.9, step) * Math.Min(1, step / 10.0));
        AssertRates(new CosineSchedule(1, 10).Then(10, new CosineSchedule(0.5, 5)).Then(15, new ConstantSchedule(0.1)), 20,
            step => step < 10 ? (1 + Math.Cos(Math.PI * step / 10)) / 2 : step < 15 ? (1 + Math.Cos(Math.PI * (step - 10) / 5)) / 4 : 0.1);
    }

    [Fact]
    public void A_schedule_may_be_written_outside_the_library()
    {
        AssertRates(new Halving().WithWarmUp(2), 10, step => step < 2 ? step / 2.0 : 1 / (step - 1.0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Halving().At(-1));
    }

    [Fact]
    public void Arguments_are_validated()
    {
        Throws("rate", () => new ConstantSchedule(-1));
        Throws("rate", () => new CosineSchedule(double.NaN, 1));
        Throws("factor", () => new ConstantSchedule(1).Scaled(double.PositiveInfinity));
        Throws("period", () => new StepSchedule(1, 0));
        Throws("gamma", () => new StepSchedule(1, 1, -1));
        Throws("gamma", () => new ExponentialSchedule(1, double.NaN));
        Throws("steps", () => new CosineSchedule(1, 0));
        Throws("least", () => new CosineSchedule(1, 1, -1));
        Throws("period", () => new CosineRestartsSchedule(1, 0));
        Throws("multiplier", () => new CosineRestartsSchedule(1, 1, 0));
        Throws("power", () => new PolynomialSchedule(1, 1, 0));
        Throws("steps", () => new WarmUpSchedule(0));
        Throws("startFactor", () => new WarmUpSchedule(1, 1.5));
        Throws("steps", () => new ConstantSchedule(1).WithWarmUp(-1));
        Throws("steps", () => new ConstantSchedule(1).Then(-1, new ConstantSchedule(1)));
        Throws("rise", () => new OneCycleSchedule(1, 1, 1.5));
        Throws("rise", () => new OneCycleSchedule(1, 1, 0.6, threePhases: true));
        Throws("startDivisor", () => new OneCycleSchedule(1, 1, startDivisor: 0));
        Throws("endDivisor", () => new OneCycleSchedule(1, 1, endDivisor: double.NaN));
        Throws("annealing", () => new OneCycleSchedule(1, 1, annealing: (Annealing)9));
        Throws("step", () => new ConstantSchedule(1).At(-1));
        Assert.Equal("milestones", Assert.Throws<ArgumentException>(() => new MultiStepSchedule(1, [3, 2])).ParamName);
        Assert.Equal("milestones", Assert.Throws<ArgumentException>(() => new MultiStepSchedule(1, [-1])).ParamName);
        Assert.Equal("next", Assert.Throws<ArgumentNullException>(() => new ConstantSchedule(1).Then(1, null!)).ParamName);
        Assert.Equal("factor", Assert.Throws<ArgumentNullException>(() => new ConstantSchedule(1).Times(null!)).ParamName);

        static void Throws(string name, Func<object> create) =>
            Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(create).ParamName);
    }

    [Fact]
    public void A_factor_of_zero_wins_over_one_that_has_grown_to_infinity()
    {
        Schedule growing = new ExponentialSchedule(1, 1.1), ended = new CosineSchedule(1, 5);
        foreach (var schedule in (Schedule[])[
            growing.Times(ended), ended.Times(growing), growing.Scaled(0), new ExponentialSchedule(0, 1.1), new StepSchedule(0, 1, 2),
            new MultiStepSchedule(0, [1, 2], double.MaxValue)])
        {
            Assert.Equal(0, schedule.At(long.MaxValue));
        }
    }

    /// <summary>A recurrence, evaluated once per step and then looked up.</summary>
    private static Func<int, double> Chained(Func<int, double> next)
    {
        var rates = new List<double>();
        return step =>
        {
            while (rates.Count <= step)
                rates.Add(next(rates.Count));
            return rates[step];
        };
    }

    private sealed class Halving : Schedule
    {
        protected override double Rate(long step) => 1.0 / (step + 1);
    }
}
