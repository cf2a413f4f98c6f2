using Backprop.Simd.Schedules;

namespace Backprop.Simd.Tests.Schedules;

public class ReduceOnPlateauTests
{
    /// <summary>torch.optim.lr_scheduler.ReduceLROnPlateau.step, line by line. A relative threshold is right there for positive metrics only.</summary>
    private sealed class Reference(double rate, double factor, int patience, double threshold, int coolDown, double least, bool max, bool absolute)
    {
        private double _best = max ? double.NegativeInfinity : double.PositiveInfinity;
        private int _bad, _counter;

        public double Rate { get; private set; } = rate;

        public void Step(double metric)
        {
            if (IsBetter(metric))
            {
                _best = metric;
                _bad = 0;
            }
            else
            {
                _bad += 1;
            }

            if (_counter > 0)
            {
                _counter -= 1;
                _bad = 0;
            }

            if (_bad > patience)
            {
                var next = Math.Max(Rate * factor, least);
                if (Rate - next > 1e-8)
                    Rate = next;
                _counter = coolDown;
                _bad = 0;
            }
        }

        private bool IsBetter(double a)
        {
            if (!max && !absolute)
                return a < _best * (1 - threshold);
            if (!max)
                return a < _best - threshold;
            return absolute ? a > _best + threshold : a > _best * (threshold + 1);
        }
    }

    [Theory]
    [InlineData(false, false, 0)]
    [InlineData(false, true, 2)]
    [InlineData(true, false, 2)]
    [InlineData(true, true, 0)]
    public void Rates_are_those_of_PyTorch(bool largerIsBetter, bool absolute, int coolDown)
    {
        var random = new Random(5);
        for (var patience = 0; patience < 4; patience++)
        {
            var plateau = new ReduceOnPlateau(0.5, 0.4, patience, 0.05, coolDown, 1e-3, largerIsBetter, absolute);
            var reference = new Reference(0.5, 0.4, patience, 0.05, coolDown, 1e-3, largerIsBetter, absolute);
            var metric = 5.0;
            for (var epoch = 0; epoch < 200; epoch++)
            {
                metric += (random.NextDouble() - (largerIsBetter ? 0.4 : 0.6)) * 0.3;
                var noted = epoch % 50 == 20 ? double.NaN : metric;
                reference.Step(noted);
                Assert.Equal(reference.Rate, plateau.Record(noted));
                Assert.Equal(reference.Rate, plateau.Rate);
            }

            Assert.NotEqual(0.5, plateau.Rate);
        }
    }

    [Fact]
    public void The_rate_falls_after_more_bad_metrics_than_patience()
    {
        var plateau = new ReduceOnPlateau(1, 0.5, patience: 2, least: 0.3);
        Assert.Equal([1, 1, 1, 0.5, 0.5, 0.5, 0.3, 0.3, 0.3, 0.3], ((double[])[1, 1, 1, 1, 1, 2, double.NaN, 1, 1, 1]).Select(plateau.Record));
    }

    [Theory]
    [InlineData(false, -1)]
    [InlineData(false, 1)]
    [InlineData(true, -0.5)]
    [InlineData(true, 0.5)]
    public void A_figure_that_stays_is_no_improvement_whatever_its_sign(bool largerIsBetter, double metric)
    {
        var plateau = new ReduceOnPlateau(1, 0.5, patience: 6, threshold: 1e-4, largerIsBetter: largerIsBetter);
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 0.5], Enumerable.Repeat(metric, 8).Select(plateau.Record));
    }

    [Theory]
    [InlineData(false, -8)]
    [InlineData(false, 8)]
    [InlineData(true, -8)]
    [InlineData(true, 8)]
    public void A_relative_threshold_is_a_part_of_the_size_of_the_best(bool largerIsBetter, double best)
    {
        // An eighth of 8: 1 is not enough, the next number beyond it is.
        foreach (var enough in (bool[])[false, true])
        {
            var plateau = new ReduceOnPlateau(1, patience: 5, threshold: 0.125, largerIsBetter: largerIsBetter);
            plateau.Record(best);
            var next = best + (largerIsBetter ? 1 : -1);
            if (enough)
                next = largerIsBetter ? Math.BitIncrement(next) : Math.BitDecrement(next);
            plateau.Record(next);
            Assert.Equal(enough ? (next, 0) : (best, 1), (plateau.State.Best, plateau.State.BadRecords));
        }
    }

    [Fact]
    public void A_restored_state_goes_on_alike()
    {
        var whole = new ReduceOnPlateau(1, 0.5, 1, coolDown: 2);
        var resumed = new ReduceOnPlateau(7, 0.5, 1, coolDown: 2);
        double[] metrics = [3, 2, 2, 2, 1.9, 2, 2, 2, 2, 1, 1, 1, 1, 1];
        for (var i = 0; i < metrics.Length; i++)
        {
            if (i == 5)
                resumed.State = whole.State;
            var rate = whole.Record(metrics[i]);
            if (i >= 5)
                Assert.Equal(rate, resumed.Record(metrics[i]));
        }

        Assert.Equal(whole.State, resumed.State);
        Assert.Equal(1, whole.State.Best);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void The_first_metric_is_the_best_whatever_the_threshold(bool largerIsBetter)
    {
        var plateau = new ReduceOnPlateau(1, patience: 0, threshold: 1, largerIsBetter: largerIsBetter);
        Assert.Equal(1, plateau.Record(5));
        Assert.Equal(5, plateau.State.Best);
    }

    [Fact]
    public void The_count_of_bad_records_does_not_overflow()
    {
        var plateau = new ReduceOnPlateau(1, patience: int.MaxValue) { State = new PlateauState(1, 1, int.MaxValue, 0) };
        Assert.Equal(1, plateau.Record(5));
        Assert.Equal(int.MaxValue, plateau.State.BadRecords);
    }

    [Fact]
    public void Arguments_are_validated()
    {
        Throws("value", () => new ReduceOnPlateau(1) { State = new PlateauState(1, double.NaN, 0, 0) });
        Throws("rate", () => new ReduceOnPlateau(-1));
        Throws("factor", () => new ReduceOnPlateau(1, 1));
        Throws("patience", () => new ReduceOnPlateau(1, patience: -1));
        Throws("threshold", () => new ReduceOnPlateau(1, threshold: double.NaN));
        Throws("coolDown", () => new ReduceOnPlateau(1, coolDown: -1));
        Throws("least", () => new ReduceOnPlateau(1, least: -1));
        Throws("value", () => new ReduceOnPlateau(1) { State = new PlateauState(-1, 0, 0, 0) });
        Throws("value", () => new ReduceOnPlateau(1) { State = new PlateauState(1, 0, -1, 0) });
        Throws("value", () => new ReduceOnPlateau(1) { State = new PlateauState(1, 0, 0, -1) });

        static void Throws(string name, Func<object> create) =>
            Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(create).ParamName);
    }
}
