namespace Backprop.Simd.Schedules;

/// <summary>rate gamma^floor(step / period): PyTorch's StepLR.</summary>
public sealed class StepSchedule : Schedule
{
    private readonly double _rate, _gamma;
    private readonly long _period;

    /// <summary>Creates the schedule.</summary>
    /// <param name="rate">The first rate, finite and not negative.</param>
    /// <param name="period">The steps between changes, 1 or more.</param>
    /// <param name="gamma">The factor of each change, finite and not negative.</param>
    /// <exception cref="ArgumentOutOfRangeException">An argument is out of its range.</exception>
    public StepSchedule(double rate, long period, double gamma = 0.1)
    {
        CheckRate(rate, nameof(rate));
        ArgumentOutOfRangeException.ThrowIfLessThan(period, 1);
        CheckRate(gamma, nameof(gamma));
        (_rate, _period, _gamma) = (rate, period, gamma);
    }

    /// <inheritdoc/>
    protected override double Rate(long step) => Product(_rate, Math.Pow(_gamma, step / _period));
}
