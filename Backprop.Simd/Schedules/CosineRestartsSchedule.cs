namespace Backprop.Simd.Schedules;

/// <summary>The descent of <see cref="CosineSchedule"/> again and again, each so many times as long as the one before: PyTorch's
/// CosineAnnealingWarmRestarts (Loshchilov and Hutter, SGDR, 2017).</summary>
public sealed class CosineRestartsSchedule : Schedule
{
    private readonly double _rate, _least;
    private readonly long _period, _multiplier;

    /// <summary>Creates the schedule.</summary>
    /// <param name="rate">The rate after a restart, finite and not negative.</param>
    /// <param name="period">The steps of the first descent, 1 or more.</param>
    /// <param name="multiplier">How many times as long each descent is as the one before, 1 or more.</param>
    /// <param name="least">The rate that descents end near, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public CosineRestartsSchedule(double rate, long period, long multiplier = 1, double least = 0)
    {
        CheckRate(rate, nameof(rate));
        ArgumentOutOfRangeException.ThrowIfLessThan(period, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(multiplier, 1);
        CheckRate(least, nameof(least));
        (_rate, _period, _multiplier, _least) = (rate, period, multiplier, least);
    }

    /// <inheritdoc/>
    protected override double Rate(long step)
    {
        var period = _period;
        if (_multiplier == 1)
            step %= period;
        while (step >= period)
        {
            step -= period;

            // A period longer than any step is as good as another.
            period = period > long.MaxValue / _multiplier ? long.MaxValue : period * _multiplier;
        }

        return CosineSchedule.Between(_rate, _least, (double)step / period);
    }
}
