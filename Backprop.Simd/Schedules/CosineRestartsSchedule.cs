namespace Backprop.Simd.Schedules;

/// <summary>
/// Repeats the descent of <see cref="CosineSchedule"/>; each descent is longer than the one before by a factor: PyTorch's
/// CosineAnnealingWarmRestarts (Loshchilov and Hutter, SGDR, 2017).
/// </summary>
public sealed class CosineRestartsSchedule : Schedule
{
    private readonly double _rate, _least;
    private readonly long _period, _multiplier;

    /// <summary>Creates the schedule.</summary>
    /// <param name="rate">The rate after a restart, finite and not negative.</param>
    /// <param name="period">The steps of the first descent, 1 or more.</param>
    /// <param name="multiplier">The length of a descent divided by the length of the one before, 1 or more.</param>
    /// <param name="least">The rate that a descent approaches, finite and not negative.</param>
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

            // Once the period exceeds every step, its exact length does not matter.
            period = period > long.MaxValue / _multiplier ? long.MaxValue : period * _multiplier;
        }

        return CosineSchedule.Between(_rate, _least, (double)step / period);
    }
}
